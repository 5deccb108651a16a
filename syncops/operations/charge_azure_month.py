"""The amount of an Azure plan's month is billed by one charge on the contract: the line itself stays as it is."""

from syncops.operations.base import Fact, Kind
from syncops.timeline import Timeline


def effect(timeline: Timeline, fact: Fact) -> Timeline:
    """Payload: the charge, and the `month` that it bills. A correction is a second charge with the difference."""
    return timeline


KIND = Kind(
    name="charge_azure_month",
    label="Charge Azure month",
    audit_name="Create Contract Charge",
    effect=effect,
    policies=frozenset({"azure_billing", "azure_period"}),
    needs=frozenset({"contract_charges"}),
    alone=True,
    beside_line=True,
)
