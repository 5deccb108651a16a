"""What the worker calls. Every task takes ids and may be called twice, late, or never: `sweep` finds what is due."""

from datetime import datetime, timedelta

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from connections import actions, creations, mirror, setup, telling
from connections.models import Connection, Creation, MirrorRefresh
from portal import leases
from portal.far_side import Unauthorized
from portal.queue import enqueue

FRESH_FOR = timedelta(hours=24)
CHANGES_EVERY = timedelta(minutes=5)  # at some 4 requests, half a percent of the 10,000 that a tenant has in an hour
NOT_AGAIN_FOR = timedelta(hours=1)


def refresh_mirror(connection_id: int) -> None:
    """Read on in the connection's running refresh; nothing where none runs."""
    refresh = MirrorRefresh.objects.running().filter(connection_id=connection_id).first()
    if refresh is None:
        return
    try:
        mirror.run_refresh(refresh.pk, clock=timezone.now)
    except Unauthorized as error:
        actions.mark_unauthorized(refresh.connection, error, now=timezone.now())


def tell_administrators(connection_id: int) -> None:
    """Mail what changed about the connection's health, where its administrators do not know it yet."""
    telling.tell(connection_id, now=timezone.now())


def look_for_creation(creation_id: int) -> None:
    """Look for what became of something that a person had created."""
    related = ("connection__organization", "asked_by", "began")
    row = Creation.objects.open().filter(pk=creation_id).select_related(*related).first()
    if row is not None:
        creations.look(row, clock=timezone.now)


def sweep(now: datetime | None = None) -> int:
    """Wake workers for due refreshes and mails, start stale mirrors, forget abandoned drafts; how many there were."""
    moment = now or timezone.now()
    waiting = list(_due(moment).values_list("connection_id", flat=True))
    for connection_id in waiting:
        enqueue("connections.tasks.refresh_mirror", connection_id)
    unknown = list(telling.news(moment).values_list("pk", flat=True))
    for connection_id in unknown:
        enqueue("connections.tasks.tell_administrators", connection_id)
    doubtful = list(_doubtful(moment).values_list("pk", flat=True))
    for pk in doubtful:
        enqueue("connections.tasks.look_for_creation", pk)
    return len(doubtful) + len(waiting) + len(unknown) + len(_start_stale(moment)) + setup.forget_abandoned(moment)


def due(now: datetime) -> bool:
    """True where a reading waits for a worker, data are to be read anew or for changes, or a draft is abandoned.

    Mails are sent where it is swept anyway: with the mail server away they would wake it on and on.
    """
    return any(rows.exists() for rows in (_due(now), _stale(now), _changing(now), setup.abandoned(now), _doubtful(now)))


def work(now: datetime) -> None:
    """Do everything that is due, in this process."""
    setup.forget_abandoned(now)
    _start_stale(now)
    for connection_id in list(_due(now).values_list("connection_id", flat=True)):
        refresh_mirror(connection_id)
    for pk in list(_doubtful(now).values_list("pk", flat=True)):
        look_for_creation(pk)


def _doubtful(now: datetime) -> QuerySet[Creation]:
    """What a person had created, and nobody knows yet whether it was."""
    return Creation.objects.open().filter(due_at__lte=now, connection__state__in=mirror.READS)


def _start_stale(now: datetime) -> list[MirrorRefresh]:
    full = [mirror.start_refresh(connection, now=now) for connection in list(_stale(now))]
    return full + [mirror.start_changes(connection, now=now) for connection in list(_changing(now))]


def _due(now: datetime) -> QuerySet[MirrorRefresh]:
    return leases.due(MirrorRefresh.objects.running(), now)


def _stale(now: datetime) -> QuerySet[Connection]:
    readings = MirrorRefresh.objects.full().filter(connection=OuterRef("pk"))
    lately, running = readings.filter(started_at__gt=now - NOT_AGAIN_FOR), readings.running()
    old = Q(mirrored_at__isnull=True) | Q(mirrored_at__lte=now - FRESH_FOR)
    return Connection.objects.autotask().filter(old, ~Exists(lately), ~Exists(running), state__in=mirror.READS)


def _changing(now: datetime) -> QuerySet[Connection]:
    """Connections whose last reading of any scope is some minutes old, and whose changes can be told from it."""
    readings = MirrorRefresh.objects.filter(connection=OuterRef("pk"))
    busy = readings.filter(Q(state=MirrorRefresh.State.RUNNING) | Q(started_at__gt=now - CHANGES_EVERY))
    return Connection.objects.autotask().filter(~Exists(busy), Exists(readings.bases()), state__in=mirror.READS)
