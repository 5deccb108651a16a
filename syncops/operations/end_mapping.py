"""A person took the subscription off this contract: its line has no units from that day on."""

from syncops.operations.base import Fact, Kind
from syncops.timeline import Timeline


def effect(timeline: Timeline, fact: Fact) -> Timeline:
    """No payload. The price stays as it is: a decrease that carries a price corrupts invoices."""
    return timeline.with_units(fact.day, 0)


KIND = Kind(
    name="end_mapping",
    label="Take off the contract",
    audit_name="Update Subscription on Connection",
    effect=effect,
)
"""Planned by `syncops.ending`, where the person wants the line at 0."""
