"""What the worker calls. Every task takes ids and may be called twice, late, or never: `sweep` finds what is due."""

from datetime import datetime, timedelta

from django.conf import settings
from django.core.mail import send_mail
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.urls import reverse
from django.utils import timezone

from connections import actions, mirror
from connections.models import Connection, MirrorRefresh
from portal import leases
from portal.far_side import Unauthorized
from portal.models import User
from portal.queue import enqueue

FRESH_FOR = timedelta(hours=24)
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
    """Mail to the administrators of the connection's organization that its credentials are refused."""
    connection = Connection.objects.select_related("organization").get(pk=connection_id)
    people = User.objects.filter(
        organization_id=connection.organization_id, role=User.Role.ADMINISTRATOR, is_active=True
    )
    page = f"{settings.PUBLIC_URL}{reverse('connections:connection_detail', args=[connection.pk])}"
    send_mail(
        subject=f"{connection.name}: credentials refused, nothing is sent",
        message=f"{connection.last_failure}\n\nWhat was to be sent is kept and goes on once they work again:\n{page}\n",
        from_email=None,
        recipient_list=[person.email for person in people],
    )


def sweep(now: datetime | None = None) -> int:
    """Wake a worker for every refresh that is due, and start those of day-old mirrors; how many there were."""
    moment = now or timezone.now()
    waiting = list(_due(moment).values_list("connection_id", flat=True))
    for connection_id in waiting:
        enqueue("connections.tasks.refresh_mirror", connection_id)
    return len(waiting) + len(_start_stale(moment))


def due(now: datetime) -> bool:
    """True where a refresh waits for a worker, or a mirror is a day old."""
    return _due(now).exists() or _stale(now).exists()


def work(now: datetime) -> None:
    """Read on in this process, in every refresh that is due."""
    _start_stale(now)
    for connection_id in list(_due(now).values_list("connection_id", flat=True)):
        refresh_mirror(connection_id)


def _start_stale(now: datetime) -> list[MirrorRefresh]:
    return [mirror.start_refresh(connection, now=now) for connection in list(_stale(now))]


def _due(now: datetime) -> QuerySet[MirrorRefresh]:
    return leases.due(MirrorRefresh.objects.running(), now)


def _stale(now: datetime) -> QuerySet[Connection]:
    lately = MirrorRefresh.objects.filter(connection=OuterRef("pk"), started_at__gt=now - NOT_AGAIN_FOR)
    running = MirrorRefresh.objects.running().filter(connection=OuterRef("pk"))
    old = Q(mirrored_at__isnull=True) | Q(mirrored_at__lte=now - FRESH_FOR)
    return Connection.objects.autotask().filter(old, ~Exists(lately), ~Exists(running), state__in=mirror.READS)
