"""The line of an Azure plan shows a price that no amount of a month asks for: it goes to 0 from a period on."""

from decimal import Decimal

from syncops.operations.base import Fact, Kind
from syncops.timeline import Timeline


def effect(timeline: Timeline, fact: Fact) -> Timeline:
    """No payload. Months that are set later come after this fact, and keep their amounts."""
    return timeline.with_price(fact.day, Decimal(0), Decimal(0))


KIND = Kind(
    name="zero_azure_price",
    label="Set Azure price to 0",
    audit_name="Set Azure Price to Zero on Connection",
    effect=effect,
    needs=frozenset({"adjusts_price"}),
    insists=True,
)
