"""The contract's end moves out; then what lay beyond it is sent. The line is asked for nothing new."""

from syncops.operations.base import Fact, Kind
from syncops.timeline import Timeline


def effect(timeline: Timeline, fact: Fact) -> Timeline:
    """Payload: `extend_to`, the contract's new last day."""
    return timeline


KIND = Kind(
    name="extend_contract",
    label="Extend the contract",
    audit_name="Extend Contract",
    effect=effect,
    alone=True,
    beside_line=True,
)
