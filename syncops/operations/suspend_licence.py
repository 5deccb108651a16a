"""A licence was suspended: Autotask goes on billing it, or its units go to 0 until it is reactivated."""

from portal.dates import in_words
from syncops.operations.base import Fact, Kind, Place, Refusal, Unsupported
from syncops.timeline import Timeline


def effect(timeline: Timeline, fact: Fact) -> Timeline:
    """No payload: no units from the suspension on; the price stays for their return."""
    return timeline.with_units(fact.day, 0)


def refuses(fact: Fact, place: Place) -> Refusal | None:
    if fact.policies.licence_suspension == "zero":
        return None
    return Unsupported(
        f"The suspension is not sent: Autotask goes on billing {place}.",
        f"Should it not be billed, set the units of {place} to 0 in Autotask from {in_words(fact.effective)} on, "
        "and back when the subscription is reactivated.",
    )


KIND = Kind(
    name="suspend_licence",
    label="Suspend",
    audit_name="Update Subscription on Connection",
    effect=effect,
    refuses=refuses,
    policies=frozenset({"licence_suspension"}),
    pauses=True,
)
