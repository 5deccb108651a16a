"""A person took the subscription off this contract: its line has no units from that day on."""

from syncops.operations.base import Fact, Kind
from syncops.timeline import Timeline


def effect(timeline: Timeline, fact: Fact) -> Timeline:
    """Payload: `goes_on`, where the units were put before, if anywhere. The price stays as it is: a decrease that
    carries a price corrupts invoices.
    """
    return timeline.with_units(fact.day, 0)


KIND = Kind(
    name="end_mapping",
    label="Take off the contract",
    audit_name="Update Subscription on Connection",
    effect=effect,
    alone=True,
)
"""Planned by `syncops.ending`, where the person wants the line at 0, and by `syncops.remapping`, where the
subscription goes on on another contract: then it waits for the proof there, and so shares no run."""
