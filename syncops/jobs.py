"""One claimed stream and what is to be done with it in this run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import TYPE_CHECKING

from connections.models import Connection, MirroredContract
from connections.psa.types import Contract, UnitRow
from mappings.models import SubscriptionMapping
from portal.far_side import FarSideError, Rejected, Unavailable
from portal.models import Subscription
from portal.templatetags.portal import day
from syncops import journal
from syncops.claim import Claim, held_together
from syncops.clock import Moment
from syncops.dues import PAUSED_CHECK, STOPPED, next_dues, put_aside, release
from syncops.lines import term_of
from syncops.models import Run, Stream, SyncOperation, Write
from syncops.operations import BEGIN_LINES, REGISTRY
from syncops.periods import PeriodGrid
from syncops.shelf import Shelf
from syncops.timeline import Timeline
from syncops.together import gathering, keep

if TYPE_CHECKING:
    from syncops.planning import Planned

State = SyncOperation.State
PROVISIONING_CHECK = timedelta(seconds=60)
OTHER_LINE_CHECK = timedelta(seconds=60)  # a wake-up may be lost with its worker
CUT_OTHERWISE = timedelta(days=3)  # Autotask may clamp a period that begins at a month's end differently
MOST_ATTEMPTS = 12  # far more than far sides ask for: workers died under it again and again
PROOF = "proof of what became of the write"


@dataclass
class Job:
    """A claimed stream with the operations of one effective date, or with writes that are still to be proved.

    `stray`: days on which writes took effect whose operation has not succeeded; what they did is part of the plan.
    """

    claim: Claim
    connection: Connection
    mapping: SubscriptionMapping
    operations: list[SyncOperation]
    run: Run
    contract: Contract | MirroredContract | None
    unproved: list[Write] = field(default_factory=list)
    stray: tuple[date, ...] = ()
    rows: list[UnitRow] = field(default_factory=list)
    planned: Planned | None = None
    answered: bool = False
    settled: bool = False

    @property
    def operation(self) -> SyncOperation:
        """The one whose state tells of the run; the others of its date share its fate."""
        return self.operations[-1]

    @property
    def line_key(self) -> str:
        """What the line's internal description holds."""
        return line_key_of(self.operation)

    @property
    def since(self) -> date | None:
        """Rows that end before this day do not matter to the run."""
        days = [reach_of(operation, self.contract) for operation in self.operations]
        days += self.stray
        days += [write.effective_on for write in self.unproved if write.kind == Write.Kind.ADJUST]
        days += [
            step[0]
            for write in self.unproved
            if write.line_before
            for step in Timeline.from_json(write.line_before).steps
        ]
        known = [each for each in days if each is not None]
        return min(known) if known and len(known) == len(days) else None

    @property
    def looks(self) -> int:
        """How often this run has looked for what became of its writes."""
        return self.run.journal.filter(phase="uncertain").count()


def line_key_of(operation: SyncOperation) -> str:
    """What the internal description of an operation's line holds: the subscription's id."""
    subscription = operation.subscription
    return operation.mapping.line_key or subscription.external_id or str(subscription.key)


def reach_of(operation: SyncOperation, contract: Contract | MirroredContract | None) -> date | None:
    """The earliest day of the line that an operation may change; None where that is not known."""
    wanted = operation.effective_on
    if wanted is None or not REGISTRY[operation.kind].reaches_back:
        return wanted
    return None if contract is None else PeriodGrid.of(term_of(contract)).start_of(wanted) - CUT_OTHERWISE


def open_jobs(claims: Sequence[Claim], connection: Connection, *, moment: Moment, owner: str) -> list[Job]:
    """What is to be done with claimed streams; those that only had to be put aside are, and those that are not ours
    any more are left alone.
    """
    with held_together(claims) as ours, gathering():
        held = [claim for claim in claims if claim.stream_id in ours]
        shelf = Shelf.of(connection, list(ours.values()))
        jobs = [_opened(shelf, claim, ours[claim.stream_id], moment, owner) for claim in held]
    return [job for job in jobs if job is not None]


def _opened(shelf: Shelf, claim: Claim, stream: Stream, moment: Moment, owner: str) -> Job | None:
    connection, unproved = shelf.connection, _unproved(shelf.unproved[stream.pk], moment)
    if connection.state == Connection.State.RETIRED:
        _hold_for_good(claim, stream, connection, moment)
    elif not connection.works:
        put_aside(claim, stream, STOPPED[Connection.State(connection.state)], moment.now + PAUSED_CHECK)
    elif unproved:
        return _proving(shelf, claim, stream, unproved, moment)
    elif connection.rehearses:  # planned by `syncops.engine.rehearsing`, unless it was live when that was to happen
        release(claim, moment.now)
    elif any(one.state == State.REHEARSED for one in shelf.waiting[stream.pk]):  # nobody said yes to it
        put_aside(claim, stream, STOPPED[Connection.State.ACTIVE], moment.now + PAUSED_CHECK, keep_rehearsed=True)
    else:
        return _working(shelf, claim, stream, moment, owner)
    return None


def _unproved(writes: list[Write], moment: Moment) -> list[Write]:
    """Writes of which nobody knows yet what became of them; one left in *sending* by a lost lease is unknown now."""
    for write in writes:
        if write.state == Write.State.SENDING:
            journal.settle_write(write, Write.State.UNKNOWN, moment, answer="The worker stopped while sending.")
        if write.operation.state in (State.QUEUED, State.RUNNING):
            journal.move(write.operation, State.UNCERTAIN, waiting_for=PROOF)
    return writes


def _proving(shelf: Shelf, claim: Claim, stream: Stream, unproved: list[Write], moment: Moment) -> Job | None:
    """A run that only finds out what became of writes."""
    operation, run = unproved[0].operation, unproved[0].run
    if operation.state in SyncOperation.NEEDS_A_PERSON:
        put_aside(claim, stream, "a decision about an earlier change", moment.now + PAUSED_CHECK)
        return None
    assert run is not None
    begun = (State.RUNNING, State.UNCERTAIN)
    group = [one for one in shelf.waiting[stream.pk] if one.state in begun and one.pk != operation.pk]
    for one in group:
        if one.state == State.RUNNING:
            journal.move(one, State.UNCERTAIN, waiting_for=PROOF)
    return _job(shelf, claim, [*group, operation], run, unproved=unproved)


def _working(shelf: Shelf, claim: Claim, stream: Stream, moment: Moment, owner: str) -> Job | None:
    """A run of the oldest open operations that share one effective date."""
    waiting = shelf.waiting[stream.pk]
    if not waiting:
        release(claim, None)
        return None
    head = waiting[0]
    if head.retry_at and head.retry_at > moment.now:
        release(claim, head.retry_at)
        return None
    if head.effective_on is None or head.subscription.status == Subscription.Status.PENDING:
        put_aside(claim, stream, "Microsoft to provision the subscription", moment.now + PROVISIONING_CHECK)
        return None
    group = group_of(head, waiting)
    if not needs_no_line(head) and (begins := shelf.begins.get(head.mapping_id)) is not None:
        if begins.needs_a_person:
            put_aside(claim, stream, f"“{begins.label}” to be retried", moment.now + PAUSED_CHECK)
        else:
            _fail(claim, stream, group, never_begun(begins), "no_line", moment)
        return None
    if head.after and head.after.state != State.SUCCEEDED:
        _wait_for(head.after, claim, stream, group, moment)
        return None
    failed = None if REGISTRY[head.kind].beside_line else shelf.holds.get(stream.pk)
    if failed and is_later(head, failed) and waits_for_failures(shelf.connection, stream, head):
        put_aside(claim, stream, behind(failed), moment.now + PAUSED_CHECK)
        return None
    if head.attempts >= MOST_ATTEMPTS:
        _fail(claim, stream, group, _worn_out(head), "unavailable", moment)
        return None
    return _begun(shelf, claim, group, moment, owner)


def _wait_for(first: SyncOperation, claim: Claim, stream: Stream, group: list[SyncOperation], moment: Moment) -> None:
    """Units are taken from a line only once those on the other are proved; where they never will be, a person acts."""
    if first.is_open or first.needs_a_person:
        put_aside(claim, stream, f"proof of “{first.label}” on the new line", moment.now + OTHER_LINE_CHECK)
        return
    error = Rejected(
        f"“{first.label}” on the new line is {first.get_state_display().lower()}, so nothing is taken from this one.",
        "Dismiss this as well, or move the units in Autotask by hand.",
    )
    _fail(claim, stream, group, error, "half_done", moment)


def behind(failed: SyncOperation) -> str:
    return f"“{failed.label}” of {day(failed.effective_on)} to be decided"


def waits_for_failures(connection: Connection, stream: Stream, head: SyncOperation) -> bool:
    """Whether the policy, or a manual sync that covered the operation, stops it behind one that failed."""
    return connection.policies.after_failure == "hold_line" or head.sequence <= stream.stops_at


def is_later(one: SyncOperation, other: SyncOperation) -> bool:
    """Whether an operation comes after another one in the order in which they are sent."""
    return (one.effective_on or date.min, one.sequence) > (other.effective_on or date.min, other.sequence)


def group_of(head: SyncOperation, waiting: list[SyncOperation]) -> list[SyncOperation]:
    """The operations that share a run with the oldest one: those of its date, unless either wants to be alone."""
    if REGISTRY[head.kind].alone:
        return [head]
    place = (head.effective_on, head.mapping_id)
    return [one for one in waiting if (one.effective_on, one.mapping_id) == place and not REGISTRY[one.kind].alone]


def needs_no_line(head: SyncOperation) -> bool:
    return head.kind in BEGIN_LINES or REGISTRY[head.kind].beside_line or head.undoes_id is not None


def _begun(shelf: Shelf, claim: Claim, group: list[SyncOperation], moment: Moment, owner: str) -> Job:
    """The operations of one date are running, under a run of their own."""
    for one in group:
        if one.state in (State.RUNNING, State.UNCERTAIN):  # a worker died under it before it wrote anything
            journal.move(one, State.QUEUED)
    group = _last_of_each(group)
    for one in group:
        journal.move(one, State.RUNNING, attempts=one.attempts + 1, started_at=one.started_at or moment.now)
    operation = group[-1]
    run = Run(
        operation=operation,
        number=shelf.runs.get(operation.pk, 0) + 1,
        fence=claim.fence,
        owner=owner,
        started_at=moment.now,
    )
    keep(Run.objects.bulk_create, run)
    return _job(shelf, claim, group, run)


def _job(
    shelf: Shelf, claim: Claim, operations: list[SyncOperation], run: Run, unproved: list[Write] | None = None
) -> Job:
    mapping, stray = operations[-1].mapping, shelf.stray[claim.stream_id]
    contract = shelf.contracts.get(mapping.contract_id)
    return Job(claim, shelf.connection, mapping, operations, run, contract, unproved=unproved or [], stray=stray)


def _last_of_each(group: list[SyncOperation]) -> list[SyncOperation]:
    """Of several changes on one date of which only the last counts, the last; the others are superseded by it."""
    last = {operation.kind: operation for operation in group}
    kept = counting(group)
    for operation in group:
        if operation not in kept:
            journal.supersede(operation, by=last[operation.kind])
    return kept


def counting(group: list[SyncOperation]) -> list[SyncOperation]:
    """The operations of one date that are sent: of several of which only the last counts, that one."""
    last = {operation.kind: operation for operation in group}
    return [one for one in group if one is last[one.kind] or not REGISTRY[one.kind].last_wins]


def never_begun(begins: SyncOperation) -> Rejected:
    return Rejected(
        f"“{begins.label}” is {_ended(begins)}: no line was begun that this could change.",
        "Dismiss this as well, or map the subscription again.",
    )


def _ended(begins: SyncOperation) -> str:
    return "undone" if begins.is_undone else begins.get_state_display().lower()


def _worn_out(head: SyncOperation) -> Unavailable:
    return Unavailable(
        f"This was begun {head.attempts} times, and the worker ended under it each time.",
        "Look at the worker's log and tell support, then retry.",
    )


def _hold_for_good(claim: Claim, stream: Stream, connection: Connection, moment: Moment) -> None:
    """A retired connection sends nothing any more: a person decides about what still waits."""
    error = Rejected(
        f"The connection {connection} is retired and sends nothing any more.",
        "Dismiss this; what is to be billed elsewhere has to be mapped there.",
    )
    for operation in SyncOperation.objects.filter(stream=stream).open().exclude(effective_on=None):
        journal.fail(operation, error, kind="retired", now=moment.now, state=State.HELD)
    put_aside(claim, stream, "a decision: the connection is retired", moment.now + PAUSED_CHECK)


def _fail(
    claim: Claim, stream: Stream, operations: list[SyncOperation], error: FarSideError, kind: str, moment: Moment
) -> None:
    """Operations that need a person before a run of theirs has begun."""
    for operation in operations:
        journal.fail(operation, error, kind=kind, now=moment.now)
    release(claim, next_dues([stream.pk], moment).get(stream.pk))
