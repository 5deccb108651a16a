"""Faults on demand: what goes wrong with the next requests that match.

A fault is scripted as {"fault": NAME, "method": REGEX, "path": REGEX, "times": N or null, "skip": N, "text": ...}. It
hits the next `times` matching requests (null: every one from now on) after letting `skip` of them through.

NAME                  what the client sees, and what the ledger holds
drop_before           connection closed, nothing applied
drop_after            applied, then the connection is closed without an answer
half_body             applied, the answer breaks off in the middle of its body
half_body_before      nothing applied, an answer like a success that breaks off in the middle of its body
error_500_after       applied, then 500 with an HTML page; error_502_after and error_504_after: a gateway's, likewise
error_500_json        nothing applied, 500 in the far side's own error shape (`text` is its message)
error_500_plain       nothing applied, 500 with an HTML page
error_502             nothing applied, a gateway's 502 without JSON; error_504 likewise
error_503             nothing applied, 503 without a body
too_many              nothing applied, 429
too_many_retry_after  nothing applied, 429 with Retry-After (`text` is its value, default 1)
unauthorized          401 from now on (`times` is null unless given)
slow:SECONDS          the far side works for so long, then applies and answers, even when the client has left
slow_after:SECONDS    applied at once, the answer comes so much later
stale_read            the read answers with the state before the last write
swallow               the write is answered like a success and is not applied: a far side that lies
zone_moved            the caller's database moves to another zone; its old address answers 401 from now on
"""

import re
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

TIMED = ("slow", "slow_after")
NAMES = (
    "drop_before",
    "drop_after",
    "half_body",
    "half_body_before",
    "error_500_after",
    "error_502_after",
    "error_504_after",
    "error_500_json",
    "error_500_plain",
    "error_502",
    "error_503",
    "error_504",
    "too_many",
    "too_many_retry_after",
    "unauthorized",
    "stale_read",
    "swallow",
    "zone_moved",
    *TIMED,
)
REPLACES_THE_ANSWER = frozenset(
    (
        "half_body_before",
        "error_500_json",
        "error_500_plain",
        "error_502",
        "error_503",
        "error_504",
        "too_many",
        "too_many_retry_after",
        "unauthorized",
    )
)
BREAKS_OFF = frozenset(("half_body", "half_body_before"))
WITHOUT_JSON = {
    "error_500_plain": 500,
    "error_502": 502,
    "error_504": 504,
    "error_500_after": 500,
    "error_502_after": 502,
    "error_504_after": 504,
}


class UnknownFault(ValueError):
    """The script names no known fault, or is not a valid script."""


@dataclass(slots=True)
class Fault:
    """One scripted fault: what it does, which requests it hits, how often still (None: always)."""

    id: int
    name: str
    seconds: float
    method: re.Pattern[str]
    path: re.Pattern[str]
    times: int | None
    skip: int
    text: str
    hits: int = 0

    def as_json(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "fault": f"{self.name}:{self.seconds:g}" if self.name in TIMED else self.name,
            "method": self.method.pattern,
            "path": self.path.pattern,
            "times": self.times,
            "skip": self.skip,
            "hits": self.hits,
        }


class FaultBook:
    """The faults that are waiting for their requests. Safe to use from several threads; kept in memory only."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._faults: list[Fault] = []
        self._last_id = 0

    def add(self, script: Mapping[str, Any]) -> Fault:
        name, _, seconds = str(script.get("fault", "")).partition(":")
        if name not in NAMES:
            raise UnknownFault(f"unknown fault {name!r}; known: {', '.join(NAMES)}")
        default_times = None if name == "unauthorized" else 1
        times = script.get("times", default_times)
        try:
            method = re.compile(str(script.get("method") or ".*"), re.IGNORECASE)
            path = re.compile(str(script.get("path") or ".*"), re.IGNORECASE)
            lasting = float(seconds or 0)
            count = None if times is None else int(times)
            skip = int(script.get("skip") or 0)
        except (re.error, ValueError, TypeError) as error:
            raise UnknownFault(f"not a valid fault script: {error}") from error
        with self._lock:
            self._last_id += 1
            fault = Fault(
                self._last_id,
                name,
                lasting,
                method,
                path,
                count,
                skip,
                str(script.get("text") or ""),
            )
            self._faults.append(fault)
            return fault

    def take(self, method: str, path: str) -> Fault | None:
        """The fault that hits this request, counted down; the oldest matching one wins."""
        with self._lock:
            for fault in self._faults:
                spent = fault.times is not None and fault.times <= 0
                if spent or not fault.method.fullmatch(method) or not fault.path.search(path):
                    continue
                if fault.skip > 0:
                    fault.skip -= 1
                    continue
                if fault.times is not None:
                    fault.times -= 1
                fault.hits += 1
                return fault
        return None

    def as_json(self) -> list[dict[str, Any]]:
        with self._lock:
            return [fault.as_json() for fault in self._faults]

    def clear(self) -> None:
        with self._lock:
            self._faults.clear()
