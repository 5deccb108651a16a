"""What the worker calls to map many subscriptions. As in `tasks`: called twice, late or never, nothing is lost."""

from __future__ import annotations

from datetime import datetime

from django.db.models import QuerySet
from django.utils import timezone

from mappings.models import MatchRun
from portal import leases
from portal.queue import enqueue
from syncops import mapping_run


def run_mapping(run_id: int) -> None:
    """Go on with mapping many subscriptions."""
    mapping_run.run_mapping(run_id, clock=timezone.now)


def sweep(now: datetime | None = None) -> int:
    """Wake a worker for every run that is due; how many there were."""
    waiting = list(_due(now or timezone.now()).values_list("pk", flat=True))
    for pk in waiting:
        enqueue(mapping_run.RUN_TASK, pk)
    return len(waiting)


def due(now: datetime) -> bool:
    """True where a run waits for a worker."""
    return _due(now).exists()


def work(now: datetime) -> None:
    """Go on in this process, with every run that is due."""
    for pk in list(_due(now).values_list("pk", flat=True)):
        run_mapping(pk)


def _due(now: datetime) -> QuerySet[MatchRun]:
    return leases.due(MatchRun.objects.running().filter(nouns=mapping_run.SUBSCRIPTIONS), now)
