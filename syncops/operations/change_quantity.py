"""The quantity of a subscription changed: the line's units, and its price where a promotion depends on them."""

from datetime import date

from syncops.operations.base import Fact, Kind, next_period
from syncops.periods import PeriodGrid
from syncops.timeline import Timeline


def effect(timeline: Timeline, fact: Fact) -> Timeline:
    """Payload: `units`, the new count (not a difference). With a promotion `price` and `cost` per unit and period as
    well; without them prices stay as they are. `carried_on`: it took effect on another line, before this one began.
    """
    changed = timeline.with_units(fact.day, int(fact.payload["units"]))
    price = fact.money("price")
    return changed if price is None else changed.with_price(fact.day, price, fact.money("cost"))


def starts(timeline: Timeline, fact: Fact, grid: PeriodGrid) -> date:
    """Its own date or the next period, as the policies say for more and for fewer seats than are billed so far."""
    if fact.payload.get("carried_on"):
        return fact.effective
    more = int(fact.payload["units"]) >= timeline.at(fact.effective).units
    policy = fact.policies.seat_increase if more else fact.policies.seat_decrease
    return next_period(timeline, fact, grid) if policy == "next_period" else fact.effective


KIND = Kind(
    name="change_quantity",
    label="Change quantity",
    audit_name="Update Subscription on Connection",
    effect=effect,
    starts=starts,
    policies=frozenset({"seat_increase", "seat_decrease"}),
    last_wins=True,
)
