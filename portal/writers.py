"""One writer at a time within a process, where the database takes only one anyway."""

import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection


class Turns:
    """A lock that goes to whoever has waited longest; its owner may take it again."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: deque[threading.Lock] = deque()
        self._owner: int | None = None
        self._depth = 0

    def take(self) -> None:
        me = threading.get_ident()
        with self._lock:
            if self._owner in (None, me):
                self._owner, self._depth = me, self._depth + 1
                return
            called = threading.Lock()
            called.acquire()
            self._waiting.append(called)
        called.acquire()
        self._owner = me

    def give(self) -> None:
        with self._lock:
            self._depth -= 1
            if self._depth:
                return
            self._owner = None
            if self._waiting:
                self._owner, self._depth = 0, 1  # nobody else may take it before the one that is called
                self._waiting.popleft().release()


_turns = Turns()


@contextmanager
def in_turn() -> Iterator[None]:
    """Around a transaction that writes while other threads of this process do. Never wait for another thread inside.

    SQLite has one writer. Whoever finds it busy sleeps, and looks again after up to 100 ms; whoever waits here goes on
    the moment the other is done. Other databases lock rows: nobody waits here.
    """
    if connection.vendor != "sqlite":
        yield
        return
    _turns.take()
    try:
        yield
    finally:
        _turns.give()
