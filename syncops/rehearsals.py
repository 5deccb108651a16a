"""What a rehearsal found, kept with its operations; and when it is looked at again."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, time, timedelta

from django.db.models import Exists, F, OuterRef, QuerySet

from connections.models import Connection
from portal.models import Subscription
from syncops import journal
from syncops.claim import Claim, held_together
from syncops.dues import release
from syncops.errands import EXTEND_TO
from syncops.models import NEVER, Rehearsal, Stream, SyncOperation
from syncops.rehearsing import Foreseen

State = SyncOperation.State
LOOK_AGAIN = timedelta(hours=6)  # periods are posted, and others change lines, without our hearing of it
MONEY = ("earlier", "this_bill", "next_bill", "shortfall")
FIELDS = ("rehearsed_at", "basis", "verdict", "problem", "advice", "shown", *MONEY)
Found = Mapping[int, Sequence[Foreseen]]


def keep_rehearsals(claims: Sequence[Claim], found: Found, connection: Connection, *, now: datetime) -> None:
    """Store what was foreseen of each claimed stream, by its id; one that changed meanwhile is planned anew at once."""
    with held_together(claims) as ours:
        ours_now = {claim.stream_id: claim for claim in claims if claim.stream_id in ours}
        if not Connection.objects.filter(pk=connection.pk, mode=Connection.Mode.REHEARSE).exists():
            _release(ours_now, now)  # it went live meanwhile
            return
        same = _unchanged({pk: found[pk] for pk in ours_now})
        for claim in (claim for pk, claim in ours_now.items() if pk not in same):
            release(claim, now)
        before = _verdicts(same, found)
        _store([one for pk in same for one in found[pk]], connection, now)
        _release(same, _look_again(connection, now))
        _wake_related([one for pk in same for one in found[pk]], before, now)


def _unchanged(found: Found) -> list[int]:
    """The streams whose open operations, and what was chosen for them, are those that were planned."""
    open_ones = SyncOperation.objects.open().filter(stream__in=found, effective_on__isnull=False)
    now: dict[int, set[tuple[int, bool]]] = {pk: set() for pk in found}
    for pk, stream_id, choice in open_ones.values_list("pk", "stream_id", "rehearsal__choice"):
        now[stream_id].add((pk, choice == Rehearsal.Choice.DISMISS))
    return [pk for pk, each in found.items() if now[pk] == {(one.operation.pk, one.is_dismissed) for one in each}]


def _verdicts(streams: Sequence[int], found: Found) -> dict[int, str]:
    wanted = [one.operation.pk for pk in streams for one in found[pk]]
    rows = Rehearsal.objects.gathered().filter(pk__in=wanted)
    return dict(rows.values_list("pk", "verdict"))


def _store(foreseen: Sequence[Foreseen], connection: Connection, now: datetime) -> None:
    for operation in (one.operation for one in foreseen):
        if operation.state in (State.RUNNING, State.UNCERTAIN, State.PLANNED):  # a worker died under it
            journal.move(operation, State.QUEUED)
        if operation.state == State.QUEUED:
            journal.move(operation, State.REHEARSED, error="", advice="", error_kind="", raw_answer="")
    basis = connection.policies.fingerprint()
    rows = [
        Rehearsal(
            operation=one.operation,
            rehearsed_at=now,
            basis=basis,
            verdict=one.verdict,
            problem=one.problem,
            advice=one.advice,
            shown=one.shown,
            **dict(zip(MONEY, one.money, strict=True)),
        )
        for one in foreseen
    ]
    Rehearsal.objects.bulk_create(rows, update_conflicts=True, unique_fields=["operation"], update_fields=FIELDS)


def _release(streams: Iterable[int], due: datetime) -> None:
    Stream.objects.filter(pk__in=streams).update(due=due, lease_until=NEVER, owner="", urgent=False)


def _look_again(connection: Connection, now: datetime) -> datetime:
    """In some hours, or when the day ends: what this bill is depends on the date."""
    zone = connection.organization.zone
    tomorrow = datetime.combine(now.astimezone(zone).date() + timedelta(days=1), time(0, 5), tzinfo=zone)
    return min(now + LOOK_AGAIN, tomorrow)


def _wake_related(foreseen: Sequence[Foreseen], before: Mapping[int, str], now: datetime) -> None:
    """What hangs on an operation whose fate is another now: its other half, and lines of a contract that it extends."""
    changed = [one.operation for one in foreseen if before.get(one.operation.pk) != one.verdict]
    if not changed:
        return
    waiting = SyncOperation.objects.filter(state=State.REHEARSED)
    halves = waiting.filter(after__in=changed).exclude(stream=F("after__stream")).values("stream")
    contracts = [one.mapping.contract_id for one in changed if EXTEND_TO in one.payload]
    streams = {one.stream_id for one in changed}
    rehearse_again(Stream.objects.filter(pk__in=halves).exclude(pk__in=streams), now)
    if contracts:
        on_them = waiting.filter(mapping__contract_id__in=contracts, connection=changed[0].connection).values("stream")
        rehearse_again(Stream.objects.filter(pk__in=on_them).exclude(pk__in=streams), now)


def rehearse_again(streams: QuerySet[Stream], now: datetime) -> int:
    """Make streams due now; how many."""
    return streams.filter(due__gt=now).update(due=now)


def gathered_streams(connection: Connection) -> QuerySet[Stream]:
    """The streams of a connection on which something waits for it to go live."""
    waits = SyncOperation.objects.filter(stream=OuterRef("pk"), state=State.REHEARSED)
    return Stream.objects.filter(Exists(waits), connection=connection)


def follow_policies(now: datetime) -> int:
    """Plan anew what was planned by policies that a person has changed since; how many streams."""
    count = 0
    for connection in Connection.objects.autotask().filter(mode=Connection.Mode.REHEARSE):
        stale = Rehearsal.objects.gathered().filter(operation__connection=connection)
        stale = stale.exclude(basis=connection.policies.fingerprint())
        count += rehearse_again(Stream.objects.filter(pk__in=stale.values("operation__stream")), now)
    return count


def unrehearsed(connection: Connection) -> QuerySet[SyncOperation]:
    """What gathered and is not planned yet; what waits for Microsoft first is none of it."""
    moving = SyncOperation.objects.filter(connection=connection, state__in=SyncOperation.MOVING)
    return moving.exclude(effective_on=None).exclude(subscription__status=Subscription.Status.PENDING)
