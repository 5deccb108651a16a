"""A subscription was renewed: its contract has to cover the new term, and the new term may have a price of its own."""

from datetime import date

from portal.dates import in_words
from syncops.operations.base import Fact, Kind, Place, Refusal, Unsupported
from syncops.timeline import Timeline


def effect(timeline: Timeline, fact: Fact) -> Timeline:
    """Payload: `extend_to`, the last day of the new term, to which the contract's end moves before anything is sent to
    the line; `price` and `cost` per unit and period of the new term.
    """
    if fact.policies.renewal != "extend_and_reprice":
        return timeline
    return timeline.with_price(fact.day, fact.money("price"), fact.money("cost"))


def refuses(fact: Fact, place: Place) -> Refusal | None:
    if fact.policies.renewal != "refuse":
        return None
    until = in_words(date.fromisoformat(fact.payload["extend_to"]))
    return Unsupported(
        f"The renewal is not sent: the contract {place.contract} ends as it did, and prices stay.",
        f"In Autotask move the end of the contract {place.contract} to {until} or later. The price "
        f"of the new term is {fact.payload['price']} per unit and period: look whether {place} has it from "
        f"{in_words(fact.effective)} on.",
    )


KIND = Kind(
    name="renew",
    label="Renew",
    audit_name="Update Subscription on Connection",
    effect=effect,
    refuses=refuses,
    policies=frozenset({"renewal"}),
)
