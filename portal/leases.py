"""Leases on rows that a worker takes through several steps with the far side, and when the next step is due.

A row has `due_at` (empty while there is nothing to do), `lease_until`, `fence` and `attempts`. A claim is one
conditional UPDATE: 1 changed row means it is ours. What comes back from the far side is written by fence, so a worker
that lost its lease changes nothing.
"""

from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db.models import F, Model, Q, QuerySet

from portal.far_side import FarSideError, Unauthorized, Unavailable

FIRST_WAITS = (1, 2, 3, 5, 15, 30, 60)  # seconds
LATER_WAIT = 300
PATIENCE = 7200
MOST_ATTEMPTS = len(FIRST_WAITS) + (PATIENCE - sum(FIRST_WAITS)) // LATER_WAIT


def next_try(attempts: int, now: datetime, *, at_least: float | None = None) -> datetime | None:
    """When to try again after so many attempts; None once patience (2 hours) is at its end and a person must look.

    `at_least`: seconds that the far side asked us to wait.
    """
    if attempts > MOST_ATTEMPTS:
        return None
    wait = FIRST_WAITS[attempts - 1] if attempts <= len(FIRST_WAITS) else LATER_WAIT
    return now + timedelta(seconds=max(wait, at_least or 0))


def try_after(error: FarSideError, attempts: int, now: datetime) -> datetime | None:
    """When to try again after `error`. Refused credentials are never tried in a loop, so they wait for a person."""
    if isinstance(error, Unauthorized):
        return None
    return next_try(attempts, now, at_least=error.retry_after if isinstance(error, Unavailable) else None)


def exhausted(attempts: int) -> bool:
    """True for an attempt beyond the last one: workers died under this row again and again."""
    return attempts > MOST_ATTEMPTS + 1


def due(rows: QuerySet[Any], now: datetime) -> QuerySet[Any]:
    """The rows whose time has come and that nobody holds."""
    return rows.filter(Q(lease_until__isnull=True) | Q(lease_until__lte=now), due_at__lte=now)


def claim(rows: QuerySet[Any], pk: int, now: datetime) -> bool:
    """Take the row for a while, with a new fence; False where it is not due or somebody else holds it."""
    until = now + timedelta(seconds=settings.EXECUTOR["lease_s"])
    taken = due(rows.filter(pk=pk), now)
    return taken.update(lease_until=until, fence=F("fence") + 1, attempts=F("attempts") + 1) == 1


def settle(row: Model, **values: Any) -> bool:
    """Write what came of the step and give the row back; False where the lease was lost meanwhile."""
    rows = type(row)._default_manager.filter(pk=row.pk, fence=row.fence)  # type: ignore[attr-defined]
    return rows.update(lease_until=None, **values) == 1
