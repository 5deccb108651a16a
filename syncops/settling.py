"""How a run ends: every function settles the job's operations and gives the stream back, under the fence it was
claimed with.

Unless it says otherwise a function is called inside `held(job.claim)`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from datetime import date, timedelta
from typing import Any

from connections.budget import OverBudget
from connections.models import Connection
from connections.psa.errors import Why, why
from connections.psa.live_only import Rehearsing
from portal.far_side import FarSideError, Rejected, Unauthorized, Unavailable
from syncops import doubles, journal, shortfalls
from syncops.azure.noting import note_charge, note_price
from syncops.claim import held
from syncops.clock import Moment
from syncops.dues import FREE_REQUESTS, STOPPED, give_back, next_dues
from syncops.jobs import PROOF, Job
from syncops.models import Run, Stream, SyncOperation, Write
from syncops.planning import Planned
from syncops.stops import ACCEPTS_SHORTFALL, stop_of
from syncops.timeline import Timeline, apply, unit_differences
from syncops.together import keep

State = SyncOperation.State
MOST_DAYS_LATER = 7
MOST_FAILURES = 20
ACCEPTED_NOT_APPLIED = "accepted_not_applied"
PUT_BACK = "put_back"
PARTS = "parts"
MOST_PARTS = 4
NEVER_ENDS = "never_ends"
KEPT = ("moved", ACCEPTS_SHORTFALL, PUT_BACK, PARTS)  # what a plan keeps from one run to the next


class PortalFailed(Unavailable):
    """Not the far side but the portal itself went wrong."""


def finish(job: Job, outcome: str, moment: Moment) -> None:
    """End the run and give the stream back; it is due again when its oldest open operation is."""
    job.settled = True
    job.run.outcome, job.run.finished_at = outcome, moment.now
    keep(_give_back, (job, moment))


def _give_back(ended: list[tuple[Job, Moment]]) -> None:
    """Every stream is locked and ours, so none of the fences is asked for again."""
    moment = ended[-1][1]
    dues = next_dues([job.claim.stream_id for job, _ in ended], moment)
    runs, streams = defaultdict(list), defaultdict(list)
    for job, _ in ended:
        runs[job.run.outcome, job.run.finished_at].append(job.run.pk)
        streams[dues.get(job.claim.stream_id)].append(job.claim.stream_id)
    for (outcome, finished_at), pks in runs.items():
        Run.objects.filter(pk__in=pks).update(outcome=outcome, finished_at=finished_at)
    for due, pks in streams.items():
        give_back(Stream.objects.filter(pk__in=pks), due)


def forget(job: Job) -> None:
    """Forget what a step changed in memory alone, because its transaction came to nothing."""
    for row in (*job.operations, job.run):
        row.refresh_from_db()
    job.mapping.refresh_from_db(fields=["line_id", "line_key"])
    job.settled = False


def reload(job: Job) -> None:
    """The same, and know the unproved writes as they are stored."""
    forget(job)
    job.unproved = list(Write.objects.filter(stream_id=job.claim.stream_id, state__in=Write.UNPROVED).order_by("pk"))


def again(job: Job, outcome: str, moment: Moment) -> None:
    """What was found out lets the operations go on at once."""
    for operation in job.operations:
        journal.move(operation, State.QUEUED, attempts=0)
    finish(job, outcome, moment)


def repeat(job: Job, moment: Moment, retries: int) -> None:
    """What was sent never happened, surely: it may be sent again, a bounded number of times."""
    if job.operation.attempts > retries:
        error = Unavailable(
            f"This was sent {job.operation.attempts} times, and it never arrived.",
            "Look at the connection and at the line in Autotask, then retry.",
        )
        fail_all(job, error, "unavailable", moment)
        return
    for operation in job.operations:
        journal.move(operation, State.QUEUED)
    finish(job, "proved_not_applied", moment)


def out_of_time(job: Job, moment: Moment) -> None:
    """The drain's time is used up: the next one goes on at once, with the proof where something was written."""
    if job.unproved:
        uncertain(job, PROOF, timedelta(0), moment)
    else:
        again(job, "out_of_time", moment)


def store_plan(job: Job, planned: Planned) -> None:
    """Keep what this run is going to do with its operations; those that a proof was waited for run again."""
    if planned.cut_off:
        _forget_cut_off(job, planned.term.end)
    for one in job.operations:
        if one.state == State.UNCERTAIN:
            journal.move(one, State.RUNNING)
    operation = job.operation
    kept = {name: operation.plan[name] for name in KEPT if name in operation.plan}
    operation.plan = planned.as_json(operation.plan.get("moved", [])) | kept
    operation.save(update_fields=["plan"])


def _forget_cut_off(job: Job, end: date) -> None:
    """What was sent for days behind the contract's end is gone with them, also when the contract is extended again."""
    adjusted = Write.objects.filter(stream_id=job.claim.stream_id, kind=Write.Kind.ADJUST, state=Write.State.APPLIED)
    adjusted.filter(line_id=job.mapping.line_id, effective_on__gt=end).update(
        state=Write.State.NOT_APPLIED, answer=f"Applied, and gone since the contract was ended on {end}."
    )


def without_sending(job: Job, planned: Planned, moment: Moment) -> bool:
    """Settle a job whose plan sends nothing; False where there is something to send."""
    if stop := stop_of(job.operations, planned):
        fail_all(job, stop.error, stop.kind, moment, state=stop.state)
    elif not planned.plan.is_empty:
        return False
    else:
        proved(job, planned, planned.actual, matched=True, moment=moment)
    return True


def _puts_back(job: Job) -> bool:
    """Whether what somebody else did meanwhile is taken back: once per operation, so that two never fight for long."""
    return job.connection.policies.foreign_change == "put_back" and not job.operation.plan.get(PUT_BACK)


def proved(job: Job, planned: Planned, found: Timeline, *, matched: bool, moment: Moment) -> None:
    """The rows show what this run sent. Where a second part of the plan waits for this proof, it is next."""
    expected = apply(planned.actual, planned.plan.batches[0] if planned.plan.batches else ())
    evidence = {
        "at": moment.now.isoformat(),
        "matched": matched,
        "before": planned.actual.as_json(),
        "expected": expected.as_json(),
        "found": found.as_json(),
        "foreign": [[str(day), units] for day, units in unit_differences(expected, found)] if not matched else [],
        "rows": [
            {
                "start": str(row.starts_on),
                "end": str(row.ends_on),
                "units": row.units,
                "price": str(row.price),
                "cost": str(row.cost),
                "posted": row.posted,
            }
            for row in job.rows
        ],
    }
    journal.note(job.run, "proof", moment, matched=matched, expected=expected.as_json(), found=found.as_json())
    if len(planned.plan.batches) > 1:
        _go_on(job, moment)
        return
    if not matched and _puts_back(job):
        job.operation.plan = job.operation.plan | {PUT_BACK: True}
        job.operation.save(update_fields=["plan"])
        again(job, "put_back", moment)
        return
    shortfalls.record(job, planned, moment)
    if not matched:
        sent = [write for write in job.unproved if write.kind == Write.Kind.ADJUST]
        doubles.raise_repeated(sent, unit_differences(expected, found), found, moment.now)
    for operation in job.operations:
        journal.move(
            operation,
            State.SUCCEEDED,
            holds_from=planned.days[operation.pk],
            proof=evidence,
            finished_at=moment.now,
            error="",
            advice="",
            error_kind="",
            raw_answer="",
        )
        journal.end_audit(
            operation,
            succeeded=True,
            answered={
                "line": job.mapping.line_id,
                "sent": job.operation.plan.get("adjustments", []),
                "proof": evidence,
            },
            now=moment.now,
        )
        note_price(operation, found, job.rows, moment.now)
    finish(job, "succeeded", moment)


def _go_on(job: Job, moment: Moment) -> None:
    """The next part of a plan; a person looks where the parts come to no end, before a line runs away."""
    parts = int(job.operation.plan.get(PARTS, 0)) + 1
    if parts < MOST_PARTS:
        job.operation.plan = job.operation.plan | {PARTS: parts}
        job.operation.save(update_fields=["plan"])
        again(job, "first_part_proved", moment)
        return
    error = Rejected(
        f"It was sent in {parts} parts, and the line still needs as much as before, so it was stopped.",
        "Compare the line in Autotask with what is wanted here. Put it right in Autotask, then retry.",
    )
    fail_all(job, error, NEVER_ENDS, moment)


def fail_all(
    job: Job, error: FarSideError, kind: str, moment: Moment, *, state: str = SyncOperation.State.FAILED
) -> None:
    """Every operation of the job needs a person, or (unsupported) an act by hand."""
    journal.note(job.run, "failed", moment, kind=kind, error=error.message, answer=error.raw)
    for operation in job.operations:
        journal.fail(operation, error, kind=kind, now=moment.now, state=state)
    finish(job, kind, moment)


def postpone(
    job: Job, error: FarSideError, *, moment: Moment, retries: int, wait: timedelta, reading: bool = True
) -> None:
    """The far side said no (a person looks), was away (later again, a bounded number of times), or refused the
    credentials. Where it says no to `reading` what became of a write, only a person can tell.
    """
    journal.note(job.run, "error", moment, kind=type(error).__name__, error=error.message, answer=error.raw)
    hopeless = isinstance(error, Rejected) or (isinstance(error, PortalFailed) and job.looks > MOST_FAILURES)
    if job.unproved and reading and hopeless:
        fail_all(job, error, str(why(error) or "unproved"), moment, state=State.HELD)
    elif job.unproved:
        uncertain(job, PROOF, wait, moment, error=error)
    elif isinstance(error, Rehearsing):
        for operation in job.operations:
            operation.attempts -= 1  # nothing was tried
        _wait(job, STOPPED[Connection.State.ACTIVE], error, timedelta(0), moment)
    elif isinstance(error, OverBudget):
        for operation in job.operations:
            operation.attempts -= 1  # nothing was tried
        _wait(job, FREE_REQUESTS, error, wait, moment)
    elif isinstance(error, Unauthorized):
        _wait(job, "new credentials of the connection", error, timedelta(minutes=15), moment)
    elif isinstance(error, Rejected):
        fail_all(job, error, str(why(error) or "rejected"), moment)
    elif job.operation.attempts > retries:
        fail_all(job, error, "unavailable", moment)
    else:
        _wait(job, "the far side to answer", error, wait, moment)


def _wait(job: Job, waiting_for: str, error: FarSideError, wait: timedelta, moment: Moment) -> None:
    for operation in job.operations:
        journal.move(
            operation,
            State.QUEUED,
            waiting_for=waiting_for,
            retry_at=moment.now + wait,
            attempts=operation.attempts,
            error=error.message,
            advice=error.advice,
            raw_answer=error.raw,
        )
    finish(job, "postponed", moment)


def uncertain(
    job: Job, waiting_for: str, wait: timedelta, moment: Moment, *, error: FarSideError | None = None
) -> None:
    """Nothing else is written on this line before the rows tell what became of the last write."""
    journal.note(job.run, "uncertain", moment, waiting_for=waiting_for, error=error.message if error else "")
    for operation in job.operations:
        fields: dict[str, Any] = {"waiting_for": waiting_for, "retry_at": moment.now + wait}
        if error is not None:
            fields |= {"error": error.message, "advice": error.advice, "raw_answer": error.raw}
        journal.move(operation, State.UNCERTAIN, **fields)
    finish(job, "uncertain", moment)


def line_found(job: Job, line_id: int, moment: Moment, *, write: Write | None) -> None:
    """The contract line exists: remember its id. Takes the lease itself."""
    with held(job.claim):
        job.mapping.line_id, job.mapping.line_key = line_id, job.line_key
        job.mapping.save(update_fields=["line_id", "line_key"])
        if write is not None:
            journal.settle_write(write, Write.State.APPLIED, moment, line_id=line_id)
            job.unproved = [one for one in job.unproved if one.pk != write.pk]
        journal.note(job.run, "line", moment, line=line_id, key=job.line_key)


def applied(job: Job, writes: list[Write], moment: Moment) -> None:
    """The rows show every write of an earlier run: go on from there. Takes the lease itself."""
    with held(job.claim):
        for write in writes:
            journal.settle_write(write, Write.State.APPLIED, moment)
        again(job, "proved", moment)


def missing(job: Job, writes: list[Write], not_shown: Collection[int], moment: Moment, retries: int) -> None:
    """After the quiet time some writes still do not show. What was never answered may be repeated; what was accepted
    and does not show needs a person, who may have it repeated. Takes the lease itself."""
    with held(job.claim):
        lied = False
        for index, write in enumerate(writes):
            unseen = index in not_shown
            lied = lied or (unseen and write.state == Write.State.ACCEPTED and write.proved_at is None)
            journal.settle_write(write, Write.State.NOT_APPLIED if unseen else Write.State.APPLIED, moment)
        if not lied:
            repeat(job, moment, retries)
            return
        error = Rejected(
            "Autotask accepted the change, but it does not show there.",
            "Look at the line in Autotask, then retry: what shows there by then is not sent again.",
        )
        fail_all(job, error, ACCEPTED_NOT_APPLIED, moment)


def needs_a_decision(job: Job, found: Timeline, moment: Moment) -> None:
    """A write without an answer, and somebody else changed the line meanwhile: only a person can tell. Takes the
    lease itself.
    """
    with held(job.claim):
        error = Rejected(
            "A change was sent without an answer, and somebody else changed the line meanwhile.",
            "Compare the line in Autotask with what was sent, then say here whether it was applied.",
            raw=str(found.as_json()),
        )
        fail_all(job, error, "foreign_change", moment, state=State.HELD)


def try_next_day(job: Job, write: Write, error: Rejected, moment: Moment) -> bool:
    """The far side takes no second adjustment on this date: try the next one, or hold, as the policy says."""
    operation, moved = job.operation, job.operation.plan.get("moved", [])
    if why(error) != Why.DUPLICATE_DATE or write.effective_on is None or len(moved) >= MOST_DAYS_LATER:
        return False
    hold = job.connection.policies.same_date == "hold"
    if not hold:
        operation.plan = operation.plan | {"moved": [*moved, str(write.effective_on)]}
        operation.save(update_fields=["plan"])
    if job.unproved:  # what was sent before it in this run is proved first
        uncertain(job, PROOF, timedelta(0), moment, error=error)
    elif hold:
        fail_all(job, error, Why.DUPLICATE_DATE, moment, state=State.HELD)
    else:
        again(job, "moved_to_next_day", moment)
    return True


def mended(job: Job, evidence: dict[str, Any], moment: Moment) -> None:
    """What the operation wanted beside the line was read back from the far side: that is its proof."""
    evidence = {"at": moment.now.isoformat()} | evidence
    journal.note(job.run, "proof", moment, **evidence)
    cleared = {"error": "", "advice": "", "error_kind": "", "raw_answer": ""}
    for operation in job.operations:
        if operation.state == State.UNCERTAIN:
            journal.move(operation, State.RUNNING)
        journal.move(operation, State.SUCCEEDED, proof=evidence, finished_at=moment.now, **cleared)
        journal.end_audit(operation, succeeded=True, answered={"proof": evidence}, now=moment.now)
        note_charge(operation, evidence, moment.now)
    finish(job, "succeeded", moment)
