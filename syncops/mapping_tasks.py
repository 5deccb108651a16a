"""What the worker calls to map or move many subscriptions. As in `tasks`: called twice, late or never, none is lost."""

from __future__ import annotations

from datetime import datetime

from django.db.models import QuerySet
from django.utils import timezone

from mappings.models import MatchRun
from portal import leases
from portal.queue import enqueue
from syncops import mapping_run, newcomers, successions
from syncops.models import Newcomer, Succession


def run_mapping(run_id: int) -> None:
    """Go on with mapping many subscriptions."""
    mapping_run.run_mapping(run_id, clock=timezone.now)


def run_succession(succession_id: int) -> None:
    """Go on with moving the subscriptions of a renewed contract."""
    successions.run_succession(succession_id, clock=timezone.now)


def map_newcomer(row_id: int) -> None:
    """Map the new subscriptions that are due. The id only says that some are; losing it loses nothing."""
    newcomers.map_newcomers(clock=timezone.now)


def sweep(now: datetime | None = None) -> int:
    """Propose the renewals that were read, and wake a worker for every run that is due; how many there were."""
    moment = now or timezone.now()
    successions.find_successions(moment)
    waiting = [(mapping_run.RUN_TASK, pk) for pk in _due(moment).values_list("pk", flat=True)]
    waiting += [(successions.RUN_TASK, pk) for pk in _due_successions(moment).values_list("pk", flat=True)]
    waiting += [(newcomers.RUN_TASK, 0)] * _due_newcomers(moment).exists()
    for task, pk in waiting:
        enqueue(task, pk)
    return len(waiting)


def due(now: datetime) -> bool:
    """True where a run waits for a worker."""
    return _due(now).exists() or _due_successions(now).exists() or _due_newcomers(now).exists()


def work(now: datetime) -> None:
    """Go on in this process, with every run that is due."""
    for pk in list(_due(now).values_list("pk", flat=True)):
        run_mapping(pk)
    successions.find_successions(now)
    for pk in list(_due_successions(now).values_list("pk", flat=True)):
        run_succession(pk)
    newcomers.map_newcomers(clock=lambda: now)


def _due(now: datetime) -> QuerySet[MatchRun]:
    return leases.due(MatchRun.objects.running().filter(nouns=mapping_run.SUBSCRIPTIONS), now)


def _due_successions(now: datetime) -> QuerySet[Succession]:
    return leases.due(Succession.objects.accepted(), now)


def _due_newcomers(now: datetime) -> QuerySet[Newcomer]:
    return leases.due(Newcomer.objects.expected(), now)
