"""The amount of an Azure plan's month becomes the price of its line for one billing period, and 0 after it."""

from datetime import date
from decimal import Decimal

from syncops.operations.base import Fact, Kind
from syncops.timeline import Timeline

RESETS_ON = "resets_on"


def effect(timeline: Timeline, fact: Fact) -> Timeline:
    """Payload: `price` and `cost` of the month, and `resets_on`, the first day of the period after it; None where the
    contract ends before. Later months that were set come after this fact, and keep their amounts.
    """
    after = timeline.with_price(fact.day, fact.money("price"), fact.money("cost"))
    resets_on = fact.payload.get(RESETS_ON)
    return after.with_price(date.fromisoformat(resets_on), Decimal(0), Decimal(0)) if resets_on else after


KIND = Kind(
    name="set_azure_month",
    label="Set Azure month",
    audit_name="Set Azure Month on Connection",
    effect=effect,
    policies=frozenset({"azure_billing", "azure_period"}),
    needs=frozenset({"adjusts_price"}),
    last_wins=True,
    insists=True,
)
