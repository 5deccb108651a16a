"""The margin of one subscription changed: its price, from the start of the billing period in which that was."""

from datetime import date

from syncops.operations.base import Fact, Kind, NothingToSend, Place, Refusal
from syncops.periods import PeriodGrid
from syncops.timeline import Timeline


def effect(timeline: Timeline, fact: Fact) -> Timeline:
    """Payload: `price` and `cost` per unit and period, and `usage_based` for what has no price of its own."""
    return timeline.with_price(fact.day, fact.money("price"), fact.money("cost"))


def starts(timeline: Timeline, fact: Fact, grid: PeriodGrid) -> date:
    """The contract's billing period that the change fell in, from its first day; what is posted stays a shortfall."""
    return grid.start_of(fact.effective)


def refuses(fact: Fact, place: Place) -> Refusal | None:
    """The price of an Azure plan follows from each month's usage."""
    if not fact.payload.get("usage_based"):
        return None
    return NothingToSend(
        "An Azure plan has no price of its own: the new margin counts in the amounts of the months to come."
    )


KIND = Kind(
    name="change_price",
    label="Change price",
    audit_name="Update Subscription on Connection",
    effect=effect,
    starts=starts,
    refuses=refuses,
    reaches_back=True,
    last_wins=True,
)
