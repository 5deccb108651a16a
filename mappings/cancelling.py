"""Ending a run that goes on, before it is through."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.db.models import F

from mappings.models import MatchRun
from portal.audit import Actor, record

CANCEL = "Cancel Mapping Run"


def cancel_run(run: MatchRun, *, actor: Actor, at: datetime) -> bool:
    """End it: its worker stops at the row that it is at, what was done stays. False where it had ended already."""
    with transaction.atomic():
        ended = {"state": MatchRun.State.CANCELLED, "finished_at": at, "due_at": None, "lease_until": None}
        if not MatchRun.objects.running().filter(pk=run.pk).update(fence=F("fence") + 1, **ended):
            return False
        run.refresh_from_db()
        record(
            CANCEL,
            actor=actor,
            organization=run.connection.organization,
            subject=str(run)[:250],
            connection=run.connection,
            asked={"run": run.pk, "kind": run.kind, "of": run.nouns},
            after={"done": run.done, "of": run.total, "mapped": run.mapped},
            at=at,
        )
    return True
