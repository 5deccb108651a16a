"""The billing frequency changed: the units belong on a contract of the new period type."""

from portal.dates import in_words
from syncops.operations.base import Fact, Kind, Place, Refusal, Unsupported
from syncops.timeline import Timeline


def effect(timeline: Timeline, fact: Fact) -> Timeline:
    """The old line ends with the change. Payload: `goes_on`, the line on which the units were put, or the `problem`
    that keeps it from being known.
    """
    return timeline.with_units(fact.day, 0)


def refuses(fact: Fact, place: Place) -> Refusal | None:
    """Sent only where it is known on which contract the units go on: they are put there first."""
    if fact.policies.cycle_change == "move" and fact.payload.get("goes_on"):
        return None
    return Unsupported(
        f"A new billing frequency is not sent: {place} goes on with the old one.",
        f"{fact.payload.get('problem', '')} In Autotask set the units of {place} to 0 from {in_words(fact.effective)} "
        "on, and add them to a contract whose billing period is the new one.".strip(),
    )


KIND = Kind(
    name="change_billing_cycle",
    label="Change billing frequency",
    audit_name="Update Subscription on Connection",
    effect=effect,
    refuses=refuses,
    policies=frozenset({"cycle_change"}),
    alone=True,
)
