"""The margins of a customer changed: the price of each of its subscriptions that has no margin of its own."""

from datetime import date

from syncops.operations import change_price
from syncops.operations.base import Fact, Kind, next_period
from syncops.periods import PeriodGrid
from syncops.timeline import Timeline


def effect(timeline: Timeline, fact: Fact) -> Timeline:
    """Payload: `price` and `cost` per unit and period, and `usage_based` for what has no price of its own."""
    return timeline.with_price(fact.day, fact.money("price"), fact.money("cost"))


def starts(timeline: Timeline, fact: Fact, grid: PeriodGrid) -> date:
    """The day on which the margins were completed, or the next period where Autotask re-prices whole ones only."""
    return next_period(timeline, fact, grid) if fact.policies.margin_date == "next_period_start" else fact.effective


KIND = Kind(
    name="change_margins",
    label="Change customer margins",
    audit_name="Update Subscription on Connection",
    effect=effect,
    starts=starts,
    refuses=change_price.refuses,
    policies=frozenset({"margin_date"}),
    last_wins=True,
)
