"""The mirror: what a PSA holds, read into our own tables, so that pickers and checks cost no request.

Once a day everything is read, and every few minutes what changed. Each page is stored together with how far the
reading got, so one that is killed goes on with the next page. Rows that the far side no longer shows are dropped at the
end of a full reading, but never more than a tenth of a kind at once: an API user who lost a right, or sees fewer lines
of business, looks just like that. A reading of changes drops nothing.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import F, QuerySet

from connections.budget import OverBudget
from connections.health import note_failure, note_success
from connections.models import Connection, MirrorRefresh
from connections.psa.base import Psa
from connections.reading import KINDS, OVERLAP, Clock, Kind, LeaseLost, read_changes, read_everything
from connections.refusals import Refused
from connections.registry import PSAS, psa_for
from portal import audit, leases
from portal.audit import Actor
from portal.far_side import FarSideError, OutcomeUnknown, Rejected, Unauthorized, Unavailable
from portal.queue import enqueue

BUDGET_S = 60.0
MOST_GONE = 10  # one in ten
READS = (Connection.State.ACTIVE, Connection.State.PAUSED)


def start_refresh(connection: Connection, *, now: datetime) -> MirrorRefresh:
    """The full reading that runs, or a new one with the wake-up for it. Refused where nothing can be read.

    A reading of changes that runs gives way: its worker finds its lease lost, and stops.
    """
    _must_be_readable(connection)
    with transaction.atomic():
        Connection.objects.select_for_update(no_key=True).get(pk=connection.pk)
        running = MirrorRefresh.objects.running().filter(connection=connection)
        refresh = running.full().first()
        if refresh is None:
            _give_way(running, now)
            refresh = MirrorRefresh.objects.create(connection=connection, started_at=now, due_at=now)
        enqueue("connections.tasks.refresh_mirror", connection.pk)
    return refresh


def start_changes(connection: Connection, *, now: datetime) -> MirrorRefresh:
    """A reading of what changed since the last one that succeeded, or the reading that runs, with the wake-up for it.

    Refused where nothing can be read, or everything has to be read first. Older readings of changes are forgotten.
    """
    _must_be_readable(connection)
    with transaction.atomic():
        Connection.objects.select_for_update(no_key=True).get(pk=connection.pk)
        readings = MirrorRefresh.objects.filter(connection=connection)
        refresh, base = readings.running().first(), readings.bases().first()
        if refresh is None:
            if base is None or base.as_of is None:
                raise Refused("Everything has to be read first. Press Refresh.")
            readings.of_changes().exclude(pk=base.pk).delete()
            refresh = MirrorRefresh.objects.create(
                connection=connection,
                scope=MirrorRefresh.Scope.CHANGES,
                started_at=now,
                due_at=now,
                since=base.as_of - OVERLAP,
                seen=base.seen,
            )
        enqueue("connections.tasks.refresh_mirror", connection.pk)
    return refresh


def run_refresh(refresh_id: int, *, clock: Clock, budget_s: float = BUDGET_S) -> MirrorRefresh:
    """Read on for at most `budget_s`; a refresh that is not through then wakes a worker again.

    Raises Unauthorized, after recording it: the caller stops the connection.
    """
    now = clock()
    claimed = leases.claim(MirrorRefresh.objects.running(), refresh_id, now)
    refresh = MirrorRefresh.objects.select_related("connection__organization").get(pk=refresh_id)
    if not claimed:
        return refresh
    try:
        _check(refresh)
        psa = psa_for(refresh.connection, bulk=True, clock=clock)
        is_full = refresh.scope == MirrorRefresh.Scope.EVERYTHING
        read = read_everything if is_full else read_changes
        if read(refresh, psa, clock, now + timedelta(seconds=budget_s)):
            refresh.as_of = refresh.as_of or psa.as_of
            (_finish if is_full else _finish_changes)(refresh, psa, clock())
        else:
            leases.settle(refresh, due_at=clock())
            enqueue("connections.tasks.refresh_mirror", refresh.connection_id)
    except LeaseLost:
        pass
    except FarSideError as error:
        _broke_off(refresh, error, clock())
        if isinstance(error, Unauthorized):
            raise
    refresh.refresh_from_db()
    return refresh


def drop_anyway(refresh: MirrorRefresh, *, actor: Actor, now: datetime) -> None:
    """A person's word for a refresh that is held: the rows are gone for good. Refused where it is not held."""
    with transaction.atomic():
        held = MirrorRefresh.objects.filter(pk=refresh.pk, state=MirrorRefresh.State.HELD)
        if not held.update(state=MirrorRefresh.State.SUCCEEDED, finished_at=now):
            raise Refused("Nothing waits for a decision here.")
        for kind in KINDS:
            _gone(kind, refresh).delete()
        connection = refresh.connection
        Connection.objects.filter(pk=connection.pk).update(mirrored_at=refresh.started_at)
        audit.record(
            "Drop Missing Connection Data",
            actor=actor,
            organization=connection.organization,
            connection=connection,
            subject=connection.name,
            asked=refresh.gone,
            at=now,
        )


def counts_of(connection: Connection) -> dict[str, int]:
    """How many rows of each kind the mirror holds."""
    return {kind.name: kind.model._default_manager.filter(connection=connection).count() for kind in KINDS}


def _give_way(readings: QuerySet[MirrorRefresh], now: datetime) -> None:
    state, message = MirrorRefresh.State.FAILED, "Everything is being read instead."
    ended = {"finished_at": now, "due_at": None, "lease_until": None}
    readings.update(state=state, message=message, fence=F("fence") + 1, **ended)


def _must_be_readable(connection: Connection) -> None:
    if connection.kind not in PSAS:
        raise Refused("There is nothing to read from this kind of connection.")
    if connection.state not in READS:
        raise Refused(f"It is {connection.get_state_display().lower()}. Press Test first.")


def _check(refresh: MirrorRefresh) -> None:
    if refresh.connection.state not in READS:
        raise Rejected(
            f"The connection is {refresh.connection.get_state_display().lower()}.", advice="Press Test first."
        )
    if leases.exhausted(refresh.attempts):
        raise Rejected("Reading broke off again and again at the same place.", advice="Press Refresh to start over.")


def _finish_changes(refresh: MirrorRefresh, psa: Psa, now: datetime) -> None:
    """Where the far side's clock went back, what changed meanwhile may lie before what was asked for: it failed."""
    state, message = MirrorRefresh.State.SUCCEEDED, ""
    if refresh.as_of is None or refresh.since is None or refresh.as_of < refresh.since:
        state, message = MirrorRefresh.State.FAILED, "Its clock went back. Press Refresh to read everything."
    elif undated := [kind.name for kind in KINDS if kind.name != "lines" and kind.name not in psa.dated()]:
        message = f"It does not tell when {' and '.join(undated)} change: changed ones are read once a day."
    values = {"state": state, "message": message, "as_of": refresh.as_of, "finished_at": now, "due_at": None}
    if leases.settle(refresh, **values):
        note_success(refresh.connection, now=now)


def _finish(refresh: MirrorRefresh, psa: Psa, now: datetime) -> None:
    connection = refresh.connection
    gone = {kind.name: _gone(kind, refresh).count() for kind in KINDS}
    total = counts_of(connection)
    too_many = [name for name, count in gone.items() if count * MOST_GONE > total[name]]
    with transaction.atomic():
        if too_many:
            state, message = MirrorRefresh.State.HELD, _held_words(too_many, gone, total)
        else:
            state, message = MirrorRefresh.State.SUCCEEDED, ""
        values = {"state": state, "message": message, "gone": gone, "finished_at": now, "due_at": None}
        if not leases.settle(refresh, as_of=refresh.as_of, **values):
            return
        if not too_many:
            for kind in KINDS:
                _gone(kind, refresh).delete()
            Connection.objects.filter(pk=connection.pk).update(mirrored_at=refresh.started_at)
    note_success(connection, now=now)


def _gone(kind: Kind, refresh: MirrorRefresh) -> Any:
    """Rows that this refresh did not see."""
    rows = kind.model._default_manager.filter(connection=refresh.connection_id)
    return rows.filter(read_at__lt=refresh.started_at)


def _held_words(names: Sequence[str], gone: Mapping[str, int], total: Mapping[str, int]) -> str:
    parts = ", ".join(f"{gone[name]} of {total[name]} {name}" for name in names)
    return (
        f"The far side no longer shows {parts}. That is more than one in ten, so nothing was dropped. It happens when "
        "the API user loses a right or a line of business. Put that right and press Refresh, or drop them."
    )


def _broke_off(refresh: MirrorRefresh, error: FarSideError, now: datetime) -> None:
    """Try again later where that may help, else say why it failed."""
    if isinstance(error, OverBudget):  # no fault of the connection's, and nothing was tried
        due_at = now + timedelta(seconds=error.retry_after or 0)
        leases.settle(refresh, due_at=due_at, attempts=refresh.attempts - 1, message=str(error))
        return
    note_failure(refresh.connection, error, now=now)
    again = leases.try_after(error, refresh.attempts, now) if isinstance(error, Unavailable | OutcomeUnknown) else None
    if again is not None:
        leases.settle(refresh, due_at=again, message=str(error))
    else:
        state = MirrorRefresh.State.FAILED
        leases.settle(refresh, state=state, message=str(error), finished_at=now, due_at=None)
