"""What both stand-ins share: scripted faults, control endpoints, counters, and the record of exchanges.

Control endpoints, JSON in and out, under /_control, never recorded and never counted:

    GET  faults                              the scripted faults and how often each has hit
    POST faults      {"fault", "method"?, "path"?, "times"?, "skip"?, "text"?}, or a list of such   (see faults.py)
    DELETE faults                            forget them all
    POST latency     {"seconds": 0.05}       every answer takes this long, or longer where it cannot help it
    GET  counters                            {"requests", "by_call": {"GET /path/{id}": n}, "by_status", "peak"}
    DELETE counters
    GET, POST clock  see Clock.control       (for a stand-in that has a clock)

A record holds one exchange per line: {"method", "path", "query", "request", "status", "response"}, without headers and
with secrets masked; `by_hand` stands before them where the caller said so by a header of that name (tests of the
stand-in itself, which send things wrongly on purpose). Answers that a fault put in place of the far side's own are
left out of it; answers that a fault lost on the way are in.
"""

import re
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from email.utils import format_datetime
from pathlib import Path
from typing import Any

from .clock import Clock
from .faults import REPLACES_THE_ANSWER, WITHOUT_JSON, Fault, FaultBook, UnknownFault
from .http import Dropped, Listener, Refused, Request, Response, Router, dumps

CONTROL = "/_control/"
BY_HAND = "By-Hand"
_ID = re.compile(r"/(\d+|[0-9a-f]{8}-[0-9a-f-]{27})(?=/|$)", re.IGNORECASE)


class PortTaken(OSError):
    """The port that a stand-in was given is in use; the text names the stand-in and the port."""


class StandIn:
    """A far side on loopback. Subclasses implement `respond` and `refusal`, and may add to `self.control`."""

    name = "stand-in"

    def __init__(
        self,
        *,
        port: int = 0,
        record: Path | None = None,
        copy: Path | None = None,
        latency: float = 0.0,
        clock: Clock | None = None,
    ) -> None:
        self.faults = FaultBook()
        self.latency = latency
        self.clock = clock
        self.control = Router()
        self._records = [path for path in (record, copy) if path is not None]
        self._lock = threading.Lock()
        self._counters: Counter[str] = Counter()
        self._statuses: Counter[str] = Counter()
        self._running = self._peak = 0
        self._stopping = threading.Event()
        try:
            self._listener = Listener(port, self)
        except OSError as error:
            raise PortTaken(f"{self.name}: port {port} is taken") from error
        self._thread: threading.Thread | None = None
        self._add_control()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._listener.server_address[1]}"

    def start(self) -> None:
        self._thread = threading.Thread(
            target=self._listener.serve_forever,
            args=(0.02,),
            name=self.name,
            daemon=True,
        )
        self._thread.start()

    def stop(self) -> None:
        """Close the port and every connection; requests that a fault makes slow are dropped unapplied."""
        self._stopping.set()
        if self._thread is not None:
            self._listener.shutdown()
            self._thread.join()
        self._listener.server_close()
        self._listener.close_connections()

    def respond(self, request: Request) -> Response:
        """Answer one request of the public API. `request.fault` may ask for a lie (stale_read, swallow, zone_moved)."""
        raise NotImplementedError

    def refusal(self, status: int, text: str) -> Response:
        """An error in this far side's own shape."""
        raise NotImplementedError

    @contextmanager
    def admitted(self, request: Request) -> Iterator[None]:
        """Wraps the whole work on one request, pauses included; may set `request.context`, or raise Refused."""
        yield

    def unauthorized(self) -> Response:
        return Response(401)

    def pause(self, seconds: float) -> None:
        """Wait outside any lock; Dropped when the stand-in stops meanwhile."""
        if seconds > 0 and self._stopping.wait(seconds):
            raise Dropped

    def exchange(self, request: Request) -> Response:
        """Everything between a request and its answer. Dropped: close the connection instead."""
        if request.path.lower().startswith(CONTROL):
            return self._controlled(request)
        fault = request.fault = self.faults.take(request.method, request.path)
        with self._counted(request):
            if request.has_fault("drop_before"):
                raise Dropped
            try:
                with self.admitted(request):
                    response = self._answer(request, fault)
            except Refused as refused:
                response = refused.response
        response.headers.setdefault("Date", format_datetime(self._now(), usegmt=True))
        self._statuses[str(response.status)] += 1
        if fault is None or fault.name not in REPLACES_THE_ANSWER:
            self._write_record(request, response)
        if request.has_fault("drop_after"):
            raise Dropped
        return _page(WITHOUT_JSON[fault.name]) if fault and fault.name in WITHOUT_JSON else response

    def _now(self) -> datetime:
        return self.clock.now() if self.clock is not None else datetime.now(UTC)

    def _answer(self, request: Request, fault: Fault | None) -> Response:
        self.pause(fault.seconds if fault and fault.name == "slow" else 0)
        began = time.monotonic()
        replaced = fault is not None and fault.name in REPLACES_THE_ANSWER
        try:
            response = self._replaced(fault) if fault and replaced else self.respond(request)
        except Refused as refused:
            response = refused.response
        self.pause(self.latency - (time.monotonic() - began))
        self.pause(fault.seconds if fault and fault.name == "slow_after" else 0)
        return response

    def _replaced(self, fault: Fault) -> Response:
        match fault.name:
            case "error_500_json":
                return self.refusal(
                    500,
                    fault.text or "An error occurred while processing your request.",
                )
            case "half_body_before":
                return Response(body={"itemId": None, "item": None, "items": []})
            case name if name in WITHOUT_JSON:
                return _page(WITHOUT_JSON[name])
            case "error_503":
                return Response(503)
            case "unauthorized":
                return self.unauthorized()
        response = self.refusal(429, fault.text or "Too many requests.")
        if fault.name == "too_many_retry_after":
            response.headers["Retry-After"] = fault.text or "1"
        return response

    @contextmanager
    def _counted(self, request: Request) -> Iterator[None]:
        with self._lock:
            self._counters[f"{request.method} {_ID.sub('/{id}', request.path)}"] += 1
            self._running += 1
            self._peak = max(self._peak, self._running)
        try:
            yield
        finally:
            with self._lock:
                self._running -= 1

    def _write_record(self, request: Request, response: Response) -> None:
        if not self._records:
            return
        try:
            sent = _masked(request.json())
        except ValueError:
            sent = None
        by_hand = request.headers.get(BY_HAND)
        line = ({"by_hand": by_hand} if by_hand else {}) | {
            "method": request.method,
            "path": request.path,
            "query": _masked(request.query),
            "request": sent,
            "status": response.status,
            "response": None if isinstance(response.body, bytes) else _masked(response.body),
        }
        text = dumps(line) + "\n"
        for path in self._records:
            with self._lock, path.open("a", encoding="utf-8") as file:
                file.write(text)

    def _controlled(self, request: Request) -> Response:
        handler, parameters, _known = self.control.find(request.method, request.path)
        if handler is None:
            return Response(404, {"error": f"no control endpoint {request.method} {request.path}"})
        try:
            return handler(request, **parameters)
        except (ValueError, TypeError, KeyError, LookupError) as error:
            return Response(400, {"error": f"{type(error).__name__}: {error}"})

    def _add_control(self) -> None:
        self.control.add(
            "GET",
            "/_control/faults",
            lambda request: Response(body={"faults": self.faults.as_json()}),
        )
        self.control.add("POST", "/_control/faults", self._script_faults)
        self.control.add("DELETE", "/_control/faults", self._clear_faults)
        self.control.add("POST", "/_control/latency", self._set_latency)
        self.control.add("GET", "/_control/counters", lambda request: Response(body=self.counters()))
        self.control.add("DELETE", "/_control/counters", self._clear_counters)
        if self.clock is not None:
            clock = self.clock
            self.control.add(
                "GET",
                "/_control/clock",
                lambda request: Response(body=clock.control({})),
            )
            self.control.add(
                "POST",
                "/_control/clock",
                lambda request: Response(body=clock.control(request.json())),
            )

    def _script_faults(self, request: Request) -> Response:
        body = request.json()
        scripts = body if isinstance(body, list) else [body]
        if not all(isinstance(script, dict) for script in scripts):
            raise UnknownFault("a fault script is a JSON object")
        return Response(body={"faults": [self.faults.add(script).as_json() for script in scripts]})

    def _clear_faults(self, request: Request) -> Response:
        self.faults.clear()
        return Response(body={"faults": []})

    def _set_latency(self, request: Request) -> Response:
        self.latency = float(request.json()["seconds"])
        return Response(body={"seconds": self.latency})

    def counters(self) -> dict[str, Any]:
        with self._lock:
            return {
                "requests": sum(self._counters.values()),
                "by_call": dict(self._counters),
                "by_status": dict(self._statuses),
                "peak": self._peak,
            }

    def clear_counters(self) -> None:
        with self._lock:
            self._counters.clear()
            self._statuses.clear()
            self._peak = self._running

    def _clear_counters(self, request: Request) -> Response:
        self.clear_counters()
        return Response(body={})


def _masked(value: Any) -> Any:
    if isinstance(value, dict):
        return {
            name: "***" if re.search(r"secret|password|token", str(name), re.IGNORECASE) else _masked(item)
            for name, item in value.items()
        }
    return [_masked(item) for item in value] if isinstance(value, list) else value


def _page(status: int) -> Response:
    """What a web server or a gateway says where the far side itself does not."""
    return Response(status, b"<html><body>Server Error</body></html>", content_type="text/html")
