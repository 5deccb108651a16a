"""What the worker does about Partner Center: imports, and looks at what hints name. `sweep` finds what is due.

On a new connection everything is read at once, then every night, when the organization sleeps; audit records are read
every hour. Hints come at any time.
"""

from datetime import datetime, time, timedelta

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from connections import actions
from connections.models import Connection, ProviderImport
from connections.provider.partner_center import hints, importer, looking, notifications, registering
from connections.provider.partner_center.reach import READS
from portal import leases
from portal.far_side import FarSideError, Unauthorized
from portal.queue import enqueue

AT_NIGHT = time(2)
CHANGES_EVERY = timedelta(hours=1)
NOT_AGAIN_FOR = timedelta(hours=1)
AT_ONCE = 50  # hints that one sweep wakes workers for


def run_import(connection_id: int) -> None:
    """Read on in the connection's running import; nothing where none runs."""
    row = ProviderImport.objects.running().filter(connection_id=connection_id).first()
    if row is None:
        return
    try:
        row = importer.run_import(row.pk, clock=timezone.now)
        if row.state == ProviderImport.State.SUCCEEDED and row.scope == ProviderImport.Scope.EVERYTHING:
            registering.register_unless_taken(row.connection, now=timezone.now())
    except Unauthorized as error:
        actions.mark_unauthorized(row.connection, error, now=timezone.now())


def look(hint_id: int) -> None:
    """Look at what a hint names; what goes wrong stands on the hint and on its connection."""
    if notifications.verify(hint_id, now=timezone.now()):
        return
    try:
        looking.look(hint_id, clock=timezone.now)
    except FarSideError:
        return


def sweep(now: datetime | None = None) -> int:
    """Wake workers for due imports and hints, start what is to be read anew; how many there were."""
    moment = now or timezone.now()
    reading = list(_due(moment).values_list("connection_id", flat=True))
    for connection_id in reading:
        enqueue(importer.TASK, connection_id)
    waiting = list(hints.due(moment).order_by("due_at").values_list("pk", flat=True)[:AT_ONCE])
    for pk in waiting:
        enqueue(hints.LOOK, pk)
    return len(reading) + len(waiting) + _start(moment) + hints.forget_old(moment)


def due(now: datetime) -> bool:
    """True where an import or a hint waits for a worker, or something is to be read anew."""
    return _due(now).exists() or hints.due(now).exists() or bool(_nightly(now)) or _hourly(now).exists()


def work(now: datetime) -> None:
    """Do everything that is due, in this process."""
    _start(now)
    for connection_id in list(_due(now).values_list("connection_id", flat=True)):
        run_import(connection_id)
    for pk in list(hints.due(now).order_by("due_at").values_list("pk", flat=True)[:AT_ONCE]):
        look(pk)


def next_night(connection: Connection, now: datetime) -> datetime:
    """When everything is read next: at 2 o'clock there, each connection some minutes after the other."""
    return last_night(connection, now) + timedelta(days=1)


def last_night(connection: Connection, now: datetime) -> datetime:
    local = now.astimezone(connection.organization.zone)
    night = local.replace(hour=AT_NIGHT.hour, minute=connection.pk % 60, second=0, microsecond=0)
    return night if night <= local else night - timedelta(days=1)


def _start(now: datetime) -> int:
    full = [importer.start_import(connection, now=now) for connection in _nightly(now)]
    return len(full) + len([importer.start_changes(connection, now=now) for connection in list(_hourly(now))])


def _due(now: datetime) -> QuerySet[ProviderImport]:
    return leases.due(ProviderImport.objects.running(), now)


def _readable() -> QuerySet[Connection]:
    rows = Connection.objects.filter(kind=Connection.Kind.PARTNER_CENTER, state__in=READS)
    return rows.filter(organization__parent__isnull=True).select_related("organization")


def _nightly(now: datetime) -> list[Connection]:
    """Connections whose last full import is not of this night, and was not tried within the hour."""
    readings = ProviderImport.objects.full().filter(connection=OuterRef("pk"))
    busy = readings.filter(Q(state=ProviderImport.State.RUNNING) | Q(started_at__gt=now - NOT_AGAIN_FOR))
    through = ProviderImport.objects.full().exclude(state=ProviderImport.State.FAILED)
    found = []
    for connection in _readable().filter(~Exists(busy)):
        last = through.filter(connection=connection).order_by("-pk").first()
        if last is None or last.started_at < last_night(connection, now):
            found.append(connection)
    return found


def _hourly(now: datetime) -> QuerySet[Connection]:
    """Connections whose last import of any scope is an hour old, and whose audit records can be read from there."""
    readings = ProviderImport.objects.filter(connection=OuterRef("pk"))
    busy = readings.filter(Q(state=ProviderImport.State.RUNNING) | Q(started_at__gt=now - CHANGES_EVERY))
    base = readings.bases().filter(started_at__gt=now - importer.OLDEST)
    return _readable().filter(~Exists(busy), Exists(base))
