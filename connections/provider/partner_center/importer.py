"""Importing through a Partner Center connection: everything at night and at first, what audit records tell each hour.

Everything: resellers, their customers, all customers page by page, and what each holds in one request per customer. How
far it got is stored with each page and each customer, so one that is killed goes on there. What audit records name is
not believed but looked at: they become hints (`looking.py`). Subscriptions that Microsoft no longer shows count as
cancelled at the end of a full reading, but never more than a tenth of them at once: a partner who loses a relation or a
right looks just like that, and a person decides.
"""

from collections.abc import Callable
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import F, QuerySet

from connections.health import note_failure, note_success
from connections.models import Connection, ProviderImport
from connections.provider.partner_center import missing, reading_all, reading_audit
from connections.provider.partner_center.progress import LeaseLost, Progress
from connections.provider.partner_center.reach import READS, client_of, must_be_readable
from connections.refusals import Refused
from portal import leases
from portal.audit import Actor
from portal.far_side import FarSideError, OutcomeUnknown, Rejected, Unauthorized, Unavailable
from portal.queue import enqueue

Clock = Callable[[], datetime]
BUDGET_S = 60.0
OVERLAP = timedelta(hours=2)  # an audit record may show a little after the moment that it carries
OLDEST = timedelta(days=30)  # Microsoft keeps them for 90 days; after a month everything is read instead
TASK = "connections.provider_tasks.run_import"
Scope, State = ProviderImport.Scope, ProviderImport.State


def start_import(connection: Connection, *, now: datetime) -> ProviderImport:
    """The full reading that runs, or a new one with its wake-up. A reading of audit records that runs gives way."""
    must_be_readable(connection)
    with transaction.atomic():
        Connection.objects.select_for_update(no_key=True).get(pk=connection.pk)
        running = ProviderImport.objects.running().filter(connection=connection)
        found = running.full().first()
        if found is None:
            _give_way(running, now)
            found = ProviderImport.objects.create(connection=connection, started_at=now, due_at=now)
        enqueue(TASK, connection.pk)
    return found


def start_changes(connection: Connection, *, now: datetime) -> ProviderImport:
    """A reading of the audit records since the last one, or the reading that runs. Refused before a first full one."""
    must_be_readable(connection)
    with transaction.atomic():
        Connection.objects.select_for_update(no_key=True).get(pk=connection.pk)
        readings = ProviderImport.objects.filter(connection=connection)
        found, base = readings.running().first(), readings.bases().first()
        if found is None:
            if base is None or base.as_of is None or base.started_at < now - OLDEST:
                raise Refused("Everything has to be read first. Press Sync now.")
            readings.of_changes().exclude(pk=base.pk).exclude(started_at__gt=now - OLDEST).delete()
            since = base.as_of - OVERLAP
            found = ProviderImport.objects.create(
                connection=connection, scope=Scope.CHANGES, started_at=now, due_at=now, since=since
            )
        enqueue(TASK, connection.pk)
    return found


def run_import(import_id: int, *, clock: Clock, budget_s: float = BUDGET_S) -> ProviderImport:
    """Go on for at most `budget_s`; one that is not through then wakes a worker again.

    Raises Unauthorized, after recording it: the caller stops the connection.
    """
    now = clock()
    claimed = leases.claim(ProviderImport.objects.running(), import_id, now)
    row = ProviderImport.objects.select_related("connection__organization").get(pk=import_id)
    if not claimed:
        return row
    try:
        _check(row)
        client = client_of(row.connection, bulk=True, clock=clock)
        progress = Progress(row, client, clock, until=now + timedelta(seconds=budget_s))
        read = reading_all.read if row.scope == Scope.EVERYTHING else reading_audit.read
        if read(progress):
            _finish(progress)
        else:
            leases.settle(row, due_at=clock())
            enqueue(TASK, row.connection_id)
    except LeaseLost:
        pass
    except FarSideError as error:
        _broke_off(row, error, clock())
        if isinstance(error, Unauthorized):
            raise
    row.refresh_from_db()
    return row


def decide_missing(row: ProviderImport, *, actor: Actor, now: datetime) -> None:
    """A person's word for a reading that is held: what Microsoft no longer shows counts as cancelled, from today on."""
    missing.cancel_held(row, actor=actor, now=now)


def _give_way(readings: QuerySet[ProviderImport], now: datetime) -> None:
    ended = {"finished_at": now, "due_at": None, "lease_until": None, "message": "Everything is being read instead."}
    readings.update(state=State.FAILED, fence=F("fence") + 1, **ended)


def _check(row: ProviderImport) -> None:
    if row.connection.state not in READS:
        words = row.connection.get_state_display().lower()
        raise Rejected(f"The connection is {words}.", advice="Press Test first.")
    if leases.exhausted(row.attempts):
        raise Rejected("Reading broke off again and again at the same place.", advice="Press Sync now to start over.")


def _finish(progress: Progress) -> None:
    row, now = progress.row, progress.clock()
    held = missing.settle(progress) if row.scope == Scope.EVERYTHING else ""
    state = State.HELD if held else State.SUCCEEDED
    if leases.settle(row, state=state, message=held, gone=row.gone, counts=row.counts, finished_at=now, due_at=None):
        note_success(row.connection, now=now)


def _broke_off(row: ProviderImport, error: FarSideError, now: datetime) -> None:
    """Try again later where that may help, else say why it failed."""
    note_failure(row.connection, error, now=now)
    again = leases.try_after(error, row.attempts, now) if isinstance(error, Unavailable | OutcomeUnknown) else None
    if again is not None:
        leases.settle(row, due_at=again, message=str(error))
    else:
        leases.settle(row, state=State.FAILED, message=str(error), finished_at=now, due_at=None)
