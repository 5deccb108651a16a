"""An Azure plan leaves its line only between two months: the amount of a month is billed whole, by one line."""

from __future__ import annotations

from datetime import date

from mappings.models import SubscriptionMapping
from portal.actions.prices import USAGE_BASED
from portal.templatetags.portal import day as in_full
from syncops.models import SyncOperation
from syncops.operations import set_azure_month


def why_not_leave(mapping: SubscriptionMapping, day: date) -> str:
    """Why an Azure plan's line cannot go to 0 on a day, with what to do; empty where it can, and for other offers."""
    if mapping.subscription.variant.offer.category not in USAGE_BASED:
        return ""
    if day.day != 1:
        return "An Azure plan is billed by whole months. Choose the first day of a month."
    kind, done = set_azure_month.KIND.name, SyncOperation.State.SUCCEEDED
    months = SyncOperation.objects.filter(mapping=mapping, kind=kind, state=done, effective_on__gte=day)
    held = next((one for one in months.order_by("-effective_on", "-pk") if not one.is_undone), None)
    if held is None:
        return ""
    return (
        f"The line bills an Azure month from {in_full(held.effective_on)} on. Undo that first, or choose a later day."
    )
