"""The executor: claims what is due, reads, plans, journals, writes, reads back, and settles.

A drain works on one connection at a time, in batches: the reads before and after are shared by all lines of a batch,
the writes run up to three at once on different contracts. No transaction is open while the far side is called, and
every write-back
names the fence that the stream was claimed with.
"""

from __future__ import annotations

import random
import time
from collections import defaultdict
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from typing import TypeVar

import structlog
from django.conf import settings
from django.db import connections as databases
from django.db.models import Min

from connections.actions import mark_unauthorized
from connections.health import note_success
from connections.models import Connection
from connections.psa.base import Psa
from connections.registry import psa_for
from portal.far_side import FarSideError, OutcomeUnknown, Rejected, Unauthorized, Unavailable
from syncops import journal, settling
from syncops.claim import Claim, LostLease, claim_lane, claim_streams, held, owner_name, release_lane, renew
from syncops.clock import Clock, SystemClock
from syncops.jobs import Job, open_job
from syncops.lines import actual_of
from syncops.models import Stream, Write
from syncops.planning import plan_job
from syncops.proof import judge
from syncops.timeline import Adjustment, Timeline, apply

log = structlog.get_logger()
Answer = TypeVar("Answer")
READ_AGAIN_S = (1, 2, 5, 10, 20, 40, 60)


@dataclass(frozen=True, slots=True)
class Limits:
    """Times in seconds; `quiet_s` is how long the far side may still be working on a write after its answer was given
    up.
    """

    lease_s: float = 120
    guard_margin_s: float = 15
    connect_timeout_s: float = 5
    read_timeout_s: float = 60
    quiet_s: float = 300
    drain_budget_s: float = 20
    threads: int = 3
    retries: int = 5
    batch: int = 60
    lane_s: float = 15
    back_off_s: float = 5

    @classmethod
    def from_settings(cls) -> Limits:
        known = {name: value for name, value in settings.EXECUTOR.items() if name in cls.__slots__}
        return cls(**known)

    @property
    def longest_drain_s(self) -> float:
        """No drain takes longer: its budget, and the one request that was under way when it ended."""
        return self.drain_budget_s + self.connect_timeout_s + self.read_timeout_s + self.guard_margin_s

    @property
    def unknown_for_s(self) -> float:
        """How long after a send without an answer nothing may be concluded from its not showing."""
        return self.connect_timeout_s + self.read_timeout_s + self.quiet_s


class Engine:
    """Runs operations. Everything from outside is given: clocks, limits, and how to reach a PSA."""

    def __init__(
        self,
        *,
        clock: Clock | None = None,
        limits: Limits | None = None,
        psa: Callable[[Connection], Psa] = psa_for,
        owner: str = "",
    ) -> None:
        self.clock = clock or SystemClock()
        self.limits = limits or Limits.from_settings()
        self.psa = psa
        self.owner = owner or owner_name()
        self.deadline = float("inf")

    def drain(self) -> int:
        """Work until nothing is due or the budget is used up; how many streams were handled."""
        self.deadline, handled = time.monotonic() + self.limits.drain_budget_s, 0
        for connection_id in self._connections_with_work():
            if not self._take_lane(connection_id):
                continue
            try:
                while not self._out_of_time() and (done := self._drain_batch(connection_id)):
                    handled += done
                    self._take_lane(connection_id)
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

    def _drain_batch(self, connection_id: int) -> int:
        claims = claim_streams(
            connection_id,
            owner=self.owner,
            now=self.clock.moment().now,
            seconds=self.limits.lease_s,
            at_most=self.limits.batch,
        )
        if claims:
            self.work(Connection.objects.select_related("organization").get(pk=connection_id), claims)
        return len(claims)

    def work(self, connection: Connection, claims: list[Claim]) -> None:
        """Bring the claimed streams of one connection forward by one run each."""
        moment = self.clock.moment()
        jobs = [job for claim in claims if (job := self._opened(claim, connection)) is not None]
        if not jobs:
            return
        try:
            psa = self.psa(connection)
        except FarSideError as error:
            for job in jobs:
                self._postpone(job, error)
            return
        self._each(jobs, lambda job: self._know_contract(job, psa))
        self._each(jobs, lambda job: self._ensure_line(job, psa))
        self._read(jobs, psa)
        self._each(jobs, lambda job: self._verify(job) if job.unproved else self._send(job, psa))
        written = [job for job in jobs if not job.settled]
        self._read(written, psa)
        self._each(written, self._prove)
        if any(job.answered for job in jobs):
            note_success(connection, now=moment.now)

    def _opened(self, claim: Claim, connection: Connection) -> Job | None:
        try:
            return open_job(claim, connection, moment=self.clock.moment(), owner=self.owner)
        except LostLease as error:
            log.info("stale worker", stream=claim.stream_id, fence=claim.fence, reason=str(error))
        except Exception:
            log.exception("stream not opened; tried again when its lease runs out", stream=claim.stream_id)
        return None

    def _each(self, jobs: Iterable[Job], step: Callable[[Job], None]) -> None:
        """Do `step` for every job that is not settled: one contract after the other within a thread, contracts side
        by side.
        """
        by_contract: dict[int, list[Job]] = defaultdict(list)
        for job in jobs:
            if not job.settled:
                by_contract[job.mapping.contract_id].append(job)
        groups = list(by_contract.values())
        if len(groups) <= 1 or self.limits.threads <= 1:
            for group in groups:
                self._in_turn(group, step)
            return
        with ThreadPoolExecutor(self.limits.threads) as pool:
            list(pool.map(lambda group: self._in_thread(group, step), groups))

    def _in_thread(self, group: list[Job], step: Callable[[Job], None]) -> None:
        try:
            self._in_turn(group, step)
        finally:
            databases.close_all()

    def _in_turn(self, group: list[Job], step: Callable[[Job], None]) -> None:
        for job in group:
            try:
                if self._out_of_time():
                    self._give_back(job)
                else:
                    step(job)
            except LostLease as error:
                job.settled = True
                log.info("stale worker", stream=job.claim.stream_id, fence=job.claim.fence, reason=str(error))
            except FarSideError as error:
                self._postpone(job, error)
            except Exception as error:
                log.exception("operation broke", operation=job.operation.pk)
                self._postpone(job, Unavailable(f"The portal failed: {error!r}.", "Tell support; it is tried again."))

    def _read(self, jobs: list[Job], psa: Psa) -> None:
        """Read the unit rows of all lines at once; where that fails, every job waits."""
        open_jobs = [job for job in jobs if not job.settled and job.mapping.line_id]
        if not open_jobs or self._out_of_time():
            return
        lines = sorted({job.mapping.line_id for job in open_jobs if job.mapping.line_id})
        since = (
            None if any(job.since is None for job in open_jobs) else min(job.since for job in open_jobs if job.since)
        )
        try:
            rows = psa.unit_rows(lines, since=since)
        except FarSideError as error:
            for job in open_jobs:
                self._postpone(job, error)
            return
        by_line = defaultdict(list)
        for row in rows:
            by_line[row.line_id].append(row)
        for job in open_jobs:
            job.rows = by_line[job.mapping.line_id or 0]
            job.answered = True

    # The contract and the line

    def _know_contract(self, job: Job, psa: Psa) -> None:
        """The mirror's contract will do; where it holds none, read it."""
        if job.contract is None:
            self._read_contract(job, psa)

    def _read_contract(self, job: Job, psa: Psa) -> None:
        job.contract = psa.contract(job.mapping.contract_id)
        if job.contract is None:
            raise Rejected(
                f"The contract {job.mapping.contract_name} is not in Autotask any more.",
                "Refresh the connection, then map the subscription to another contract.",
            )

    def _ensure_line(self, job: Job, psa: Psa) -> None:
        """Find the line by our key, or create it; a create whose answer was lost is found again the same way."""
        if job.mapping.line_id:
            return
        mapping, key = job.mapping, job.line_key
        found = psa.find_lines(mapping.contract_id, mapping.service_id, key=key)
        job.answered = True
        if len(found) > 1:
            raise Rejected(
                f"{len(found)} lines of {mapping.service_name} on {mapping.contract_name} carry the key {key}.",
                "In Autotask clear the internal description of all but one of them, then retry.",
            )
        unknown = next((write for write in job.unproved if write.kind == Write.Kind.CREATE_LINE), None)
        if found:
            settling.line_found(job, found[0].id, self.clock.moment(), write=unknown)
        elif unknown is None:
            self._create_line(job, psa)
        elif self.clock.moment().surely_after(journal.sent_moment(unknown), self.limits.unknown_for_s):
            settling.not_applied(job, [unknown], self.clock.moment())
        else:
            self._look_again(job, "the new contract line to show")

    def _create_line(self, job: Job, psa: Psa) -> None:
        mapping = job.mapping
        write = self._begin(job, Write.Kind.CREATE_LINE, None, Timeline())
        line_id = self._call(
            job, write, lambda: psa.create_line(mapping.contract_id, mapping.service_id, key=job.line_key)
        )
        if job.settled:
            return
        if line_id is None:
            lines = psa.find_lines(mapping.contract_id, mapping.service_id, key=job.line_key)
            if len(lines) != 1:
                self._look_again(job, "the new contract line to show")
                return
            line_id = lines[0].id
        settling.line_found(job, line_id, self.clock.moment(), write=write)

    # Writing

    def _send(self, job: Job, psa: Psa) -> None:
        """Plan, and send the first batch of the plan."""
        planned = plan_job(job)
        if planned.needs_contract_end:  # it may have been extended since the mirror was read
            self._read_contract(job, psa)
            planned = plan_job(job)
        with held(job.claim):
            settling.store_plan(job, planned)
            if settling.without_sending(job, planned, self.clock.moment()):
                return
        line_id, before = job.mapping.line_id, planned.actual
        assert line_id is not None
        for adjustment in planned.plan.batches[0]:
            write = self._begin(job, Write.Kind.ADJUST, adjustment, before)
            request = journal.request_of(line_id, adjustment)
            self._call(job, write, lambda request=request: psa.adjust(request))  # type: ignore[misc]
            if job.settled:
                return
            job.unproved.append(write)
            before = apply(before, [adjustment])
        job.planned = planned

    def _begin(self, job: Job, kind: str, adjustment: Adjustment | None, before: Timeline) -> Write:
        """Have the full lease, then journal the write; nothing is sent that is not written down."""
        moment = self.clock.moment()
        renew(job.claim, now=moment.now, seconds=self.limits.lease_s)
        with held(job.claim) as stream:
            return journal.begin_write(job.run, stream, kind, moment, adjustment=adjustment, before=before)

    def _call(self, job: Job, write: Write, send: Callable[[], Answer]) -> Answer | None:
        """Send, and write down what came of it. Where it went wrong the job is settled afterwards."""
        try:
            answer = send()
        except OutcomeUnknown as error:
            with held(job.claim):
                journal.settle_write(write, Write.State.UNKNOWN, self.clock.moment(), answer=error.raw or str(error))
                settling.uncertain(
                    job, "proof of what became of the write", self._soon(job), self.clock.moment(), error=error
                )
        except Unavailable as error:
            with held(job.claim):
                journal.settle_write(write, Write.State.NOT_SENT, self.clock.moment(), answer=error.raw or str(error))
            self._postpone(job, error)
        except (Rejected, Unauthorized) as error:
            with held(job.claim):
                journal.settle_write(write, Write.State.REJECTED, self.clock.moment(), answer=error.raw or str(error))
                if isinstance(error, Rejected) and settling.try_next_day(job, write, error, self.clock.moment()):
                    return None
            self._postpone(job, error)
        else:
            job.answered = True
            with held(job.claim):
                moment = self.clock.moment()
                journal.settle_write(write, Write.State.ACCEPTED, moment, answered_at=moment.now, answer=str(answer))
            return answer
        return None

    # Proving

    def _prove(self, job: Job) -> None:
        """Compare what the rows show with what was sent in this run."""
        planned, moment = job.planned, self.clock.moment()
        assert planned is not None
        sent = [journal.adjustment_of(write) for write in job.unproved]
        found = actual_of(job.rows)
        verdict = judge(planned.actual, sent, found, first=planned.first_open, last=planned.term.end)
        if verdict.kind == "missing":
            self._look_again(job, "the change to show in Autotask")
            return
        with held(job.claim):
            for write in job.unproved:
                journal.settle_write(write, Write.State.APPLIED, moment)
            settling.proved(job, planned, found, matched=verdict.kind == "applied", moment=moment)

    def _verify(self, job: Job) -> None:
        """Settle writes of an earlier run by what the rows show now; nothing else is written before that."""
        writes = [write for write in job.unproved if write.kind == Write.Kind.ADJUST]
        if not writes:
            return
        moment, found = self.clock.moment(), actual_of(job.rows)
        before = Timeline.from_json(writes[0].line_before)
        first, last = job.open_days()
        verdict = judge(before, [journal.adjustment_of(write) for write in writes], found, first=first, last=last)
        unknown = [write for write in writes if write.state == Write.State.UNKNOWN]
        quiet = all(
            moment.surely_after(
                journal.sent_moment(write), self.limits.unknown_for_s if write in unknown else self.limits.quiet_s
            )
            for write in writes
        )
        if verdict.kind == "applied" or (verdict.kind == "foreign" and not unknown):
            settling.applied(job, writes, moment)
        elif not quiet:
            self._look_again(job, "proof of what became of the write")
        elif verdict.kind == "foreign":
            settling.needs_a_decision(job, found, moment)
        else:
            settling.missing(job, writes, verdict.not_shown, moment)

    # Waiting

    def _out_of_time(self) -> bool:
        """Past the budget no further request is begun, so that a drain has a known longest time."""
        return time.monotonic() > self.deadline

    def _give_back(self, job: Job) -> None:
        with held(job.claim):
            settling.out_of_time(job, self.clock.moment())

    def _look_again(self, job: Job, waiting_for: str) -> None:
        with held(job.claim):
            settling.uncertain(job, waiting_for, self._soon(job), self.clock.moment())

    def _soon(self, job: Job) -> timedelta:
        """Read back again soon at first, then less and less often."""
        looks = job.run.journal.filter(phase="uncertain").count()
        return timedelta(seconds=READ_AGAIN_S[min(looks, len(READ_AGAIN_S) - 1)])

    def _postpone(self, job: Job, error: FarSideError) -> None:
        """Settle a job whose far side said no, was away, or refused the credentials."""
        if job.settled:
            return
        if isinstance(error, Unauthorized):
            mark_unauthorized(job.connection, error, now=self.clock.moment().now)
        try:
            with held(job.claim):
                settling.postpone(
                    job,
                    error,
                    moment=self.clock.moment(),
                    retries=self.limits.retries,
                    wait=_back_off(job, error, self.limits.back_off_s),
                )
        except LostLease as lost:
            job.settled = True
            log.info("stale worker", stream=job.claim.stream_id, fence=job.claim.fence, reason=str(lost))


def _back_off(job: Job, error: FarSideError, first_s: float) -> timedelta:
    """Twice as long each time, with jitter (5, 10, 20, 40 … seconds), or what the far side asked for where that is
    longer.
    """
    doubled = first_s * 2 ** min(max(job.operation.attempts - 1, 0), 8)
    asked = getattr(error, "retry_after", None) or 0
    return timedelta(seconds=max(float(asked), doubled * random.uniform(0.5, 1.0)))  # noqa: S311  jitter, not a secret
