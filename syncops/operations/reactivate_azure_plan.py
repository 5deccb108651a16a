"""An Azure plan was reactivated: Autotask keeps price 0, or price and cost return with the next period."""

from syncops.operations.base import Fact, Kind, NothingToSend, Place, Refusal, next_period
from syncops.timeline import Timeline


def effect(timeline: Timeline, fact: Fact) -> Timeline:
    """No payload: what returns is what the line had before it went to 0, as far as that is known."""
    priced = (level for day, level in reversed(timeline.steps) if day <= fact.day and level.price)
    before = next(priced, None)
    return timeline if before is None else timeline.with_price(fact.day, before.price, before.cost)


def refuses(fact: Fact, place: Place) -> Refusal | None:
    if fact.policies.reactivation == "restore":
        return None
    return NothingToSend(
        f"Autotask keeps price 0 for {place}: the policy of the connection leaves reactivated Azure plans as they are.",
        f"In Autotask set the price and cost of {place} by an adjustment, from the next period on.",
    )


KIND = Kind(
    name="reactivate_azure_plan",
    label="Reactivate Azure plan",
    audit_name="Update Subscription on Connection",
    effect=effect,
    starts=next_period,
    refuses=refuses,
    policies=frozenset({"reactivation"}),
)
