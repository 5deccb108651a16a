"""What a person decides about suggestions, and what is kept of it."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.db.models import QuerySet

from connections.models import Connection
from mappings.models import Suggestion
from portal.audit import Actor, record

REJECT = "Reject Mapping Suggestion"


def reject_suggestions(connection: Connection, waiting: QuerySet[Suggestion], *, actor: Actor, at: datetime) -> int:
    """Keep them as rejected, so that they are not suggested again; how many there were, with one entry for them all."""
    with transaction.atomic():
        rows = list(waiting.select_for_update(of=("self",), no_key=True).select_related("customer", "variant__offer"))
        if not rows:
            return 0
        Suggestion.objects.filter(pk__in=[row.pk for row in rows]).update(
            state=Suggestion.State.REJECTED, decided_by_id=actor.user_id
        )
        record(
            REJECT,
            actor=actor,
            organization=connection.organization,
            subject=str(rows[0])[:250],
            customer=rows[0].customer,
            connection=connection,
            asked={"rejected": [{"id": row.remote_id, "name": row.remote_name, "score": row.score} for row in rows]},
            at=at,
        )
    return len(rows)
