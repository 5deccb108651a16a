"""One step for many jobs: together or in turn, and what becomes of the job whose step fails."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial

import structlog

from connections.actions import mark_unauthorized
from connections.health import note_failure
from connections.psa.live_only import Rehearsing
from portal.far_side import FarSideError, OutcomeUnknown, Unauthorized, Unavailable
from syncops import settling
from syncops.claim import LostLease, held, held_together
from syncops.clock import Clock
from syncops.crew import Crew, Task
from syncops.jobs import Job
from syncops.limits import Limits
from syncops.settling import PortalFailed
from syncops.together import gathering

log = structlog.get_logger()
READ_AGAIN_S = (1, 2, 5, 10, 20, 40, 60)
MOST_DOUBLINGS = 8
OURS = (PortalFailed, Rehearsing)  # not the far side's fault
AT_A_TIME = 12  # settled in one transaction, so that nobody who journals a write waits for long


class OutOfTime(Exception):
    """The drain's time is used up: no further request is begun."""


class Steps:
    """How a drain goes on from job to job: a step that fails settles its job, and does not stop the others.

    `deadline`: the monotonic time past which no further request is begun.
    """

    def __init__(self, clock: Clock, limits: Limits) -> None:
        self.clock, self.limits, self.deadline = clock, limits, float("inf")

    def now(self) -> datetime:
        return self.clock.moment().now

    def each(self, jobs: list[Job], step: Callable[[Job], None], crew: Crew) -> None:
        """Do `step` for every job: one after the other within a contract, contracts side by side."""
        crew.do(self.tasks(jobs, step))

    def tasks(self, jobs: list[Job], step: Callable[[Job], None]) -> list[tuple[int, Task]]:
        return [(job.mapping.contract_id, partial(self.in_turn, [job], step)) for job in jobs if not job.settled]

    def together(self, jobs: list[Job], step: Callable[[Job], None]) -> None:
        """Do `step` for all jobs, several in a transaction; where one fails, for each in one of its own."""
        for start in range(0, len(jobs), AT_A_TIME):
            self._together(jobs[start : start + AT_A_TIME], step)

    def _together(self, jobs: list[Job], step: Callable[[Job], None]) -> None:
        try:
            with held_together([job.claim for job in jobs]) as ours, gathering():
                kept = [job for job in jobs if job.claim.stream_id in ours]
                for job in kept:
                    step(job)
        except Exception:
            log.exception("not settled together", jobs=len(jobs))
            for job in jobs:
                job.settled = False  # whatever was settled before the error was not kept
            self.in_turn(jobs, lambda job: self._alone(job, step))
            return
        for job in jobs:
            if job not in kept:
                self._lost(job, LostLease(f"stream {job.claim.stream_id} has moved on"))

    def _alone(self, job: Job, step: Callable[[Job], None]) -> None:
        settling.reload(job)
        with held(job.claim):
            step(job)

    def in_turn(self, jobs: list[Job], step: Callable[[Job], object]) -> None:
        """Do `step` for every job; one that fails is settled and does not stop the others."""
        for job in [job for job in jobs if not job.settled]:
            try:
                self._step(job, step)
            except LostLease as error:
                self._lost(job, error)
            except FarSideError as error:
                self.postpone(job, error)
            except Exception as error:
                log.exception("operation broke", operation=job.operation.pk)
                self.broken(job, error)

    def _step(self, job: Job, step: Callable[[Job], object]) -> None:
        try:
            self.in_time()
            step(job)
        except OutOfTime:
            with held(job.claim):
                settling.out_of_time(job, self.clock.moment())

    def out_of_time(self, needed_s: float = 0) -> bool:
        """Past the budget no further request is begun, so that a drain has a known longest time. `needed_s`: whether
        it is over before something that takes so long is done.
        """
        return time.monotonic() + needed_s > self.deadline

    def in_time(self) -> None:
        if self.out_of_time():
            raise OutOfTime

    def look_again(self, job: Job, waiting_for: str) -> None:
        with held(job.claim):
            settling.uncertain(job, waiting_for, self.soon(job), self.clock.moment())

    def soon(self, job: Job) -> timedelta:
        """Read back again soon at first, then less and less often."""
        return timedelta(seconds=READ_AGAIN_S[min(job.looks, len(READ_AGAIN_S) - 1)])

    def postpone(self, job: Job, error: FarSideError, *, reading: bool = True) -> None:
        """Settle a job whose far side said no, was away, or refused the credentials."""
        if job.settled:
            return
        try:
            if isinstance(error, Unauthorized):
                mark_unauthorized(job.connection, error, now=self.clock.moment().now)
            elif isinstance(error, Unavailable | OutcomeUnknown) and not isinstance(error, OURS):
                note_failure(job.connection, error, now=self.clock.moment().now)
            with held(job.claim):
                settling.postpone(
                    job,
                    error,
                    moment=self.clock.moment(),
                    retries=self.limits.retries,
                    wait=_back_off(job, error, self.limits.back_off_s),
                    reading=reading,
                )
        except LostLease as lost:
            self._lost(job, lost)
        except Exception:
            job.settled = True
            log.exception("operation not settled; it is taken up again when its lease runs out", job=job.operation.pk)

    def broken(self, job: Job, error: Exception) -> None:
        """Settle a job that the portal itself failed at; nothing of the failed step was kept."""
        try:
            settling.reload(job)
        except Exception:
            log.exception("operation not reloaded; it is taken up again when its lease runs out")
            job.settled = True
        self.postpone(job, portal_failed(error))

    def _lost(self, job: Job, error: LostLease) -> None:
        job.settled = True
        log.info("stale worker", stream=job.claim.stream_id, fence=job.claim.fence, reason=str(error))


def portal_failed(error: Exception) -> PortalFailed:
    return PortalFailed(f"The portal failed: {error!r}.", "Tell support; it is tried again.")


def _back_off(job: Job, error: FarSideError, first_s: float) -> timedelta:
    """Twice as long each time, with jitter (5, 10, 20, 40 … seconds), or what the far side asked for where that is
    longer.
    """
    failures = job.looks if job.unproved else job.operation.attempts - 1
    doubled = first_s * 2 ** min(max(failures, 0), MOST_DOUBLINGS)
    asked = getattr(error, "retry_after", None) or 0
    return timedelta(seconds=max(float(asked), doubled * random.uniform(0.5, 1.0)))  # noqa: S311  jitter, not a secret
