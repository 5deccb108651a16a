"""Another reseller bills the subscription from now on: its line ends here."""

from portal.dates import in_words
from syncops.operations.base import Fact, Kind, Place, Refusal, Unsupported
from syncops.timeline import Timeline


def effect(timeline: Timeline, fact: Fact) -> Timeline:
    """No payload: the line of the old owner has no units from that day on."""
    return timeline.with_units(fact.day, 0)


def refuses(fact: Fact, place: Place) -> Refusal | None:
    if fact.policies.reseller_change == "hand_over":
        return None
    return Unsupported(
        f"The change of reseller is not sent: Autotask goes on billing {place}.",
        f"In Autotask set the units of {place} to 0 from {in_words(fact.effective)} on; the new reseller bills the "
        "subscription.",
    )


KIND = Kind(
    name="change_reseller",
    label="Hand over to another reseller",
    audit_name="Update Subscription on Connection",
    effect=effect,
    refuses=refuses,
    policies=frozenset({"reseller_change"}),
)
