"""The Autotask stand-in without a socket: the real client's requests are answered in the same process, on a clock that
is moved by hand.

Its ledger, rules, bill and scripted faults are its own; only the listener is left out. A far side that is slow moves
the clock, and one that is slower than the client is patient goes on working after the client has left.
"""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from http.client import RemoteDisconnected
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

import requests
from requests.adapters import BaseAdapter, HTTPAdapter
from urllib3.exceptions import ProtocolError
from urllib3.response import HTTPResponse

from connections.sandbox.autotask.server import AutotaskServer
from connections.sandbox.faults import BREAKS_OFF
from connections.sandbox.http import Dropped, Request, Response, dumps
from tests.syncops.desk import HandClock

QUIET = timedelta(seconds=300)
ADJUSTMENT = re.compile(r"/ContractServiceAdjustments$")


class TooSlow(Exception):
    """The answer takes longer than the client waits."""

    def __init__(self, seconds: float) -> None:
        super().__init__(seconds)
        self.seconds = seconds


class Time(HandClock):
    """A clock moved by hand; `passed` is told whenever it moves."""

    passed: Callable[[], None] = staticmethod(lambda: None)

    def wait(self, seconds: float) -> None:
        super().wait(seconds)
        self.passed()


@dataclass
class Exchange:
    """One request as it met the far side: which fault struck it, and whether an adjustment of it was applied."""

    method: str
    path: str
    fault: str = ""
    applied: bool = False


@dataclass
class _Late:
    """A request that is still being worked on; its client has left."""

    due: datetime
    request: Request
    exchange: Exchange


@dataclass
class _Meanwhile:
    method: str
    path: re.Pattern[str]
    action: Callable[[], Any] = field(repr=False)


class FarSide(AutotaskServer):
    """One stand-in for many histories: `begin` gives it a new database and a new clock."""

    patience_s = 60.0

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.time = Time()
        self.clock.now = lambda: self.time.now  # type: ignore[method-assign]
        self.exchanges: list[Exchange] = []
        self.on_exchange: Callable[[Exchange], Any] = lambda exchange: None
        self._late: list[_Late] = []
        self._written_at = self.time.now
        self._meanwhile: list[_Meanwhile] = []

    def begin(self, time: Time, database: Mapping[str, Any], **modes: Any) -> None:
        self.time, time.passed = time, self.land
        self.access.reset()
        self.calm()
        self.exchanges.clear()
        self._written_at = time.now
        self.clear_counters()
        self.modes.reset()
        self.modes.change({"hourly_limit": None} | modes)
        self.tenants.add(database)

    def calm(self) -> None:
        """No fault any more, and what is still being worked on is done at once."""
        self.faults.clear()
        self._meanwhile.clear()
        for late in self._late:
            late.due = self.time.now
        self.land()

    def ask(self, name: str, body: Any = None, **query: Any) -> Any:
        """One call of a control endpoint; a refusal is a ValueError."""
        sent = b"" if body is None else dumps(body).encode()
        found = {key: str(value) for key, value in query.items()}
        answer = self.exchange(Request("GET" if body is None else "POST", f"/_control/{name}", found, {}, sent))
        if answer.status != 200:
            raise ValueError(answer.body)
        return answer.body

    def meanwhile(self, method: str, path: str, action: Callable[[], Any]) -> None:
        """Run `action` once, directly after the next such request took effect and before its answer arrives."""
        self._meanwhile.append(_Meanwhile(method, re.compile(path, re.IGNORECASE), action))

    # How a request is answered

    def answer(self, sent: requests.PreparedRequest, patience_s: float) -> HTTPResponse:
        """The answer on the wire. Raises what a session raises where none, or none in time, comes."""
        self.land()
        request, self.patience_s = _request(sent), patience_s
        exchange = Exchange(request.method, request.path)
        self.exchanges.append(exchange)
        try:
            response = self._answered(request, exchange)
        except Dropped as dropped:
            lost = ProtocolError("Connection aborted.", RemoteDisconnected("Remote end closed connection"))
            raise requests.ConnectionError(lost) from dropped
        except TooSlow as slow:
            if request.fault and request.fault.name == "slow":
                self._late.append(_Late(self.time.now + timedelta(seconds=slow.seconds), request, exchange))
            self.time.wait(patience_s)
            raise requests.ReadTimeout("Read timed out.") from slow
        finally:
            exchange.fault = request.fault.name if request.fault else ""
            self.on_exchange(exchange)
            self._do_meanwhile(request)
        return _on_the_wire(response, request)

    def respond(self, request: Request) -> Response:
        """A reader may see what was there before the last write, but not for longer than the quiet time."""
        if request.has_fault("stale_read") and self.time.now - self._written_at > QUIET:
            request.fault = None
        if request.method != "GET" and not request.path.endswith("/query"):
            self._written_at = self.time.now
        return super().respond(request)

    def _answered(self, request: Request, exchange: Exchange) -> Response:
        before = self._applied_count() if ADJUSTMENT.search(request.path) else 0
        try:
            return self.exchange(request)
        finally:
            exchange.applied = bool(ADJUSTMENT.search(request.path)) and self._applied_count() > before

    def _applied_count(self) -> int:
        """How many adjustments of the API were ever applied."""
        return self.tenants.get().count("ContractServiceAdjustments", "origin = 'api' AND outcome <> 'swallowed'")

    def _do_meanwhile(self, request: Request) -> None:
        for one in list(self._meanwhile):
            if one.method == request.method and one.path.search(request.path):
                self._meanwhile.remove(one)
                one.action()
                return

    def pause(self, seconds: float) -> None:
        if seconds > self.patience_s:
            raise TooSlow(seconds)
        if seconds > 0:
            self.time.wait(seconds)

    def land(self) -> None:
        """Do what was still being worked on and is through by now."""
        for late in [one for one in self._late if one.due <= self.time.now]:
            self._late.remove(late)
            late.request.fault = None
            before = self._applied_count()
            self.respond(late.request)
            late.exchange.applied = self._applied_count() > before


class Wire(BaseAdapter):
    """A transport for requests that ends at a far side in this process."""

    def __init__(self, far_side: FarSide) -> None:
        super().__init__()
        self._far_side, self._shape = far_side, HTTPAdapter()

    def send(self, request: Any, stream: bool = False, timeout: Any = None, **how: Any) -> requests.Response:
        _connect_s, read_s = timeout
        return self._shape.build_response(request, self._far_side.answer(request, read_s))

    def close(self) -> None:
        """Nothing is held open."""


def _request(sent: requests.PreparedRequest) -> Request:
    parts = urlsplit(str(sent.url))
    query = {name.lower(): value for name, value in parse_qsl(parts.query, keep_blank_values=True)}
    body = sent.body if isinstance(sent.body, bytes) else (sent.body or "").encode()
    return Request(str(sent.method), unquote(parts.path), query, sent.headers, body)


def _on_the_wire(response: Response, request: Request) -> HTTPResponse:
    body = response.encoded()
    broken = request.fault is not None and request.fault.name in BREAKS_OFF
    headers = {"Content-Type": response.content_type, "Content-Length": str(len(body))} | response.headers
    return HTTPResponse(
        body=io.BytesIO(body[: len(body) // 2] if broken else body),
        headers=headers,
        status=response.status,
        preload_content=False,
        enforce_content_length=True,
        request_method=request.method,
    )
