"""What one process holds of a budget between two requests of its own: a place that goes straight to who is next.

A place is kept only while somebody of this process is in line for it, for a moment, and with requests that were counted
before. So nobody else waits longer for it than for the request that was on its way.
"""

import os
import threading
import time
from collections.abc import Hashable
from dataclasses import dataclass

HOLD_S = 2.0  # then everything is looked at anew: the share, others, and who waits


@dataclass(slots=True, eq=False)
class Turn:
    """Places that are held under one token, `ahead` requests that are counted in a minute and not made yet, and the
    monotonic time after which no request is begun in it."""

    token: str
    granted: int
    ahead: int
    minute: int
    until: float

    @property
    def is_spent(self) -> bool:
        return self.ahead < 1 or time.monotonic() > self.until


class Line:
    """The threads of this process that are in line for one kind of request, and the turns that are kept for them."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: set[int] = set()
        self._kept: list[Turn] = []
        self._held: set[Turn] = set()

    @property
    def ahead(self) -> int:
        """Requests that are counted and not made yet."""
        with self._lock:
            return sum(turn.ahead for turn in self._held)

    @property
    def is_waited_in(self) -> bool:
        with self._lock:
            return bool(self._waiting)

    def join(self) -> None:
        with self._lock:
            self._waiting.add(threading.get_ident())

    def leave(self) -> list[Turn]:
        """Wait no longer; the turns that nobody is left for, to be given back."""
        with self._lock:
            self._waiting.discard(threading.get_ident())
            surplus, self._kept = self._kept[len(self._waiting) :], self._kept[: len(self._waiting)]
            return surplus

    def taken(self) -> Turn | None:
        """The turn that was kept for this thread, which waits no longer; None where it was not in line, or none was."""
        with self._lock:
            if threading.get_ident() not in self._waiting:
                return None
            self._waiting.discard(threading.get_ident())
            return self._kept.pop(0) if self._kept else None

    def hold(self, turn: Turn) -> None:
        with self._lock:
            self._held.add(turn)

    def forget(self, turn: Turn) -> None:
        with self._lock:
            self._held.discard(turn)

    def keep(self, turn: Turn) -> bool:
        """Whether somebody is in line for a turn whose request is over."""
        with self._lock:
            if len(self._waiting) <= len(self._kept) or turn.granted != 1:
                return False
            self._kept.append(turn)
            return True


_lines: dict[tuple[int, Hashable], dict[Hashable, Line]] = {}
_lines_lock = threading.Lock()


def line_of(budget: Hashable, kind: Hashable) -> Line:
    """The line of this process (a forked child has its own) for one kind of request of a budget."""
    with _lines_lock:
        return _lines.setdefault((os.getpid(), budget), {}).setdefault(kind, Line())


def ahead_of(budget: Hashable) -> int:
    """How many requests of a budget this process has counted and not made yet."""
    with _lines_lock:
        lines = list(_lines.get((os.getpid(), budget), {}).values())
    return sum(line.ahead for line in lines)
