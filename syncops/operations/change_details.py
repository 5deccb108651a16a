"""The friendly name or the automatic renewal changed: Autotask has no place for either."""

from syncops.operations.base import Fact, Kind, Place, Refusal, Unsupported
from syncops.timeline import Timeline


def effect(timeline: Timeline, fact: Fact) -> Timeline:
    """No payload: nothing on the line follows from a name."""
    return timeline


def refuses(fact: Fact, place: Place) -> Refusal | None:
    return Unsupported(
        "A new name or automatic renewal is not sent: what Autotask bills stays right.",
        f"Where you show the name in Autotask, change the description of {place} there by hand.",
    )


KIND = Kind(
    name="change_details",
    label="Change name or auto-renew",
    audit_name="Update Subscription on Connection",
    effect=effect,
    refuses=refuses,
)
