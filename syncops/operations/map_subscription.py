"""A subscription is put on a contract: its line exists, with the subscription's quantity, price and cost."""

from syncops.operations.base import Fact, Kind
from syncops.timeline import Level, Timeline


def effect(timeline: Timeline, fact: Fact) -> Timeline:
    """Payload: `units` (count), `price` and `cost` (per unit and period; cost may be missing: not managed then)."""
    level = Level(int(fact.payload["units"]), fact.money("price"), fact.money("cost"))
    earlier = [(day, held) for day, held in timeline.steps if day < fact.day]
    return Timeline.from_steps([*earlier, (fact.day, level)])


KIND = Kind(
    name="map_subscription",
    label="Map subscription",
    audit_name="Trigger Subscription Mapping To Connection",
    effect=effect,
    needs=frozenset({"line_keys", "adjusts_price"}),
    begins_line=True,
)
