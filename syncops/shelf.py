"""What the database holds about streams that are worked on together: read at once, whatever their number."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from django.db.models import Max

from connections.models import Connection, MirroredContract
from syncops.models import Run, Stream, SyncOperation, Write
from syncops.operations import BEGIN_LINES

State = SyncOperation.State
RELEASED = "released"  # in the plan of a failed operation: later ones need not wait for it


@dataclass(frozen=True)
class Shelf:
    """Claimed streams with what is to be known before one of them is worked on.

    By stream: `unproved` writes in sending order, `waiting` operations oldest first, and `stray` days on which writes
    took effect whose operation has not succeeded. `contracts`: as last read, by remote id; one that the mirror does not
    hold (any more) is missing. `begins`: by mapping, the operation that was to put the subscription on its line, where
    it has come to an end without doing so. `holds`: by stream, the oldest operation that needs a person, where the
    policy or a manual sync lets later ones wait for it. `runs`: the last run's number by operation.
    """

    connection: Connection
    unproved: dict[int, list[Write]]
    waiting: dict[int, list[SyncOperation]]
    stray: dict[int, tuple[date, ...]]
    contracts: dict[int, MirroredContract]
    begins: dict[int, SyncOperation]
    holds: dict[int, SyncOperation]
    runs: dict[int, int]

    @classmethod
    def of(cls, connection: Connection, streams: Sequence[Stream]) -> Shelf:
        unproved, waiting = _unproved(connection, streams), _waiting(connection, streams)
        known = [one for group in waiting.values() for one in group]
        known += [write.operation for group in unproved.values() for write in group]
        return cls(
            connection,
            unproved,
            waiting,
            _stray(streams),
            _contracts(connection, {one.mapping.contract_id for one in known}),
            _begins({one.mapping_id for one in known}),
            _holds(connection, streams),
            _runs({one.pk for one in known}),
        )


def _unproved(connection: Connection, streams: Sequence[Stream]) -> dict[int, list[Write]]:
    writes = Write.objects.filter(stream__in=streams, state__in=Write.UNPROVED).order_by("pk")
    found, known = defaultdict(list), {stream.pk: stream for stream in streams}
    related = ("operation__subscription__customer", "operation__mapping", "operation__audit_began", "run")
    for write in writes.select_related(*related):
        _share(write.operation, connection, known)
        found[write.stream_id].append(write)
    return found


def _waiting(connection: Connection, streams: Sequence[Stream]) -> dict[int, list[SyncOperation]]:
    operations = SyncOperation.objects.filter(stream__in=streams).open().chronological()
    found, known = defaultdict(list), {stream.pk: stream for stream in streams}
    for operation in operations.select_related("subscription__customer", "mapping", "audit_began"):
        _share(operation, connection, known)
        found[operation.stream_id].append(operation)
    return found


def _share(operation: SyncOperation, connection: Connection, streams: dict[int, Stream]) -> None:
    """Give an operation the rows that all of them share, so that nobody reads them again."""
    operation.connection = operation.mapping.connection = connection
    operation.organization = connection.organization
    operation.stream = streams[operation.stream_id]


def _stray(streams: Sequence[Stream]) -> dict[int, tuple[date, ...]]:
    applied = Write.objects.filter(stream__in=streams, kind=Write.Kind.ADJUST, state=Write.State.APPLIED)
    found: dict[int, tuple[date, ...]] = defaultdict(tuple)
    for stream_id, day in applied.exclude(operation__state=State.SUCCEEDED).values_list("stream_id", "effective_on"):
        found[stream_id] += (day,) if day else ()
    return found


def _contracts(connection: Connection, ids: Iterable[int]) -> dict[int, MirroredContract]:
    rows = MirroredContract.objects.filter(connection=connection, remote_id__in=ids)
    return {row.remote_id: row for row in rows}


def _begins(mappings: Iterable[int]) -> dict[int, SyncOperation]:
    begins = SyncOperation.objects.filter(mapping__in=mappings, kind__in=BEGIN_LINES)
    ended = begins.exclude(state__in=SyncOperation.OPEN).order_by("pk")
    found = ended.only("mapping_id", "kind", "state").prefetch_related("undoings")
    latest = {one.mapping_id: one for one in found}
    return {mapping: one for mapping, one in latest.items() if one.state != State.SUCCEEDED or one.is_undone}


def _holds(connection: Connection, streams: Sequence[Stream]) -> dict[int, SyncOperation]:
    """By the policy for all operations of a stream, after a manual sync for those that it covered."""
    by_policy = connection.policies.after_failure == "hold_line"
    stops = {stream.pk: stream.stops_at for stream in streams if by_policy or stream.stops_at}
    if not stops:
        return {}
    failed = SyncOperation.objects.filter(stream__in=stops, state__in=SyncOperation.NEEDS_A_PERSON).chronological()
    found: dict[int, SyncOperation] = {}
    for one in failed.only("stream_id", "kind", "effective_on", "sequence", "plan"):
        if not one.plan.get(RELEASED) and (by_policy or one.sequence <= stops[one.stream_id]):
            found.setdefault(one.stream_id, one)
    return found


def _runs(operations: Iterable[int]) -> dict[int, int]:
    runs = Run.objects.filter(operation__in=operations).order_by().values_list("operation")
    return dict(runs.annotate(last=Max("number")))
