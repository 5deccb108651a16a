"""A licence was reactivated: units that its suspension took away come back, as many as the other changes say."""

from portal.dates import in_words
from syncops.operations.base import Fact, Kind, Place, Refusal, Unsupported
from syncops.timeline import Timeline


def effect(timeline: Timeline, fact: Fact) -> Timeline:
    """Payload: `zeroed`, whether the suspension took the units away; and `units`, the quantity when it was recorded,
    for words only: how many come back is for the changes of the quantity to say, of which some become known late.
    """
    return timeline


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
    resumes=True,
)
