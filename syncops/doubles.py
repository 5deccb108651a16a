"""The search for writes that were applied twice: the one accident that leases and proofs cannot rule out.

A worker that was frozen for longer than its lease and the quiet time may wake up in the middle of a send. Once a day
the lines of recent writes are read, up to 500 in one request, and compared with what was written to them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from django.db import transaction

from connections.actions import mark_unauthorized
from connections.models import Connection
from connections.psa.base import Psa
from connections.registry import psa_for
from mappings.models import SubscriptionMapping
from portal.audit import Actor, chain, drafted
from portal.far_side import FarSideError, Unauthorized
from portal.models import User
from syncops import journal
from syncops.lines import actual_of
from syncops.models import DoubledWrite, Lane, Stream, Write
from syncops.proof import shown_twice
from syncops.timeline import ONE_DAY, Timeline
from syncops.together import keep

log = structlog.get_logger()
EVERY, AGAIN_AFTER = timedelta(hours=24), timedelta(hours=1)
RECENT = timedelta(days=3)  # so long after a write its line is looked at
MOST_LINES = 500
SEARCHER = Actor.system("search for double writes")


@dataclass(frozen=True, slots=True)
class Suspect:
    """A line that is compared: its recent writes, and what was known of it before it was read."""

    stream: Stream
    mapping: SubscriptionMapping
    writes: tuple[Write, ...]
    fence: int


def connections_due(now: datetime) -> list[int]:
    """Connections whose lines were not compared for a day."""
    lanes = Lane.objects.filter(compared_at__lte=now - EVERY, connection__mode=Connection.Mode.LIVE)
    return list(lanes.filter(connection__state__in=Connection.SENDS).values_list("pk", flat=True))


def compare_connection(connection_id: int, now: datetime) -> int:
    """Compare the lines of a connection's recent writes; how many were read. One worker a day, others do nothing."""
    due = Lane.objects.filter(pk=connection_id, compared_at__lte=now - EVERY)
    if not due.update(compared_at=now):
        return 0
    connection, read = Connection.objects.select_related("organization").get(pk=connection_id), 0
    try:
        psa = psa_for(connection, bulk=True)
        suspects = _suspects(connection_id, now)
        for start in range(0, len(suspects), MOST_LINES):
            _compare(suspects[start : start + MOST_LINES], psa, now)
            read += len(suspects[start : start + MOST_LINES])
    except FarSideError as error:
        if isinstance(error, Unauthorized):
            mark_unauthorized(connection, error, now=now)
        log.info("lines not compared; tried again in an hour", connection=connection_id, reason=str(error))
        Lane.objects.filter(pk=connection_id).update(compared_at=now - EVERY + AGAIN_AFTER)
    return read


def look_again(row: DoubledWrite, psa: Psa, now: datetime) -> bool | None:
    """Compare its line at once; whether it is closed now. None while something is on its way to the line.

    Raises the errors of `portal.far_side`.
    """
    stream = row.write.stream
    suspects = [one for one in _suspects(stream.connection_id, now, stream) if row.write in one.writes]
    if not suspects:
        return None
    _compare(suspects, psa, now)
    row.refresh_from_db()
    return row.closed_at is not None


def _suspects(connection_id: int, now: datetime, stream: Stream | None = None) -> list[Suspect]:
    """The lines with recent writes, or with a double write that is still open; not those that are being written to."""
    applied = Write.objects.filter(
        stream__connection_id=connection_id, kind=Write.Kind.ADJUST, state=Write.State.APPLIED, line_id__isnull=False
    )
    applied = applied if stream is None else applied.filter(stream=stream)
    recent = applied.filter(sent_at__gte=now - RECENT) | applied.filter(doubled__isnull=False, doubled__closed_at=None)
    by_line: dict[tuple[int, int], list[Write]] = defaultdict(list)
    for write in recent.exclude(stream__writes__state__in=Write.UNPROVED).select_related("operation").order_by("pk"):
        if write.line_id is not None:
            by_line[write.stream_id, write.line_id].append(write)
    streams = Stream.objects.in_bulk([stream for stream, _ in by_line])
    mappings = SubscriptionMapping.objects.filter(line_id__in=[line for _, line in by_line], connection=connection_id)
    known = {(one.subscription_id, one.line_id): one for one in mappings}
    found = []
    for (stream_id, line_id), writes in by_line.items():
        theirs = streams[stream_id]
        mapping = known.get((theirs.subscription_id, line_id))
        if mapping is not None and theirs.lease_until <= now:
            found.append(Suspect(theirs, mapping, tuple(writes), theirs.fence))
    return found


def _compare(suspects: Sequence[Suspect], psa: Psa, now: datetime) -> None:
    days = [write.effective_on for suspect in suspects for write in suspect.writes if write.effective_on]
    if not days:
        return
    rows = defaultdict(list)
    for row in psa.unit_rows([suspect.mapping.line_id or 0 for suspect in suspects], since=min(days) - ONE_DAY):
        rows[row.line_id].append(row)
    for suspect in suspects:
        _judge(suspect, actual_of(rows[suspect.mapping.line_id or 0]), now)


def _judge(suspect: Suspect, found: Timeline, now: datetime) -> None:
    """Write down what the line shows twice, and what no more. Nothing where it was written to meanwhile."""
    with transaction.atomic():
        stream = Stream.objects.select_for_update(no_key=True).get(pk=suspect.stream.pk)
        if stream.fence != suspect.fence:
            return
        ours = journal.ours_of([(stream, suspect.mapping)])[stream.pk]
        twice = shown_twice(ours, found, [journal.adjustment_of(write) for write in suspect.writes])
        for index, write in enumerate(suspect.writes):
            if index in twice:
                raise_doubled(write, found, now)
            else:
                _gone(write, now)


def raise_doubled(write: Write, found: Timeline, now: datetime) -> None:
    """Put a write that shows twice into the inbox, once; inside the caller's transaction, its stream locked."""
    assert write.effective_on is not None
    assert write.line_id is not None
    units = found.at(write.effective_on).units - found.at(write.effective_on - ONE_DAY).units
    row, is_new = DoubledWrite.objects.get_or_create(
        write=write, defaults={"line_id": write.line_id, "found_at": now, "found_units": units}
    )
    if is_new:
        _record("Find Double Write", row, SEARCHER, now, succeeded=False)


def raise_repeated(
    writes: Iterable[Write], foreign: Iterable[tuple[object, int]], found: Timeline, now: datetime
) -> None:
    """After a proof that shows more than was sent: where that is one of the run's writes once more, say so."""
    added = set(foreign)
    for write in writes:
        if write.unit_change and write.line_id and (write.effective_on, write.unit_change) in added:
            raise_doubled(write, found, now)


def _gone(write: Write, now: datetime) -> None:
    row = DoubledWrite.objects.open().filter(write=write).first()
    if row is not None:
        row.closed_at = now
        row.save(update_fields=["closed_at"])
        _record("Double Write Is Gone", row, SEARCHER, now, succeeded=True)


def accept_doubled(row: DoubledWrite, *, reason: str, actor: User, now: datetime) -> None:
    """A person looked at the line, and it is right as it is. A second click changes nothing."""
    with transaction.atomic():
        won = DoubledWrite.objects.open().filter(pk=row.pk)
        if won.update(closed_at=now, closed_by=actor, reason=reason):
            _record("Accept Double Write", row, Actor.user(actor), now, succeeded=True, reason=reason)


def _record(name: str, row: DoubledWrite, actor: Actor, now: datetime, *, succeeded: bool, **asked: str) -> None:
    operation = row.write.operation
    entry = drafted(
        name,
        actor=actor,
        organization=operation.organization,
        status="succeeded" if succeeded else "failed",
        subject=str(row),
        subscription=operation.subscription,
        connection=operation.connection,
        asked={"date": row.write.effective_on, "units": row.write.unit_change, "line": row.line_id, **asked},
        answered={"units that begin there": row.found_units},
        correlation_id=operation.correlation_id,
        at=now,
    )
    keep(chain, entry)
