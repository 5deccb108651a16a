"""What could not be mended on the line is billed by one charge on the contract: the line itself stays as it is."""

from syncops.operations.base import Fact, Kind
from syncops.timeline import Timeline


def effect(timeline: Timeline, fact: Fact) -> Timeline:
    """Payload: the charge (`syncops.charges`), and the ids of the shortfalls that it settles."""
    return timeline


KIND = Kind(
    name="charge_shortfall",
    label="Charge for a shortfall",
    audit_name="Create Contract Charge",
    effect=effect,
    needs=frozenset({"contract_charges"}),
    alone=True,
    beside_line=True,
)
