"""What the worker calls for files of many rows: called twice, late or never, nothing is lost."""

from __future__ import annotations

from datetime import datetime

from django.db.models import QuerySet
from django.utils import timezone

from portal import import_run, leases
from portal.actions.imports import RUN_TASK
from portal.models import SheetImport
from portal.queue import busy, enqueue


def run_import(run_id: int) -> None:
    """Go on with a file."""
    with busy(import_run.BUDGET_S * 2):
        import_run.run_import(run_id, clock=timezone.now)


def sweep(now: datetime | None = None) -> int:
    """Wake a worker for every file that is due; how many there were."""
    waiting = list(_due(now or timezone.now()).values_list("pk", flat=True))
    for pk in waiting:
        enqueue(RUN_TASK, pk)
    return len(waiting)


def due(now: datetime) -> bool:
    """True where a file waits for a worker."""
    return _due(now).exists()


def work(now: datetime) -> None:
    """Go on in this process, with every file that is due."""
    for pk in list(_due(now).values_list("pk", flat=True)):
        run_import(pk)


def _due(now: datetime) -> QuerySet[SheetImport]:
    return leases.due(SheetImport.objects.working(), now)
