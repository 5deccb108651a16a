"""Writes down what several hands want written at the same moment: in one transaction, under each stream's fence."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Generic, TypeVar, cast

import structlog

from syncops import settling
from syncops.claim import LostLease, held, held_together
from syncops.jobs import Job
from syncops.models import Stream
from syncops.together import gathering

log = structlog.get_logger()
T = TypeVar("T")


class Entry(Generic[T]):
    """One thing to be written about a stream that is ours, and what came of it."""

    def __init__(
        self, job: Job, step: Callable[[Stream], T], lost: Callable[[], object], *, is_awaited: bool = True
    ) -> None:
        self.job, self.step, self.lost, self.is_awaited = job, step, lost, is_awaited
        self.is_over = False
        self._result: T | None = None
        self._error: Exception | None = None

    def outcome(self) -> T:
        assert self.is_over, "whoever wrote it down went to pieces"
        if self._error is not None:
            raise self._error
        return cast(T, self._result)

    def attempt(self, stream: Stream | None) -> None:
        """Inside a transaction. An error other than a lost lease leaves it, and all is done again one by one."""
        claim = self.job.claim
        try:
            if stream is None or stream.fence != claim.fence:
                raise LostLease(f"stream {claim.stream_id} has moved on from fence {claim.fence}")
            self._result, self._error = self.step(stream), None
        except LostLease as error:
            self._error = error

    def alone(self) -> None:
        try:
            settling.forget(self.job)
            with held(self.job.claim) as stream, gathering():
                self._result, self._error = self.step(stream), None
        except Exception as error:
            self._error = error

    def end(self) -> None:
        self.is_over = True
        if isinstance(self._error, LostLease):
            self.lost()
        elif self._error is not None and not self.is_awaited:
            log.error("not written down; the proof will tell", stream=self.job.claim.stream_id, exc_info=self._error)


class Scribe:
    """Whoever comes while a transaction is under way is written down with all others that came meanwhile, in the order
    in which they came.
    """

    def __init__(self) -> None:
        self._turn, self._lock = threading.Lock(), threading.Lock()
        self._waiting: list[Entry] = []

    def write(self, job: Job, step: Callable[[Stream], T], lost: Callable[[], object] = lambda: None) -> T:
        """Do `step` in a transaction in which the stream is locked and ours; what it gives, once that is committed.

        Raises LostLease, after `lost`, where the stream is not ours any more, and what the step raises.
        """
        entry = Entry(job, step, lost)
        self._add(entry)
        self._write_down_until(lambda: entry.is_over)
        return entry.outcome()

    def later(self, job: Job, step: Callable[[Stream], object], lost: Callable[[], object]) -> None:
        """Do `step` with the next that is written, or at `catch_up`; `lost` where the stream is not ours by then."""
        self._add(Entry(job, step, lost, is_awaited=False))

    def catch_up(self) -> None:
        """Write down all that waits."""
        self._write_down_until(lambda: not self._waiting)

    def _add(self, entry: Entry) -> None:
        with self._lock:
            self._waiting.append(entry)

    def _write_down_until(self, over: Callable[[], bool]) -> None:
        with self._turn:
            if over():
                return
            with self._lock:
                entries, self._waiting = self._waiting, []
            _write_down(entries)


def _write_down(entries: list[Entry]) -> None:
    try:
        with held_together([entry.job.claim for entry in entries]) as ours, gathering():
            for entry in entries:
                entry.attempt(ours.get(entry.job.claim.stream_id))
    except Exception:
        log.exception("not written together", entries=len(entries))
        for entry in entries:
            entry.alone()
    for entry in entries:
        entry.end()
