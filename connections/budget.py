"""How many requests may be on their way to a far side at once.

Autotask answers at most three requests at once per tracking identifier and entity, and refuses the fourth. This budget
counts within one process; a client asks only for `slot`, so that a budget across processes can take its place.
"""

import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import lru_cache
from typing import Protocol

from portal.far_side import Unavailable

AT_ONCE = 3
LONGEST_WAIT_S = 60.0


class Budget(Protocol):
    """What a client asks before each request."""

    def slot(self, entity: str) -> AbstractContextManager[None]:
        """Hold one of the few places of this entity while a request is on its way."""


class ProcessBudget:
    """The places of one connection in this process. Safe to use from several threads."""

    def __init__(self, at_once: int = AT_ONCE, longest_wait_s: float = LONGEST_WAIT_S) -> None:
        self._at_once = at_once
        self._longest_wait_s = longest_wait_s
        self._lock = threading.Lock()
        self._places: dict[str, threading.BoundedSemaphore] = {}

    @contextmanager
    def slot(self, entity: str) -> Iterator[None]:
        """Raises Unavailable, with nothing sent, where no place becomes free in time."""
        with self._lock:
            places = self._places.setdefault(entity.lower(), threading.BoundedSemaphore(self._at_once))
        if not places.acquire(timeout=self._longest_wait_s):
            raise Unavailable(
                f"{self._at_once} requests about {entity} are on their way already. Nothing was sent.",
                advice="It is tried again.",
            )
        try:
            yield
        finally:
            places.release()


@lru_cache(maxsize=1024)
def budget_for(key: str) -> ProcessBudget:
    """The budget that all users of the same credentials share in this process."""
    return ProcessBudget()
