"""Upgraded seats of another subscription were added to this one: units, on the day on which they leave the other."""

from syncops.operations.base import Fact, Kind
from syncops.timeline import Timeline


def effect(timeline: Timeline, fact: Fact) -> Timeline:
    """Payload: `units`, the new count (not a difference). Policies about the date of more seats do not hold here: what
    is taken from the other line is added on the same day.
    """
    return timeline.with_units(fact.day, int(fact.payload["units"]))


KIND = Kind(
    name="receive_upgrade",
    label="Add upgraded seats",
    audit_name="Update Subscription on Connection",
    effect=effect,
    alone=True,
)
