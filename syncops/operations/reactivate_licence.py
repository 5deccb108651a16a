"""A licence was reactivated: units that its suspension took away come back."""

from portal.dates import in_words
from syncops.operations.base import Fact, Kind, Place, Refusal, Unsupported
from syncops.timeline import Timeline


def effect(timeline: Timeline, fact: Fact) -> Timeline:
    """Payload: `units`, the quantity of the subscription, and `zeroed`, whether the suspension took them away."""
    return timeline.with_units(fact.day, int(fact.payload["units"]))


def refuses(fact: Fact, place: Place) -> Refusal | None:
    """What the suspension did decides, not today's policy: units that were taken away always come back."""
    if fact.payload.get("zeroed"):
        return None
    return Unsupported(
        f"The reactivation is not sent: the suspension left the units of {place} as they were.",
        f"Look in Autotask that {place} has {fact.payload['units']} units from {in_words(fact.effective)} on.",
    )


KIND = Kind(
    name="reactivate_licence",
    label="Reactivate",
    audit_name="Update Subscription on Connection",
    effect=effect,
    refuses=refuses,
)
