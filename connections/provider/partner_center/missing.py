"""Subscriptions that Microsoft showed before and does not show any more.

It keeps even deleted ones in its lists, so one that is missing went to another partner, or the relation to its customer
ended. A few of them count as cancelled. More than one in ten are held: a right that was lost looks like that.
"""

from datetime import datetime

from django.db import transaction
from django.db.models import F

from connections.models import ProviderCustomer, ProviderImport
from connections.provider.partner_center.progress import Progress
from connections.provider.partner_center.recording import SOURCE, Recorder
from connections.refusals import Refused
from portal import audit
from portal.actions.lifecycle import Learned, record_cancelled
from portal.audit import Actor
from portal.models import Subscription

MOST_GONE = 10  # one in ten


def settle(progress: Progress) -> str:
    """Record as cancelled what is missing; where that is too much, the words to say so, and nothing is recorded."""
    row = progress.row
    seen = ProviderCustomer.objects.filter(connection=row.connection, read_at__isnull=False)
    billed = Subscription.objects.filter(status__in=Subscription.BILLED)
    lost = seen.exclude(seen_at=row.started_at).values("customer")
    named = [pk for pks in seen.filter(seen_at=row.started_at).values_list("missing", flat=True) for pk in pks]
    gone = billed.filter(customer__in=lost).exclude(external_id="") | billed.filter(pk__in=named)
    row.gone = list(gone.order_by("pk").values_list("pk", flat=True))
    total = billed.filter(customer__in=seen.values("customer")).count()
    progress.count("gone", len(row.gone))
    if len(row.gone) * MOST_GONE > total:
        return _words(len(row.gone), total)
    recorder = Recorder(row.connection, progress.clock)
    for one in Subscription.objects.filter(pk__in=row.gone).select_related("organization", "customer", "variant"):
        recorder.gone(one)
    return ""


def cancel_held(row: ProviderImport, *, actor: Actor, now: datetime) -> None:
    """What a person decided: what is missing counts as cancelled from today on. Refused where nothing is held.

    Each subscription is a transaction of its own: two in one could wait for a worker that waits for them.
    """
    connection = row.connection
    with transaction.atomic():
        held = ProviderImport.objects.filter(pk=row.pk, state=ProviderImport.State.HELD)
        if not held.update(state=ProviderImport.State.SUCCEEDED, message="", fence=F("fence") + 1):
            raise Refused("Nothing waits for a decision here.")
        audit.record(
            "Cancel Missing Subscriptions",
            actor=actor,
            organization=connection.organization,
            connection=connection,
            subject=f"{len(row.gone)} subscriptions",
            asked={"subscriptions": row.gone},
            at=now,
        )
    rows = Subscription.objects.filter(pk__in=row.gone, status__in=Subscription.BILLED).order_by("pk")
    for one in rows.select_related("organization", "customer", "variant"):
        record_cancelled(one, Learned(now.astimezone(one.organization.zone).date(), SOURCE, actor, now))


def _words(gone: int, total: int) -> str:
    return (
        f"Microsoft no longer shows {gone} of {total} subscriptions that are billed. That is more than one in ten, so "
        "nothing was cancelled. It happens when the partner loses a relationship or the application a right. Put that "
        "right and press Sync now, or count them as cancelled."
    )
