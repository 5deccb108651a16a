"""One claimed stream and what is to be done with it in this run."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING

from connections.models import Connection, MirroredContract
from connections.psa.types import Contract, UnitRow
from mappings.models import SubscriptionMapping
from portal.far_side import FarSideError, Rejected, Unavailable
from portal.models import Subscription
from syncops import journal
from syncops.claim import Claim, held
from syncops.clock import Moment
from syncops.models import NEVER, Run, Stream, SyncOperation, Write
from syncops.operations import BEGIN_LINES, REGISTRY
from syncops.timeline import Timeline

if TYPE_CHECKING:
    from syncops.planning import Planned

State = SyncOperation.State
PROVISIONING_CHECK = timedelta(seconds=60)
PAUSED_CHECK = timedelta(minutes=15)
MOST_ATTEMPTS = 12  # far more than far sides ask for: workers died under it again and again
PROOF = "proof of what became of the write"
STOPPED = {
    Connection.State.PAUSED: "the connection to be resumed",
    Connection.State.UNAUTHORIZED: "new credentials of the connection",
    Connection.State.DRAFT: "the connection to be tested",
    Connection.State.ACTIVE: "the rehearsal to end",
}


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
        """What the line's internal description holds: the subscription's id."""
        subscription = self.operation.subscription
        return self.mapping.line_key or subscription.external_id or str(subscription.key)

    @property
    def since(self) -> date | None:
        """Rows that end before this day do not matter to the run."""
        days = [operation.effective_on for operation in self.operations]
        days += self.stray
        days += [write.effective_on for write in self.unproved if write.kind == Write.Kind.ADJUST]
        days += [
            step[0]
            for write in self.unproved
            if write.line_before
            for step in Timeline.from_json(write.line_before).steps
        ]
        known = [day for day in days if day is not None]
        return min(known) if known and len(known) == len(days) else None

    @property
    def looks(self) -> int:
        """How often this run has looked for what became of its writes."""
        return self.run.journal.filter(phase="uncertain").count()


def mirrored_contract(connection: Connection, mapping: SubscriptionMapping) -> MirroredContract | None:
    """The contract as it was last read; None where the mirror does not hold it (any more)."""
    return MirroredContract.objects.filter(connection=connection, remote_id=mapping.contract_id).first()


def open_job(claim: Claim, connection: Connection, *, moment: Moment, owner: str) -> Job | None:
    """What is to be done with a claimed stream; None where it only had to be put aside, which is done here."""
    with held(claim) as stream:
        unproved = _unproved(stream, moment)
        if connection.state == Connection.State.RETIRED:
            _hold_for_good(claim, stream, connection, moment)
        elif not connection.sends:
            put_aside(claim, stream, STOPPED[Connection.State(connection.state)], moment.now + PAUSED_CHECK)
        elif unproved:
            return _proving(claim, connection, stream, unproved, moment)
        else:
            return _working(claim, connection, stream, moment, owner)
    return None


def _unproved(stream: Stream, moment: Moment) -> list[Write]:
    """Writes of which nobody knows yet what became of them; one left in *sending* by a lost lease is unknown now."""
    writes = list(
        Write.objects.filter(stream=stream, state__in=Write.UNPROVED)
        .select_related("operation__subscription", "operation__mapping", "run")
        .order_by("pk")
    )
    for write in writes:
        if write.state == Write.State.SENDING:
            journal.settle_write(write, Write.State.UNKNOWN, moment, answer="The worker stopped while sending.")
        if write.operation.state in (State.QUEUED, State.RUNNING):
            journal.move(write.operation, State.UNCERTAIN, waiting_for=PROOF)
    return writes


def _proving(claim: Claim, connection: Connection, stream: Stream, unproved: list[Write], moment: Moment) -> Job | None:
    """A run that only finds out what became of writes."""
    operation, run = unproved[0].operation, unproved[0].run
    if operation.state in SyncOperation.NEEDS_A_PERSON:
        put_aside(claim, stream, "a decision about an earlier change", moment.now + PAUSED_CHECK)
        return None
    assert run is not None
    group = list(
        SyncOperation.objects.filter(stream=stream, state__in=(State.RUNNING, State.UNCERTAIN))
        .exclude(pk=operation.pk)
        .select_related("subscription", "mapping", "organization", "connection")
    )
    for one in group:
        if one.state == State.RUNNING:
            journal.move(one, State.UNCERTAIN, waiting_for=PROOF)
    contract = mirrored_contract(connection, operation.mapping)
    job = Job(claim, connection, operation.mapping, [*group, operation], run, contract, unproved=unproved)
    job.stray = _stray(stream)
    return job


def _working(claim: Claim, connection: Connection, stream: Stream, moment: Moment, owner: str) -> Job | None:
    """A run of the oldest open operations that share one effective date."""
    waiting = list(
        SyncOperation.objects.filter(stream=stream)
        .open()
        .chronological()
        .select_related("subscription__customer", "mapping", "organization", "connection", "audit_began")
    )
    if not waiting:
        release(claim, stream, None, moment)
        return None
    head = waiting[0]
    if head.retry_at and head.retry_at > moment.now:
        release(claim, stream, head.retry_at, moment)
        return None
    if head.effective_on is None or head.subscription.status == Subscription.Status.PENDING:
        put_aside(claim, stream, "Microsoft to provision the subscription", moment.now + PROVISIONING_CHECK)
        return None
    group = [one for one in waiting if (one.effective_on, one.mapping_id) == (head.effective_on, head.mapping_id)]
    if head.kind not in BEGIN_LINES and (begins := _beginning_of(head.mapping)) is not None:
        if begins.needs_a_person:
            put_aside(claim, stream, f"“{begins.label}” to be retried", moment.now + PAUSED_CHECK)
        else:
            _fail(claim, stream, group, _never_begun(begins), "no_line", moment)
        return None
    if head.attempts >= MOST_ATTEMPTS:
        _fail(claim, stream, group, _worn_out(head), "unavailable", moment)
        return None
    return _begun(claim, connection, stream, group, moment, owner)


def _begun(
    claim: Claim, connection: Connection, stream: Stream, group: list[SyncOperation], moment: Moment, owner: str
) -> Job:
    """The operations of one date are running, under a run of their own."""
    for one in group:
        if one.state in (State.RUNNING, State.UNCERTAIN):  # a worker died under it before it wrote anything
            journal.move(one, State.QUEUED)
    group = _last_of_each(group)
    for one in group:
        journal.move(one, State.RUNNING, attempts=one.attempts + 1, started_at=one.started_at or moment.now)
    operation = group[-1]
    run = Run.objects.create(
        operation=operation,
        number=operation.runs.count() + 1,
        fence=claim.fence,
        owner=owner,
        started_at=moment.now,
    )
    contract = mirrored_contract(connection, operation.mapping)
    return Job(claim, connection, operation.mapping, group, run, contract, stray=_stray(stream))


def _last_of_each(group: list[SyncOperation]) -> list[SyncOperation]:
    """Of several changes on one date of which only the last counts, the last; the others are superseded by it."""
    last = {operation.kind: operation for operation in group}
    kept = [one for one in group if one is last[one.kind] or not REGISTRY[one.kind].last_wins]
    for operation in group:
        if operation not in kept:
            journal.supersede(operation, by=last[operation.kind])
    return kept


def _stray(stream: Stream) -> tuple[date, ...]:
    applied = Write.objects.filter(stream=stream, kind=Write.Kind.ADJUST, state=Write.State.APPLIED)
    days = applied.exclude(operation__state=State.SUCCEEDED).values_list("effective_on", flat=True)
    return tuple(day for day in days if day)


def _beginning_of(mapping: SubscriptionMapping) -> SyncOperation | None:
    """The operation that was to put the subscription on its line, where it has come to an end without doing so."""
    begins = SyncOperation.objects.filter(mapping=mapping, kind__in=BEGIN_LINES)
    last = begins.exclude(state__in=SyncOperation.OPEN).order_by("-pk").first()
    return None if last is None or last.state == State.SUCCEEDED else last


def _never_begun(begins: SyncOperation) -> Rejected:
    return Rejected(
        f"“{begins.label}” is {begins.get_state_display().lower()}: no line was begun that this could change.",
        "Dismiss this as well, or map the subscription again.",
    )


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
    release(claim, stream, next_due(stream.pk, moment), moment)


def put_aside(claim: Claim, stream: Stream, waiting_for: str, until: datetime) -> None:
    """Let every open operation of the stream wait, and say for what and until when."""
    waiting = list(SyncOperation.objects.filter(stream=stream).open())
    for operation in waiting:
        state = operation.state if operation.state in (State.PLANNED, State.UNCERTAIN) else State.QUEUED
        journal.move(operation, state, waiting_for=waiting_for, retry_at=until)
    Stream.objects.filter(pk=stream.pk, fence=claim.fence).update(due=until if waiting else None)
    free(claim)


def go_on(now: datetime) -> int:
    """Make due at once what was put aside for a connection that sends again; how many operations that is."""
    waiting = SyncOperation.objects.filter(
        stream__due__gt=now,
        waiting_for__in=tuple(STOPPED.values()),
        connection__state__in=Connection.SENDS,
        connection__mode=Connection.Mode.LIVE,
    ).open()
    found = list(waiting.values_list("pk", "stream_id"))
    if found:
        SyncOperation.objects.open().filter(pk__in=[pk for pk, _ in found]).update(retry_at=None, waiting_for="")
        Stream.objects.filter(pk__in=[stream for _, stream in found], due__gt=now).update(due=now)
    return len(found)


def release(claim: Claim, stream: Stream, due: datetime | None, moment: Moment) -> None:
    """Give a stream back; `due` is when there is something to do again."""
    Stream.objects.filter(pk=stream.pk, fence=claim.fence).update(due=due)
    free(claim)


def free(claim: Claim) -> None:
    """End our lease, if it still is ours."""
    Stream.objects.filter(pk=claim.stream_id, fence=claim.fence).update(lease_until=NEVER, owner="")


def next_due(stream_id: int, moment: Moment) -> datetime | None:
    """When the stream's oldest open operation wants to go on; None where nothing is open.

    While one is uncertain all others wait for it, and it is not looked at more often because they do.
    """
    waiting = list(SyncOperation.objects.filter(stream_id=stream_id).open().chronological())
    head = next((one for one in waiting if one.state == State.UNCERTAIN), waiting[0] if waiting else None)
    return None if head is None else (head.retry_at or moment.now)
