"""What the histories that are always played have to contain, all of them together."""

from collections import Counter
from typing import get_args, get_type_hints

from connections.policies import Policies
from connections.sandbox.faults import NAMES
from syncops.operations import REGISTRY
from tests.histories.events import CHANGES, OTHERS
from tests.histories.mishaps import OTHER_MISHAPS, STEPS

ELSEWHERE = {  # tests of their own
    "charge_azure_month",
    "exclude_units",
    "extend_contract",
    "reactivate_azure_plan",
    "receive_upgrade",
    "set_azure_month",
    "suspend_azure_plan",
    "zero_azure_price",
}
NOT_OF_LINES = {"azure_billing", "azure_period", "map_new_subscriptions"}  # they decide about no change of a line
ALSO = (
    "burst",
    "carried on",
    "charge billed",
    "credentials mended",
    "edit",
    "late change",
    "leap day",
    "mapped again",
    "most changes",
    "needs a person: beyond_contract",
    "posted",
    "promotion",
    "released",
    "same date duplicate_error",
    "same date merge",
    "shortfall posted",
    "shortfall same_date",
    "start on 29",
    "start on 30",
    "start on 31",
    "taken over",
)


def wanted() -> set[str]:
    hints = {name: get_args(hint) for name, hint in get_type_hints(Policies).items() if name not in NOT_OF_LINES}
    policies = {f"policy {name} {value}" for name, values in hints.items() for value in values}
    return (
        {f"kind {kind}" for kind in REGISTRY if kind not in ELSEWHERE}
        | policies
        | {"policy settle_minutes 0", "policy settle_minutes 5"}
        | {f"fault {name}" for name in NAMES}
        | {f"at {step}" for step, (_, _, skipped) in STEPS.items() if not skipped}  # others count with the first
        | {f"mishap {name}" for name in OTHER_MISHAPS}
        | {event.__name__ for event in (*CHANGES, *OTHERS)}
        | {*ALSO}
    )


def missing_from(seen: Counter[str]) -> list[str]:
    return sorted(wanted() - {name for name, times in seen.items() if times})
