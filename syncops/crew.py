"""Hands that work side by side, never two at once on one contract."""

from __future__ import annotations

import itertools
import threading
from collections import defaultdict, deque
from collections.abc import Callable, Hashable, Iterable
from types import TracebackType

from django.db import connections as databases

Task = Callable[[], None]


class Work:
    """Tasks that were handed in together."""

    def __init__(self, change: threading.Condition, number: int, left: int) -> None:
        self._change = change
        self.number, self.left = number, left
        self.error: BaseException | None = None

    def wait(self) -> None:
        """Until all tasks are done. Raises what one of them raised."""
        with self._change:
            self._change.wait_for(lambda: not self.left)
        if self.error:
            raise self.error


class Crew:
    """Does tasks one at a time for each key (a contract), several keys at once.

    There are three times as many hands as requests `at_once`, so that some have written down what comes next while
    others wait for an answer. Where there may be only one request, everything is done by the caller, at once and in
    the order given.
    """

    def __init__(self, at_once: int) -> None:
        self.alone = at_once <= 1
        self._change = threading.Condition()
        self._waiting: dict[Hashable, deque[tuple[Task, Work]]] = defaultdict(deque)
        self._busy: set[Hashable] = set()
        self._hands: list[threading.Thread] = []
        self._numbers = itertools.count()
        self._most = 0 if self.alone else 3 * at_once
        self._over = False

    def __enter__(self) -> Crew:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """What was begun is ended; what still waits after an error is left."""
        with self._change:
            if error is not None:
                self._waiting.clear()
            self._over = True
            self._change.notify_all()
        for hand in self._hands:
            hand.join()

    def start(self, tasks: Iterable[tuple[Hashable, Task]]) -> Work:
        """Hand in tasks with their keys; those of one key are done in the order given."""
        tasks = list(tasks)
        work = Work(self._change, next(self._numbers), len(tasks))
        if self.alone:
            for _, task in tasks:
                task()
                work.left -= 1
            return work
        with self._change:
            for key, task in tasks:
                self._waiting[key].append((task, work))
            self._change.notify_all()
        for _ in range(min(self._most, len(tasks)) - len(self._hands)):
            hand = threading.Thread(target=self._lend_a_hand, name=f"hand-{len(self._hands)}", daemon=True)
            self._hands.append(hand)
            hand.start()
        return work

    def do(self, tasks: Iterable[tuple[Hashable, Task]]) -> None:
        self.start(tasks).wait()

    def _lend_a_hand(self) -> None:
        try:
            while (taken := self._take()) is not None:
                key, task, work = taken
                error: BaseException | None = None
                try:
                    task()
                except BaseException as raised:  # whoever waits for the work raises it again
                    error = raised
                self._done(key, work, error)
        finally:
            databases.close_all()

    def _take(self) -> tuple[Hashable, Task, Work] | None:
        """The next task of what was handed in first, of its free key with the most tasks; None when all is over."""
        with self._change:
            while True:
                free = [key for key, tasks in self._waiting.items() if tasks and key not in self._busy]
                if free:
                    key = min(free, key=lambda key: (self._waiting[key][0][1].number, -len(self._waiting[key])))
                    task, work = self._waiting[key].popleft()
                    if not self._waiting[key]:
                        del self._waiting[key]
                    self._busy.add(key)
                    return key, task, work
                if self._over and not self._waiting:
                    return None
                self._change.wait()

    def _done(self, key: Hashable, work: Work, error: BaseException | None) -> None:
        with self._change:
            self._busy.discard(key)
            work.left -= 1
            work.error = work.error or error
            self._change.notify_all()
