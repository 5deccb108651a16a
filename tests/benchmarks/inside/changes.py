"""Changes of quantity, and how far they are."""

import random
import time
from datetime import date
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Max, Min
from django.utils import timezone

from portal.actions.subscriptions import record_change
from portal.audit import Actor
from portal.models import Subscription, User
from syncops.models import SyncOperation
from tests.benchmarks import far_side

TODAY = date.fromisoformat(far_side.TODAY)
PATIENCE_S = 30.0


def change_lines(quantity: str) -> int:
    """Record a change of every subscription, as an import of Microsoft's changes does; how many."""
    actor = Actor.user(User.objects.earliest("pk"))
    with transaction.atomic():
        for row in Subscription.objects.select_related("customer", "organization"):
            _change(row, int(quantity), actor)
    return SyncOperation.objects.open().count()


def confirm(rounds: str) -> dict[str, Any]:
    """Change one subscription after the other, each once the last is proved; seconds from commit to proof.

    `poll`: how often the queue looks, in seconds.
    """
    actor, chance, found = Actor.user(User.objects.earliest("pk")), random.Random(1), []
    for row in Subscription.objects.select_related("customer", "organization").order_by("pk")[: int(rounds)]:
        time.sleep(0.5 + chance.random())  # at any moment between two looks of the worker
        _change(row, row.quantity + 2, actor)
        committed = timezone.now()
        operation = _proved(row)
        assert operation.finished_at
        found.append((operation.finished_at - committed).total_seconds())
    return {"seconds": found, "poll": settings.Q_CLUSTER["poll"]}


def progress() -> dict[str, Any]:
    """How far the changes are: how many are open, proved, or neither, and the seconds from the first to the last."""
    changes = SyncOperation.objects.filter(change__isnull=False)
    ended = changes.filter(state=SyncOperation.State.SUCCEEDED)
    times = ended.aggregate(first=Min("started_at"), last=Max("finished_at"))
    seconds = (times["last"] - times["first"]).total_seconds() if times["last"] else 0
    waiting, proved = changes.open().count(), ended.count()
    return {"open": waiting, "proved": proved, "other": changes.count() - waiting - proved, "seconds": seconds}


def _change(row: Subscription, quantity: int, actor: Actor) -> None:
    record_change(
        row,
        kind="quantity_changed",
        effective_on=TODAY,
        source="portal",
        after={"quantity": quantity},
        actor=actor,
        at=timezone.now(),
    )


def _proved(row: Subscription) -> SyncOperation:
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        operation = SyncOperation.objects.filter(subscription=row).latest("pk")
        if operation.state == SyncOperation.State.SUCCEEDED:
            return operation
        time.sleep(0.02)
    raise RuntimeError(f"still {operation.state} after {PATIENCE_S} s: {operation.error or operation.waiting_for}")
