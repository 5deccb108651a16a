"""A subscription was cancelled: its line has no units from that day on."""

from syncops.operations.base import Fact, Kind
from syncops.timeline import Timeline


def effect(timeline: Timeline, fact: Fact) -> Timeline:
    """No payload. The price stays as it is: a decrease that carries a price corrupts invoices."""
    return timeline.with_units(fact.day, 0)


KIND = Kind(
    name="cancel",
    label="Cancel",
    audit_name="Update Subscription on Connection",
    effect=effect,
    pauses=True,
)
