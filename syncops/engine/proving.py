"""What the rows prove: of the writes of this run, and of those whose outcome an earlier one left open."""

from __future__ import annotations

from syncops import journal, settling
from syncops.engine.steps import Steps
from syncops.jobs import PROOF, Job
from syncops.lines import actual_of, term_of
from syncops.models import Write
from syncops.proof import Verdict, judge
from syncops.timeline import Timeline


class Proving:
    """Compares what the rows show with what was sent."""

    def __init__(self, steps: Steps) -> None:
        self.steps, self.clock, self.limits = steps, steps.clock, steps.limits

    def prove(self, jobs: list[Job]) -> None:
        """Compare what the rows show with what was sent in this run."""
        verdicts: dict[int, Verdict] = {}
        self.steps.in_turn(jobs, lambda job: verdicts.update({job.claim.stream_id: self._judged(job)}))
        shown = [job for job in jobs if not job.settled]
        self.steps.together(
            shown, lambda job: self._proved(job, matched=verdicts[job.claim.stream_id].kind == "applied")
        )

    def _judged(self, job: Job) -> Verdict:
        planned = job.planned
        assert planned is not None
        sent = [journal.adjustment_of(write) for write in job.unproved]
        verdict = judge(planned.actual, sent, actual_of(job.rows), first=planned.first_open, last=planned.term.end)
        if verdict.not_shown:
            self.steps.look_again(job, "the change to show in Autotask")
        return verdict

    def _proved(self, job: Job, *, matched: bool) -> None:
        planned, moment = job.planned, self.clock.moment()
        assert planned is not None
        for write in job.unproved:
            journal.settle_write(write, Write.State.APPLIED, moment)
        settling.proved(job, planned, actual_of(job.rows), matched=matched, moment=moment)

    def verify(self, job: Job) -> None:
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
        open_ones = {write.pk for write in writes}
        verdict = judge(
            Timeline.from_json(history[0].line_before),
            sent,
            found,
            first=min(days),
            last=last,
            in_doubt=[index for index, write in enumerate(history) if write.pk in open_ones],
        )
        unseen = [history[index].pk for index in verdict.not_shown]
        not_shown = [index for index, write in enumerate(writes) if write.pk in unseen]
        unknown = [write for write in writes if write.state == Write.State.UNKNOWN]
        quiet = all(
            moment.surely_after(
                journal.sent_moment(write),
                self.limits.unknown_for_s if write in unknown else self.limits.quiet_s,
            )
            for write in writes
        )
        ambiguous = verdict.kind == "foreign" and bool(unknown)
        if not not_shown and not ambiguous:
            settling.applied(job, writes, moment)
        elif not quiet:
            self.steps.look_again(job, PROOF)
        elif ambiguous:
            settling.needs_a_decision(job, found, moment)
        else:
            settling.missing(job, writes, not_shown, moment, self.limits.retries)
