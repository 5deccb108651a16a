"""The parent of the queue's cluster: rings the bell when something is due, and restarts a cluster that went deaf.

django-q2's own sentinel does not notice a cluster whose shared queue is wedged (a worker killed while it waited on
it): everything looks alive and nothing runs. So one canary task goes all the way round every few seconds, and where
it does not come
back in time the whole process group is replaced. Nothing is lost by that, because rows are the truth and messages
only wake.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from importlib import import_module
from types import ModuleType

import psutil
import structlog
from django.conf import settings
from django.db import close_old_connections
from django.utils import timezone

from portal.queue import beat_age, busy_now, enqueue, every_minutes, forget_beats, waiting_messages

log = structlog.get_logger()
CANARY = "portal.queue.beat"
SWEEP = "portal.supervisor.sweep"
RING_S, SWEEP_S = 1.0, 5.0
ENOUGH = 50  # messages that wait already; more would wake nobody sooner
SAID_AGAIN_S = 60.0  # how often the log tells of a database or broker that is still away


@dataclass(frozen=True, slots=True)
class Intervals:
    """Seconds: between two looks, between two canaries, and how long the canary may be silent."""

    look: float = 0.5
    canary: float = 3.0
    silence: float = 15.0
    start_up: float = 20.0
    stop: float = 20.0


class Supervisor:
    """Runs one cluster until told to stop. `run` returns once it is down."""

    def __init__(self, *, intervals: Intervals | None = None, say: Callable[[str], None] = print) -> None:
        self.intervals = intervals or Intervals()
        self.say = say
        self.stopping = False
        self.cluster: subprocess.Popen[bytes] | None = None
        self.started_at = 0.0
        self.restarts = 0
        self.bell = Bell()
        self.scheduled = False
        self.next_canary = 0.0
        self.away_at = self.said_at = float("-inf")

    def run(self) -> None:
        """Start, watch and ring until SIGTERM or SIGINT."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._stop)
        self._start()
        while not self.stopping:
            self.look()
            time.sleep(self.intervals.look)
        self._end()

    def look(self) -> None:
        """One look: canary, bell, and whether the cluster still hears."""
        now = time.monotonic()
        if not self.scheduled:
            minutes = settings.EXECUTOR["sweep_every_min"]
            self.scheduled = self._guarded(lambda: every_minutes("sweep", SWEEP, minutes))
        if now >= self.next_canary:
            self._guarded(lambda: enqueue(CANARY))
            self.next_canary = now + self.intervals.canary
        self._guarded(self.bell.ring)
        if reason := self._deaf():
            self._replace(reason)

    def _stop(self, number: int, frame: object) -> None:
        self.stopping = True

    def _start(self) -> None:
        forget_beats()
        self.cluster = subprocess.Popen(  # noqa: S603  our own command
            [sys.executable, str(settings.BASE_DIR / "manage.py"), "qcluster"],
            start_new_session=True,
            env=os.environ | {"PORTAL_DATA_DIR": str(settings.DATA_DIR)},
        )
        self.started_at = time.monotonic()
        self.say(f"Worker started (process {self.cluster.pid}).")

    def _deaf(self) -> str:
        """Why the cluster must be replaced, or nothing. While nothing can be sent it cannot answer either."""
        assert self.cluster is not None
        if self.cluster.poll() is not None:
            return f"it ended with code {self.cluster.returncode}"
        running_for = time.monotonic() - self.started_at
        if running_for > self.intervals.start_up and not _has_children(self.cluster.pid):
            return "its main process is alone"
        if busy_now():
            return ""
        age = beat_age()
        silent_for = min(running_for if age is None else age, time.monotonic() - self.away_at)
        limit = self.intervals.start_up if age is None else self.intervals.silence
        return f"no canary came back for {silent_for:.0f} s" if silent_for > limit else ""

    def _replace(self, reason: str) -> None:
        self.restarts += 1
        log.warning("worker replaced", reason=reason, restarts=self.restarts)
        self.say(f"Worker replaced: {reason}.")
        self._kill()
        self._start()

    def _kill(self) -> None:
        """End the whole process group at once; what it was doing is proved afterwards."""
        assert self.cluster is not None
        with suppress(ProcessLookupError):
            os.killpg(self.cluster.pid, signal.SIGKILL)
        self.cluster.wait()

    def _end(self) -> None:
        """Let running tasks finish for a while, then end what is left."""
        assert self.cluster is not None
        self.cluster.send_signal(signal.SIGTERM)
        try:
            self.cluster.wait(self.intervals.stop)
        except subprocess.TimeoutExpired:
            self.say("Worker did not stop by itself; it is ended.")
        self._kill()

    def _guarded(self, step: Callable[[], object]) -> bool:
        """A database or broker that is away must not end the supervisor; False where it is."""
        try:
            step()
        except Exception:
            self.away_at = time.monotonic()
            if self.away_at - self.said_at > SAID_AGAIN_S:
                self.said_at = self.away_at
                log.exception("supervisor step failed; tried again and again")
            close_old_connections()
            return False
        return True


def workplaces() -> list[ModuleType]:
    """The modules with work: each offers `due(now)`, `sweep(now)` (wake workers) and `work(now)` (do it here)."""
    return [import_module(name) for name in settings.PORTAL_WORKPLACES]


def sweep() -> int:
    """Wake workers for everything that is due, in case a message was lost; how many things that was."""
    now = timezone.now()
    return sum(place.sweep(now) for place in workplaces())


class Bell:
    """Rings where a row is due, at most once a second: what is due stays due until a worker has claimed it."""

    def __init__(self) -> None:
        self.last_rung: dict[str, float] = {}

    def ring(self) -> int:
        """Wake workers where something is due; now and then sweep anyway, to free what dead workers hold."""
        now, rung = timezone.now(), 0
        if waiting_messages() > ENOUGH:
            return 0
        for place in workplaces():
            age = time.monotonic() - self.last_rung.get(place.__name__, float("-inf"))
            if age > SWEEP_S or (age > RING_S and place.due(now)):
                rung += place.sweep(now)
                self.last_rung[place.__name__] = time.monotonic()
        return rung


def work_until_idle(*, patience: float = 5.0, at_most: float = 600.0) -> int:
    """Do in this process, without a queue, everything that is due, and what becomes due within `patience` seconds.

    Ends after `at_most` seconds whatever is left. Returns how many rounds had work.
    """
    deadline, rounds = time.monotonic() + at_most, 0
    while time.monotonic() < deadline:
        now = timezone.now()
        due = [place for place in workplaces() if place.due(now)]
        for place in due:
            place.work(now)
        rounds += bool(due)
        if not due and not any(place.due(now + timedelta(seconds=patience)) for place in workplaces()):
            break
        if all(place.due(timezone.now()) for place in due):  # somebody else is on it, or it is due later
            time.sleep(0.1)
    return rounds


def _has_children(pid: int) -> bool:
    try:
        return bool(psutil.Process(pid).children())
    except psutil.NoSuchProcess:
        return False
