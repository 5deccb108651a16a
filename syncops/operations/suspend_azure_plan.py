"""An Azure plan was suspended: price and cost 0 from the next period on, for all later ones."""

from decimal import Decimal

from syncops.operations.base import Fact, Kind, next_period
from syncops.timeline import Timeline


def effect(timeline: Timeline, fact: Fact) -> Timeline:
    """No payload. The usage up to the suspension is still billed in the period in which it fell."""
    return timeline.with_price(fact.day, Decimal(0), Decimal(0))


KIND = Kind(
    name="suspend_azure_plan",
    label="Suspend Azure plan",
    audit_name="Update Subscription on Connection",
    effect=effect,
    starts=next_period,
)
