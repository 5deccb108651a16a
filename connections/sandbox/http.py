"""HTTP for the stand-ins: requests and responses as values, routes, JSON with exact decimals, and the listener.

HTTP/1.1 with keep-alive on loopback only. Each answer leaves in one piece, so no client waits for a delayed
acknowledgement. Paths are matched without regard to case.
"""

import json
import re
import secrets
import socket
import sys
import threading
import time
import traceback
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from decimal import Decimal
from http.client import responses as reasons
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Protocol
from urllib.parse import parse_qsl, unquote, urlsplit

from .faults import BREAKS_OFF, Fault

_MARK = secrets.token_hex(8)


@dataclass(slots=True)
class Request:
    """One request. `path` is decoded and without the query; names in `query` are lower case, the last value counts.

    `context` is free for what the stand-in learns about the caller before it answers.
    """

    method: str
    path: str
    query: dict[str, str]
    headers: Any
    body: bytes
    fault: Fault | None = None
    context: Any = None

    def json(self) -> Any:
        """The body as JSON, None where it is empty; ValueError where it is not JSON."""
        return json.loads(self.body, parse_float=Decimal) if self.body.strip() else None

    def form(self) -> dict[str, str]:
        """The body as an HTML form."""
        return dict(parse_qsl(self.body.decode(errors="replace"), keep_blank_values=True))

    def has_fault(self, name: str) -> bool:
        return self.fault is not None and self.fault.name == name


@dataclass(slots=True)
class Response:
    """One answer. `body`: JSON-able (Decimal keeps its places), bytes as they are, or None for an empty body."""

    status: int = 200
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    content_type: str = "application/json; charset=utf-8"

    def encoded(self) -> bytes:
        if self.body is None:
            return b""
        return self.body if isinstance(self.body, bytes) else dumps(self.body).encode()


class Refused(Exception):
    """Raised anywhere below `respond` to answer with `response` at once."""

    def __init__(self, response: Response) -> None:
        super().__init__(response.status)
        self.response = response


class Dropped(Exception):
    """The connection is to be closed without an answer."""


Handler = Callable[..., Response]


class Router:
    """Paths to handlers: `add("GET", "/things/{id}", handler)`; a parameter matches one segment, arrives as keyword."""

    def __init__(self) -> None:
        self._routes: list[tuple[str, re.Pattern[str], Handler]] = []

    def add(self, method: str, template: str, handler: Handler) -> None:
        pattern = re.sub(r"\\\{(\w+)\\\}", r"(?P<\1>[^/]+)", re.escape(template))
        self._routes.append((method, re.compile(f"{pattern}/?", re.IGNORECASE), handler))

    def find(self, method: str, path: str) -> tuple[Handler | None, dict[str, str], bool]:
        """(handler or None, parameters, whether the path exists with any method)."""
        known = False
        for verb, pattern, handler in self._routes:
            match = pattern.fullmatch(path)
            if match and verb == method:
                return handler, match.groupdict(), True
            known = known or bool(match)
        return None, {}, known


class Exchanger(Protocol):
    """What a listener serves."""

    def exchange(self, request: Request) -> Response: ...

    def refusal(self, status: int, text: str) -> Response: ...


class Listener(ThreadingHTTPServer):
    """A port on loopback whose requests go to `exchanger`; one thread per connection."""

    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def __init__(self, port: int, exchanger: Exchanger) -> None:
        self.exchanger = exchanger
        self._open: dict[Any, threading.Thread] = {}
        super().__init__(("127.0.0.1", port), _ExchangeHandler)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        self._open[request] = threading.current_thread()
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._open.pop(request, None)

    def handle_error(self, request: Any, client_address: Any) -> None:
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)

    def close_connections(self) -> None:
        """End the keep-alive connections and wait until their threads have let go of them."""
        deadline = time.monotonic() + 5
        for connection, thread in list(self._open.items()):
            with suppress(OSError):  # the client may be faster
                connection.shutdown(socket.SHUT_RDWR)
            thread.join(max(0, deadline - time.monotonic()))


class _ExchangeHandler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: Listener

    def do_GET(self) -> None:
        exchanger = self.server.exchanger
        request = self._read_request()
        try:
            response = exchanger.exchange(request)
        except Dropped:
            self.close_connection = True
            return
        except Exception:  # a defect here must not look like a broken connection
            traceback.print_exc()
            response = exchanger.refusal(500, "The stand-in failed; its own log has the trace.")
        self._send(response, broken=request.fault is not None and request.fault.name in BREAKS_OFF)

    do_POST = do_PATCH = do_PUT = do_DELETE = do_HEAD = do_OPTIONS = do_GET

    def log_message(self, format: str, *args: Any) -> None:
        """Silent: the record is the log."""

    def _read_request(self) -> Request:
        parts = urlsplit(self.path)
        query = {name.lower(): value for name, value in parse_qsl(parts.query, keep_blank_values=True)}
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        return Request(self.command, unquote(parts.path), query, self.headers, body)

    def _send(self, response: Response, *, broken: bool) -> None:
        body = response.encoded()
        self.close_connection = self.close_connection or broken
        lines = [f"HTTP/1.1 {response.status} {reasons.get(response.status, '')}"]
        if body:
            lines.append(f"Content-Type: {response.content_type}")
        lines.append(f"Content-Length: {len(body)}")
        lines.extend(f"{name}: {value}" for name, value in response.headers.items())
        if self.close_connection:
            lines.append("Connection: close")
        head = ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")
        if self.command == "HEAD":
            body = b""
        self.wfile.write(head + (body[: len(body) // 2] if broken else body))


def dumps(value: Any) -> str:
    """JSON in which a Decimal is a number with all its places: Decimal("386.6450") is 386.6450."""
    text = json.dumps(value, default=_marked)
    return text.replace(f'"{_MARK}', "").replace(f'{_MARK}"', "")


def _marked(value: Any) -> str:
    if isinstance(value, Decimal):
        return f"{_MARK}{value:f}{_MARK}"
    raise TypeError(f"{type(value).__name__} is not JSON")
