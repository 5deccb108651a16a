"""One claimed stream and what is to be done with it in this run."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING

from connections.models import Connection, MirroredContract
from connections.psa.types import Contract, UnitRow
from mappings.models import SubscriptionMapping
from portal.models import Subscription
from syncops import journal
from syncops.claim import Claim, held
from syncops.clock import Moment
from syncops.lines import rows_of, term_of
from syncops.models import NEVER, Run, Stream, SyncOperation, Write
from syncops.operations import REGISTRY
from syncops.timeline import Timeline, first_open_date

if TYPE_CHECKING:
    from syncops.planning import Planned

State = SyncOperation.State
PROVISIONING_CHECK = timedelta(seconds=60)
PAUSED_CHECK = timedelta(minutes=15)


@dataclass
class Job:
    """A claimed stream with the operations of one effective date, or with writes that are still to be proved."""

    claim: Claim
    connection: Connection
    mapping: SubscriptionMapping
    operations: list[SyncOperation]
    run: Run
    contract: Contract | MirroredContract | None
    unproved: list[Write] = field(default_factory=list)
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
        days += [write.effective_on for write in self.unproved if write.kind == Write.Kind.ADJUST]
        days += [
            step[0]
            for write in self.unproved
            if write.line_before
            for step in Timeline.from_json(write.line_before).steps
        ]
        known = [day for day in days if day is not None]
        return min(known) if known and len(known) == len(days) else None

    def open_days(self) -> tuple[date, date]:
        """The first and the last day that an adjustment may take effect on."""
        assert self.contract is not None
        term = term_of(self.contract)
        return first_open_date(rows_of(self.rows), term), term.end


def mirrored_contract(connection: Connection, mapping: SubscriptionMapping) -> MirroredContract | None:
    """The contract as it was last read; None where the mirror does not hold it (any more)."""
    return MirroredContract.objects.filter(connection=connection, remote_id=mapping.contract_id).first()


def open_job(claim: Claim, connection: Connection, *, moment: Moment, owner: str) -> Job | None:
    """What is to be done with a claimed stream; None where it only had to be put aside, which is done here."""
    with held(claim) as stream:
        unproved = list(
            Write.objects.filter(stream=stream, state__in=Write.UNPROVED)
            .select_related("operation__subscription", "operation__mapping", "run")
            .order_by("pk")
        )
        if not connection.sends:
            put_aside(claim, stream, connection_words(connection), moment.now + PAUSED_CHECK)
            return None
        if unproved:
            return _proving(claim, connection, stream, unproved, moment)
        return _working(claim, connection, stream, moment, owner)


def _proving(claim: Claim, connection: Connection, stream: Stream, unproved: list[Write], moment: Moment) -> Job | None:
    """A run that only finds out what became of writes; a write left in *sending* by a lost lease is unknown now."""
    operation = unproved[0].operation
    if operation.state in SyncOperation.NEEDS_A_PERSON:
        release(claim, stream, None, moment)
        return None
    for write in unproved:
        if write.state == Write.State.SENDING:
            journal.settle_write(write, Write.State.UNKNOWN, moment, answer="The worker stopped while sending.")
    run = unproved[0].run
    assert run is not None
    operations = [
        *SyncOperation.objects.filter(stream=stream, state__in=(State.RUNNING, State.UNCERTAIN))
        .exclude(pk=operation.pk)
        .select_related("subscription", "mapping", "organization", "connection"),
        operation,
    ]
    for one in operations:
        if one.state == State.RUNNING:
            journal.move(one, State.UNCERTAIN, waiting_for="proof of what became of the write")
    contract = mirrored_contract(connection, operation.mapping)
    return Job(claim, connection, operation.mapping, operations, run, contract, unproved=unproved)


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
    group = _last_of_each(
        [one for one in waiting if (one.effective_on, one.mapping_id) == (head.effective_on, head.mapping_id)]
    )
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
    return Job(claim, connection, operation.mapping, group, run, mirrored_contract(connection, operation.mapping))


def _last_of_each(group: list[SyncOperation]) -> list[SyncOperation]:
    """Of several changes on one date of which only the last counts, the last; the others are superseded by it."""
    last = {operation.kind: operation for operation in group}
    kept = [one for one in group if one is last[one.kind] or not REGISTRY[one.kind].last_wins]
    for operation in group:
        if operation not in kept:
            journal.supersede(operation, by=last[operation.kind])
    return kept


def connection_words(connection: Connection) -> str:
    """Why a connection sends nothing now, as the end of "waiting for …"."""
    words = {
        Connection.State.PAUSED: "the connection to be resumed",
        Connection.State.UNAUTHORIZED: "new credentials of the connection",
        Connection.State.DRAFT: "the connection to be tested",
        Connection.State.RETIRED: "a decision: the connection is retired",
    }
    return words.get(Connection.State(connection.state), "the rehearsal to end")


def put_aside(claim: Claim, stream: Stream, waiting_for: str, until: datetime) -> None:
    """Let every open operation of the stream wait, and say for what and until when."""
    for operation in SyncOperation.objects.filter(stream=stream).open().exclude(state=State.UNCERTAIN):
        state = operation.state if operation.state == State.PLANNED else State.QUEUED
        journal.move(operation, state, waiting_for=waiting_for, retry_at=until)
    Stream.objects.filter(pk=stream.pk, fence=claim.fence).update(due=until)
    free(claim)


def release(claim: Claim, stream: Stream, due: datetime | None, moment: Moment) -> None:
    """Give a stream back; `due` is when there is something to do again."""
    Stream.objects.filter(pk=stream.pk, fence=claim.fence).update(due=due)
    free(claim)


def free(claim: Claim) -> None:
    """End our lease, if it still is ours."""
    Stream.objects.filter(pk=claim.stream_id, fence=claim.fence).update(lease_until=NEVER, owner="")


def next_due(stream_id: int, moment: Moment) -> datetime | None:
    """When the stream's oldest open operation wants to go on; None where nothing is open."""
    head = SyncOperation.objects.filter(stream_id=stream_id).open().chronological().first()
    return None if head is None else (head.retry_at or moment.now)
