"""The executor: claims what is due, reads, plans, journals, writes, reads back, and settles.

A drain works on one connection at a time, in batches: the reads before and after are shared by all lines of a batch,
and so are the transactions around them; the writes run up to three at once on different contracts. While a batch is
written the next one is prepared. No transaction is open while the far side is called, and every write-back names the
fence that the stream was claimed with.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import partial

import structlog
from django.db.models import Min

from connections.health import note_success
from connections.models import Connection
from connections.psa.base import Psa
from connections.registry import budget_of, psa_for
from connections.usage import Pause
from portal.far_side import FarSideError, Unauthorized
from portal.processes import this_process
from syncops import settling
from syncops.claim import Claim, claim_lane, claim_streams, held, release_lane
from syncops.clock import Clock, SystemClock
from syncops.crew import Crew, Work
from syncops.dues import PAUSED_CHECK, over_budget_words, put_aside, wake_behind
from syncops.engine.proving import Proving
from syncops.engine.reading import Reading
from syncops.engine.rehearsing import Rehearsing
from syncops.engine.steps import Steps, portal_failed
from syncops.engine.writing import Writing
from syncops.errands import errand_of
from syncops.jobs import Job, open_jobs
from syncops.limits import Limits
from syncops.models import Stream
from syncops.planning import History, histories_of, plan_job

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Batch:
    """Jobs of one connection that share their reads; `writing` is done when all of them are sent or settled.

    `began`: the monotonic time at which it was claimed.
    """

    connection: Connection
    jobs: list[Job]
    psa: Psa | None
    writing: Work
    began: float


class Engine:
    """Runs operations. Everything from outside is given: clocks, limits, and how to reach a PSA."""

    def __init__(
        self,
        *,
        clock: Clock | None = None,
        limits: Limits | None = None,
        psa: Callable[..., Psa] = psa_for,
        owner: str = "",
        ring: Callable[[int], object] = lambda connection_id: None,
    ) -> None:
        """`ring`: wake another worker for a connection, which this one leaves while more is due there."""
        self.clock, self.limits = clock or SystemClock(), limits or Limits.from_settings()
        self.psa, self.owner, self.ring = psa, owner or this_process(), ring
        self.batch_took_s = 0.0
        self.steps = Steps(self.clock, self.limits)
        self.reading, self.writing, self.proving = Reading(self.steps), Writing(self.steps), Proving(self.steps)
        self.rehearsing = Rehearsing(self.steps)

    def drain(self) -> int:
        """Work until nothing is due or the budget is used up; how many streams were handled.

        One connection in trouble does not keep the others waiting.
        """
        self.steps.deadline, handled = time.monotonic() + self.limits.drain_budget_s, 0
        for connection_id in self._connections_with_work():
            if self.steps.out_of_time():
                break  # whoever rings next
            try:
                handled += self._drain_connection(connection_id)
            except Exception:
                log.exception("connection left for the next drain", connection=connection_id)
        return handled

    def _drain_connection(self, connection_id: int) -> int:
        """Batch after batch: one is prepared while the one before it is written, and proved afterwards."""
        handled, under_way, self.batch_took_s = 0, deque[Batch](), 0.0
        try:
            with Crew(self.limits.threads) as crew:
                while True:
                    first = not under_way and not crew.alone  # what is ready soonest is sent while the rest is read
                    began = time.monotonic()
                    claims = self._claimed(connection_id, self.limits.first_batch if first else self.limits.batch)
                    handled += len(claims)
                    if claims:
                        under_way.append(self._prepared(connection_id, claims, crew, began))
                    if under_way and (crew.alone or not claims or len(under_way) > 1):
                        self._conclude(under_way.popleft(), last=not under_way and not claims)
                    elif not claims:
                        break
        finally:
            release_lane(connection_id, owner=self.owner)
        return handled

    def _connections_with_work(self) -> list[int]:
        due = Stream.objects.due(self.clock.moment().now)
        waiting = due.values("connection_id").annotate(oldest=Min("due")).order_by("oldest")
        return [row["connection_id"] for row in waiting]

    def _take_lane(self, connection_id: int) -> bool:
        now = self.clock.moment().now
        return claim_lane(connection_id, owner=self.owner, now=now, seconds=self.limits.lane_s)

    def _claimed(self, connection_id: int, at_most: int) -> list[Claim]:
        """The next streams of a connection that are ours now; none where the drain is to end, or would end before they
        are sent.
        """
        if self.steps.out_of_time(self.batch_took_s) or not self._take_lane(connection_id):
            return []
        now, seconds = self.clock.moment().now, self.limits.lease_s
        return claim_streams(connection_id, owner=self.owner, now=now, seconds=seconds, at_most=at_most)

    def _prepared(self, connection_id: int, claims: list[Claim], crew: Crew, began: float) -> Batch:
        """Open, read and plan; what is to be written is on its way to the crew when this returns."""
        connection = Connection.objects.select_related("organization").get(pk=connection_id)
        bulk = not claims[0].urgent
        claims = claims if self._may_go_on(claims, connection) else []
        if claims and connection.works and connection.rehearses:
            reach = partial(self.psa, connection, bulk=bulk, clock=self.steps.now)
            claims = self.rehearsing.rehearse(claims, connection, reach)
        jobs = self._opened(claims, connection) if claims else []
        psa = self._reached(connection, jobs, bulk=bulk) if jobs else None
        if psa is None:
            return Batch(connection, [], psa, crew.start([]), began)
        steps, reading, writing = self.steps, self.reading, self.writing
        steps.each([job for job in jobs if job.contract is None], lambda job: reading.contract(job, psa), crew)
        steps.each([job for job in jobs if errand_of(job)], lambda job: writing.mend_contract(job, psa), crew)
        steps.each([job for job in jobs if not job.mapping.line_id], lambda job: writing.ensure_line(job, psa), crew)
        reading.rows(jobs, psa)
        steps.in_turn([job for job in jobs if job.unproved], self.proving.verify)
        self._plan([job for job in jobs if not job.settled], psa)
        sending = [job for job in jobs if not job.settled]
        work = crew.start(steps.tasks(sending, lambda job: writing.send(job, psa)))
        return Batch(connection, jobs, psa, work, began)

    def _conclude(self, batch: Batch, *, last: bool) -> None:
        """Read back what was written, and settle it. After the last one another worker may go on meanwhile."""
        batch.writing.wait()
        if last and self.steps.out_of_time(self.batch_took_s):
            release_lane(batch.connection.pk, owner=self.owner)
            self.ring(batch.connection.pk)
        self.writing.scribe.catch_up()
        written = [job for job in batch.jobs if not job.settled]
        if batch.psa is not None:
            self.reading.rows(written, batch.psa)
        self.proving.prove(written)
        if batch.jobs:
            wake_behind([one for job in batch.jobs for one in job.operations], self.steps.now())
        if any(job.answered for job in batch.jobs):
            note_success(batch.connection, now=self.clock.moment().now)
        self.batch_took_s = time.monotonic() - batch.began

    def _may_go_on(self, claims: list[Claim], connection: Connection) -> bool:
        """False where it is bulk work and that pauses; then it waits until it may go on."""
        pause = None if claims[0].urgent else _bulk_pause(connection, self.steps.now)
        if pause is None:
            return True
        for claim in claims:
            self._put_aside(claim, over_budget_words(pause.message), pause.until)
        return False

    def _opened(self, claims: list[Claim], connection: Connection) -> list[Job]:
        """The claimed streams as jobs: all at once, or one by one where that fails, so that only the bad one waits."""
        try:
            return open_jobs(claims, connection, moment=self.clock.moment(), owner=self.owner)
        except Exception as error:
            if len(claims) > 1:
                return [job for claim in claims for job in self._opened([claim], connection)]
            log.exception("stream not opened", stream=claims[0].stream_id)
            until = self.clock.moment().now + PAUSED_CHECK
            self._put_aside(claims[0], f"support: the portal fails at it ({type(error).__name__})", until)
            return []

    def _put_aside(self, claim: Claim, waiting_for: str, until: datetime) -> None:
        try:
            with held(claim) as stream:
                put_aside(claim, stream, waiting_for, until)
        except Exception:
            log.exception("stream not put aside; tried again when its lease runs out", stream=claim.stream_id)

    def _reached(self, connection: Connection, jobs: list[Job], *, bulk: bool) -> Psa | None:
        """The connection's PSA; where there is none, every job is postponed."""
        try:
            return self.psa(connection, bulk=bulk, clock=self.steps.now)
        except FarSideError as error:
            problem = error
        except Exception as error:
            log.exception("no client", connection=connection.pk)
            problem = portal_failed(error)
        for job in jobs:
            self.steps.postpone(job, problem)
        return None

    def _plan(self, jobs: list[Job], psa: Psa) -> None:
        """Plan all jobs; those with nothing to send are settled."""
        histories = histories_of([(job.operation.stream, job.mapping) for job in jobs])
        self.steps.in_turn(jobs, lambda job: self._plan_one(job, histories[job.claim.stream_id], psa))
        self.steps.together([job for job in jobs if not job.settled], self._plan_kept)

    def _plan_one(self, job: Job, history: History, psa: Psa) -> None:
        job.planned = plan_job(job, history)
        if job.planned.needs_contract_end:  # it may have been extended since the mirror was read
            read_since = job.since
            self.reading.contract(job, psa)
            if job.since != read_since:  # periods beyond the end that was known begin earlier than their date
                self.steps.in_time()
                self.reading.rows([job], psa)
                if job.settled:
                    return
            job.planned = plan_job(job, history)

    def _plan_kept(self, job: Job) -> None:
        assert job.planned is not None
        settling.store_plan(job, job.planned)
        settling.without_sending(job, job.planned, self.clock.moment())


def _bulk_pause(connection: Connection, now: Callable[[], datetime]) -> Pause | None:
    """What keeps work on this connection waiting that no person waits for."""
    try:
        return budget_of(connection, clock=now).usage().bulk_pause if connection.works else None
    except Unauthorized:
        return None  # the run says it
