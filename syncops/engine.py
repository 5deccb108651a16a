"""The executor: claims what is due, reads, plans, journals, writes, reads back, and settles.

A drain works on one connection at a time, in batches: the reads before and after are shared by all lines of a batch,
the writes run up to three at once on different contracts. No transaction is open while the far side is called, and
every write-back names the fence that the stream was claimed with.
"""

from __future__ import annotations

import random
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from typing import TypeVar

import structlog
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
from syncops.clock import Clock, Moment, SystemClock
from syncops.jobs import PAUSED_CHECK, PROOF, Job, open_job, put_aside
from syncops.limits import Limits
from syncops.lines import actual_of, term_of
from syncops.models import Stream, Write
from syncops.planning import plan_job
from syncops.proof import judge
from syncops.settling import PortalFailed
from syncops.timeline import Adjustment, Timeline, apply

__all__ = ["Engine", "Limits"]

log = structlog.get_logger()
Answer = TypeVar("Answer")
READ_AGAIN_S = (1, 2, 5, 10, 20, 40, 60)
MOST_DOUBLINGS = 8
NEW_LINE = "the new contract line to show"


class OutOfTime(Exception):
    """The drain's time is used up: no further request is begun."""


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
        """Work until nothing is due or the budget is used up; how many streams were handled.

        One connection in trouble does not keep the others waiting.
        """
        self.deadline, handled = time.monotonic() + self.limits.drain_budget_s, 0
        for connection_id in self._connections_with_work():
            try:
                handled += self._drain_connection(connection_id)
            except Exception:
                log.exception("connection left for the next drain", connection=connection_id)
        return handled

    def _drain_connection(self, connection_id: int) -> int:
        handled = 0
        try:
            while not self._out_of_time() and self._take_lane(connection_id):
                done = self._drain_batch(connection_id)
                handled += done
                if not done:
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
        psa = self._reached(connection, jobs) if jobs else None
        if psa is None:
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
        except Exception as error:
            log.exception("stream not opened", stream=claim.stream_id)
            self._put_aside(claim, f"support: the portal fails at it ({type(error).__name__})")
        return None

    def _put_aside(self, claim: Claim, waiting_for: str) -> None:
        try:
            with held(claim) as stream:
                put_aside(claim, stream, waiting_for, self.clock.moment().now + PAUSED_CHECK)
        except Exception:
            log.exception("stream not put aside; tried again when its lease runs out", stream=claim.stream_id)

    def _reached(self, connection: Connection, jobs: list[Job]) -> Psa | None:
        """The connection's PSA; where there is none, every job is postponed."""
        try:
            return self.psa(connection)
        except FarSideError as error:
            problem = error
        except Exception as error:
            log.exception("no client", connection=connection.pk)
            problem = _portal_failed(error)
        for job in jobs:
            self._postpone(job, problem)
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
                self._step(job, step)
            except LostLease as error:
                self._lost(job, error)
            except FarSideError as error:
                self._postpone(job, error)
            except Exception as error:
                log.exception("operation broke", operation=job.operation.pk)
                self._broken(job, error)

    def _step(self, job: Job, step: Callable[[Job], None]) -> None:
        try:
            self._in_time()
            step(job)
        except OutOfTime:
            with held(job.claim):
                settling.out_of_time(job, self.clock.moment())

    def _read(self, jobs: list[Job], psa: Psa) -> None:
        """Read the unit rows of all lines at once; where that fails, every job waits.

        One line that cannot be read must not stop the others: refused or unreadable answers are read line by line.
        """
        open_jobs = [job for job in jobs if not job.settled and job.mapping.line_id]
        if not open_jobs or self._out_of_time():
            return
        starts = [job.since for job in open_jobs]
        since = None if None in starts else min(day for day in starts if day)
        lines = sorted({job.mapping.line_id for job in open_jobs if job.mapping.line_id})
        try:
            rows = psa.unit_rows(lines, since=since)
        except (Unavailable, Unauthorized) as error:
            for job in open_jobs:
                self._postpone(job, error)
            return
        except Exception as error:
            self._read_one_by_one(open_jobs, psa, error)
            return
        by_line = defaultdict(list)
        for row in rows:
            by_line[row.line_id].append(row)
        for job, start in zip(open_jobs, starts, strict=True):
            # Only its own days: what it compares with was read with the same beginning, whoever else was in the batch.
            shown = by_line[job.mapping.line_id or 0]
            job.rows = [row for row in shown if start is None or row.ends_on >= start]
            job.answered = True

    def _read_one_by_one(self, jobs: list[Job], psa: Psa, error: Exception) -> None:
        if len(jobs) > 1:
            for job in jobs:
                self._read([job], psa)
        elif isinstance(error, FarSideError):
            self._postpone(jobs[0], error)
        else:
            log.exception("line not read", operation=jobs[0].operation.pk)
            self._broken(jobs[0], error)

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
        created = next((write for write in job.unproved if write.kind == Write.Kind.CREATE_LINE), None)
        if found:
            settling.line_found(job, found[0].id, self.clock.moment(), write=created)
        elif created is None:
            self._create_line(job, psa)
        elif self.clock.moment().surely_after(journal.sent_moment(created), self.limits.unknown_for_s):
            settling.missing(job, [created], (0,), self.clock.moment(), self.limits.retries)
        else:
            self._look_again(job, NEW_LINE)

    def _create_line(self, job: Job, psa: Psa) -> None:
        mapping = job.mapping
        write = self._begin(job, Write.Kind.CREATE_LINE, None, Timeline())
        line_id = self._call(
            job, write, lambda: psa.create_line(mapping.contract_id, mapping.service_id, key=job.line_key)
        )
        if job.settled:
            return
        job.unproved.append(write)
        if line_id is None:
            lines = psa.find_lines(mapping.contract_id, mapping.service_id, key=job.line_key)
            if len(lines) != 1:
                self._look_again(job, NEW_LINE)
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
        self._in_time()
        moment = self.clock.moment()
        renew(job.claim, now=moment.now, seconds=self.limits.lease_s)
        with held(job.claim) as stream:
            return journal.begin_write(job.run, stream, kind, moment, adjustment=adjustment, before=before)

    def _call(self, job: Job, write: Write, send: Callable[[], Answer]) -> Answer | None:
        """Send, and write down what came of it. Where it went wrong the job is settled afterwards."""
        try:
            answer = send()
        except FarSideError as error:
            self._not_accepted(job, write, error)
            return None
        except Exception as error:
            log.exception("sending broke", operation=job.operation.pk)
            self._not_accepted(job, write, OutcomeUnknown(f"The portal failed while sending: {error!r}."))
            return None
        job.answered = True
        with self._noted(job, write, Write.State.ACCEPTED, str(answer)):
            return answer

    def _not_accepted(self, job: Job, write: Write, error: FarSideError) -> None:
        """No answer: nothing else is written before the proof. A refusal: the next day will do, or a person looks."""
        said = error.raw or str(error)
        if isinstance(error, OutcomeUnknown):
            with self._noted(job, write, Write.State.UNKNOWN, said) as moment:
                settling.uncertain(job, PROOF, self._soon(job), moment, error=error)
            return
        state = Write.State.NOT_SENT if isinstance(error, Unavailable) else Write.State.REJECTED
        with self._noted(job, write, state, said) as moment:
            if isinstance(error, Rejected) and settling.try_next_day(job, write, error, moment):
                return
        self._postpone(job, error, reading=False)

    @contextmanager
    def _noted(self, job: Job, write: Write, state: str, answer: str) -> Iterator[Moment]:
        """What became of a write, written down where the stream still is ours; else in the journal alone."""
        moment = self.clock.moment()
        fields = {"answered_at": moment.now} if state == Write.State.ACCEPTED else {}
        try:
            with held(job.claim):
                journal.settle_write(write, state, moment, answer=answer, **fields)
                yield moment
        except LostLease:
            journal.note(job.run, "stale", moment, write=write.pk, state=state, answer=answer[:2000])
            raise

    # Proving

    def _prove(self, job: Job) -> None:
        """Compare what the rows show with what was sent in this run."""
        planned, moment = job.planned, self.clock.moment()
        assert planned is not None
        sent = [journal.adjustment_of(write) for write in job.unproved]
        found = actual_of(job.rows)
        verdict = judge(planned.actual, sent, found, first=planned.first_open, last=planned.term.end)
        if verdict.not_shown:
            self._look_again(job, "the change to show in Autotask")
            return
        with held(job.claim):
            for write in job.unproved:
                journal.settle_write(write, Write.State.APPLIED, moment)
            settling.proved(job, planned, found, matched=verdict.kind == "applied", moment=moment)

    def _verify(self, job: Job) -> None:
        """Settle writes of an earlier run by what the rows show now; nothing else is written before that."""
        writes = [write for write in job.unproved if write.kind == Write.Kind.ADJUST]
        moment, found = self.clock.moment(), actual_of(job.rows)
        if not writes:
            settling.applied(job, job.unproved, moment)
            return
        assert job.contract is not None
        history = sorted([*writes, *journal.applied_since(writes[0])], key=lambda write: write.pk)
        sent = [journal.adjustment_of(write) for write in history]
        days = [one.effective for one in sent]
        last = max(term_of(job.contract).end, *days)
        verdict = judge(Timeline.from_json(history[0].line_before), sent, found, first=min(days), last=last)
        unseen = [history[index].pk for index in verdict.not_shown]
        not_shown = [index for index, write in enumerate(writes) if write.pk in unseen]
        unknown = [write for write in writes if write.state == Write.State.UNKNOWN]
        quiet = all(
            moment.surely_after(
                journal.sent_moment(write), self.limits.unknown_for_s if write in unknown else self.limits.quiet_s
            )
            for write in writes
        )
        ambiguous = verdict.kind == "foreign" and bool(unknown)
        if not not_shown and not ambiguous:
            settling.applied(job, writes, moment)
        elif not quiet:
            self._look_again(job, PROOF)
        elif ambiguous:
            settling.needs_a_decision(job, found, moment)
        else:
            settling.missing(job, writes, not_shown, moment, self.limits.retries)

    # Waiting

    def _out_of_time(self) -> bool:
        """Past the budget no further request is begun, so that a drain has a known longest time."""
        return time.monotonic() > self.deadline

    def _in_time(self) -> None:
        if self._out_of_time():
            raise OutOfTime

    def _look_again(self, job: Job, waiting_for: str) -> None:
        with held(job.claim):
            settling.uncertain(job, waiting_for, self._soon(job), self.clock.moment())

    def _soon(self, job: Job) -> timedelta:
        """Read back again soon at first, then less and less often."""
        return timedelta(seconds=READ_AGAIN_S[min(job.looks, len(READ_AGAIN_S) - 1)])

    def _postpone(self, job: Job, error: FarSideError, *, reading: bool = True) -> None:
        """Settle a job whose far side said no, was away, or refused the credentials."""
        if job.settled:
            return
        try:
            if isinstance(error, Unauthorized):
                mark_unauthorized(job.connection, error, now=self.clock.moment().now)
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

    def _broken(self, job: Job, error: Exception) -> None:
        """Settle a job that the portal itself failed at; nothing of the failed step was kept."""
        try:
            settling.reload(job)
        except Exception:
            log.exception("operation not reloaded; it is taken up again when its lease runs out")
            job.settled = True
        self._postpone(job, _portal_failed(error))

    def _lost(self, job: Job, error: LostLease) -> None:
        job.settled = True
        log.info("stale worker", stream=job.claim.stream_id, fence=job.claim.fence, reason=str(error))


def _portal_failed(error: Exception) -> PortalFailed:
    return PortalFailed(f"The portal failed: {error!r}.", "Tell support; it is tried again.")


def _back_off(job: Job, error: FarSideError, first_s: float) -> timedelta:
    """Twice as long each time, with jitter (5, 10, 20, 40 … seconds), or what the far side asked for where that is
    longer.
    """
    failures = job.looks if job.unproved else job.operation.attempts - 1
    doubled = first_s * 2 ** min(max(failures, 0), MOST_DOUBLINGS)
    asked = getattr(error, "retry_after", None) or 0
    return timedelta(seconds=max(float(asked), doubled * random.uniform(0.5, 1.0)))  # noqa: S311  jitter, not a secret
