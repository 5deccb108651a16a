"""What a run writes: the contract's end or a charge, the line, its adjustments. Journaled before the first byte."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from threading import BoundedSemaphore
from typing import TypeVar

import structlog

from connections.modes import ensure_live
from connections.psa.base import Psa
from portal.far_side import FarSideError, OutcomeUnknown, Rejected, Unavailable
from syncops import journal, settling
from syncops.claim import held, renew
from syncops.clock import Moment
from syncops.engine.scribe import Scribe
from syncops.engine.steps import Steps
from syncops.errands import errand_of
from syncops.jobs import PROOF, Job
from syncops.models import Stream, Write
from syncops.timeline import Adjustment, Timeline, apply

log = structlog.get_logger()
Answer = TypeVar("Answer")
NEW_LINE = "the new contract line to show"
LONGEST_TURN_S = 2


class Writing:
    """Writes for jobs, at most as many at once as the far side allows."""

    def __init__(self, steps: Steps) -> None:
        self.steps, self.clock, self.limits = steps, steps.clock, steps.limits
        self.wire, self.scribe = BoundedSemaphore(max(1, steps.limits.threads)), Scribe()

    def mend_contract(self, job: Job, psa: Psa) -> None:
        """Do what the operations ask of the contract itself, before anything is asked of the line.

        Looked for first, so that what an earlier run did unanswered is found and never done twice.
        """
        errand = errand_of(job)
        if errand is None:
            return
        found = errand.look(psa)
        job.answered = True
        write = next((one for one in job.unproved if one.kind == errand.kind), None)
        if found is None and write is None:
            write = self._begin(job, errand.kind, None, Timeline())
            self._call(job, write, lambda: errand.send(psa))
            if job.settled:
                return
            job.unproved.append(write)
            found = errand.look(psa)
        if found is not None:
            errand.settle(found, self.clock.moment(), write)
        elif write and self.clock.moment().surely_after(journal.sent_moment(write), self.limits.unknown_for_s):
            settling.missing(job, [write], (0,), self.clock.moment(), self.limits.retries)
        else:
            self.steps.look_again(job, PROOF)

    def ensure_line(self, job: Job, psa: Psa) -> None:
        """Find the line by our key, or create it; a create whose answer was lost is found again the same way."""
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
            self.steps.look_again(job, NEW_LINE)

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
                self.steps.look_again(job, NEW_LINE)
                return
            line_id = lines[0].id
        settling.line_found(job, line_id, self.clock.moment(), write=write)

    def send(self, job: Job, psa: Psa) -> None:
        """Send the first batch of the plan."""
        planned, line_id = job.planned, job.mapping.line_id
        assert planned is not None
        assert line_id is not None
        before = planned.actual
        for adjustment in planned.plan.batches[0]:
            write = self._begin(job, Write.Kind.ADJUST, adjustment, before)
            request = journal.request_of(line_id, adjustment)
            self._call(job, write, lambda request=request: psa.adjust(request), psa.next_in_line())  # type: ignore[misc]
            if job.settled:
                return
            job.unproved.append(write)
            before = apply(before, [adjustment])

    def _begin(self, job: Job, kind: str, adjustment: Adjustment | None, before: Timeline) -> Write:
        """Have the full lease, then journal the write; nothing is sent that is not written down, and nothing is written
        down while the connection rehearses.
        """
        self.steps.in_time()
        moment = self.clock.moment()

        def begin(stream: Stream) -> Write:
            renew(stream, now=moment.now, seconds=self.limits.lease_s)
            ensure_live(job.connection.pk)
            return journal.begin_write(job.run, stream, kind, moment, adjustment=adjustment, before=before)

        return self.scribe.write(job, begin)

    def _still_in_time(self, job: Job, write: Write) -> None:
        """A journaled write that waited for its turn has the full lease and the full quiet time from now on."""
        moment = self.clock.moment()
        if moment.surely_after(journal.sent_moment(write), LONGEST_TURN_S):
            with held(job.claim) as stream:
                renew(stream, now=moment.now, seconds=self.limits.lease_s)
                journal.begin_again(write, moment)

    def _call(
        self,
        job: Job,
        write: Write,
        send: Callable[[], Answer],
        line: AbstractContextManager[None] | None = None,
    ) -> Answer | None:
        """Send, and write down what came of it. Where it went wrong the job is settled afterwards.

        `line`: that of an adjustment, whose turn may take a while. What the rows prove anyway need not be written down
        at once: that it was accepted is, with what is written next.
        """
        with line or nullcontext(), self.wire:
            self._still_in_time(job, write)
            answer, error = _tried(send)
        if error is not None:
            self._not_accepted(job, write, error)
            return None
        job.answered = True
        self._note(job, write, Write.State.ACCEPTED, str(answer), at_once=line is None)
        return answer

    def _not_accepted(self, job: Job, write: Write, error: FarSideError) -> None:
        """No answer: nothing else is written before the proof. A refusal: the next day will do, or a person looks."""
        said = error.raw or str(error)
        if isinstance(error, OutcomeUnknown):
            soon = self.steps.soon(job)
            unknown = partial(settling.uncertain, job, PROOF, soon, error=error)
            self._note(job, write, Write.State.UNKNOWN, said, lambda moment: unknown(moment=moment))
            return
        state = Write.State.NOT_SENT if isinstance(error, Unavailable) else Write.State.REJECTED
        if not isinstance(error, Rejected):
            self._note(job, write, state, said)
        elif self._note(job, write, state, said, partial(settling.try_next_day, job, write, error)):
            return
        self.steps.postpone(job, error, reading=False)

    def _note(
        self,
        job: Job,
        write: Write,
        state: str,
        answer: str,
        then: Callable[[Moment], object] = lambda moment: None,
        *,
        at_once: bool = True,
    ) -> object:
        """What became of a write, and what follows; where the stream is not ours any more, in the journal alone."""
        moment = self.clock.moment()
        fields = {"answered_at": moment.now} if state == Write.State.ACCEPTED else {}

        def note(_: Stream) -> object:
            journal.settle_write(write, state, moment, answer=answer, **fields)
            return then(moment)

        def alone() -> None:
            journal.note(job.run, "stale", moment, write=write.pk, state=state, answer=answer[:2000])

        return (self.scribe.write if at_once else self.scribe.later)(job, note, alone)


def _tried(send: Callable[[], Answer]) -> tuple[Answer | None, FarSideError | None]:
    """The answer, or what went wrong; where the portal itself failed while sending, nobody knows what became of it."""
    try:
        return send(), None
    except FarSideError as error:
        return None, error
    except Exception as error:
        log.exception("sending broke")
        return None, OutcomeUnknown(f"The portal failed while sending: {error!r}.")
