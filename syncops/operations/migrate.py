"""A legacy subscription was migrated to new commerce: its line ends, the new subscription is mapped by itself."""

from syncops.operations.base import Fact, Kind
from syncops.timeline import Timeline


def effect(timeline: Timeline, fact: Fact) -> Timeline:
    """No payload: the old line has no units from the migration on."""
    return timeline.with_units(fact.day, 0)


KIND = Kind(
    name="migrate",
    label="Migrate to new commerce",
    audit_name="Update Subscription on Connection",
    effect=effect,
)
