"""What the worker calls. Every task takes ids and may be called twice, late, or never: `sweep` finds what is due."""

from __future__ import annotations

from datetime import datetime

from django.db.models import QuerySet
from django.utils import timezone

from mappings import automatic
from mappings.boards import BOARDS
from mappings.models import MatchRun
from portal import leases
from portal.queue import enqueue


def run_match(run_id: int) -> None:
    """Go on with a matching of names."""
    automatic.run_match(run_id, clock=timezone.now)


def sweep(now: datetime | None = None) -> int:
    """Wake a worker for every matching that is due; how many there were."""
    waiting = list(_due(now or timezone.now()).values_list("pk", flat=True))
    for pk in waiting:
        enqueue(automatic.RUN_TASK, pk)
    return len(waiting)


def due(now: datetime) -> bool:
    """True where a matching waits for a worker."""
    return _due(now).exists()


def work(now: datetime) -> None:
    """Go on in this process, with every matching that is due."""
    for pk in list(_due(now).values_list("pk", flat=True)):
        run_match(pk)


def _due(now: datetime) -> QuerySet[MatchRun]:
    return leases.due(MatchRun.objects.running().filter(nouns__in=BOARDS), now)
