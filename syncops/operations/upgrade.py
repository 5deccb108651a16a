"""A subscription was upgraded to another offer: its units belong on the line of the new one."""

from portal.dates import in_words
from syncops.operations.base import Fact, Kind, Place, Refusal, Unsupported
from syncops.timeline import Timeline


def effect(timeline: Timeline, fact: Fact) -> Timeline:
    """Payload: `units` that stay on the old offer, none after a full upgrade, which keeps the subscription's id;
    `goes_on`, the line on which the others were put, or the `problem` that keeps it from being known. `added_to`: the
    line to which they are added whatever happens here.
    """
    return timeline.with_units(fact.day, int(fact.payload.get("units", 0)))


def refuses(fact: Fact, place: Place) -> Refusal | None:
    """Sent only where it is known on which line the units go on: they are put there first."""
    if fact.policies.upgrade == "pair" and fact.payload.get("goes_on"):
        return None
    stay, problem = int(fact.payload.get("units", 0)), fact.payload.get("problem", "")
    rest = (
        f"the upgraded ones are added to {fact.payload['added_to']} by an operation of their own."
        if fact.payload.get("added_to")
        else "add the upgraded ones to the service of the new offer from the same day on."
    )
    return Unsupported(
        f"The upgrade is not sent: {place} goes on with the old offer.",
        f"{problem} In Autotask set the units of {place} to {stay} from {in_words(fact.effective)} on, and "
        f"{rest}".strip(),
    )


KIND = Kind(
    name="upgrade",
    label="Upgrade",
    audit_name="Update Subscription on Connection",
    effect=effect,
    refuses=refuses,
    policies=frozenset({"upgrade"}),
    alone=True,
)
