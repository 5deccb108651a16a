"""Entry points for the queue and the supervisor; they take ids and carry no logic."""

from datetime import datetime

from django.utils import timezone

from portal.queue import busy, enqueue
from syncops.claim import free_dead
from syncops.engine import Engine
from syncops.jobs import go_on
from syncops.models import Stream


def drain(connection_id: int | None = None) -> int:
    """Work on everything that is due. The id only says who rang; losing it loses nothing."""
    engine = Engine()
    with busy(engine.limits.longest_drain_s):
        return engine.drain()


def due(now: datetime) -> bool:
    """Whether any stream has work that nobody holds."""
    return Stream.objects.due(now).exists()


def sweep(now: datetime | None = None) -> int:
    """Free what dead workers hold, take up what a connection stopped, and wake a worker where something is due; how
    many streams that is.
    """
    now = now or timezone.now()
    free_dead(now)
    go_on(now)
    waiting = Stream.objects.due(now).count()
    if waiting:
        enqueue("syncops.tasks.drain", 0)
    return waiting


def work(now: datetime) -> None:
    """Do everything that is due, in this process."""
    free_dead(now)
    go_on(now)
    Engine().drain()
