"""The quantity of a subscription changed: the line's units, from the date on which the change took effect."""

from syncops.operations.base import Effect, Fact, Kind
from syncops.timeline import Timeline


def effect(timeline: Timeline, fact: Fact) -> Effect:
    """Payload: `units`, the new count (not a difference). Prices stay as they are."""
    return timeline.with_units(fact.effective, int(fact.payload["units"]))


KIND = Kind(
    name="change_quantity",
    label="Change quantity",
    audit_name="Update Subscription on Connection",
    effect=effect,
    last_wins=True,
)
