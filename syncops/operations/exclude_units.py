"""Units of a subscription are not billed from a day on, or billed again: the line has so many fewer than it would have.

How many are left out holds for every later change as well, so it is taken off once all of them are folded
(`syncops.changes.without_excluded`); the fact itself changes nothing more.
"""

from syncops.operations.base import Fact, Kind
from syncops.timeline import Timeline

EXCLUDED = "excluded"


def effect(timeline: Timeline, fact: Fact) -> Timeline:
    """Payload: `excluded`, steps of (first day, units) in the order of their days; 0 units end it."""
    return timeline


KIND = Kind(
    name="exclude_units",
    label="Leave units out",
    audit_name="Update Subscription on Connection",
    effect=effect,
)
"""Planned by `syncops.excluding`. A mapping carries the same steps, so that a new line begins with them."""
