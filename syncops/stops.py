"""Why a plan that was made is not sent: what is posted, and what lies behind the contract's end. No I/O."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from portal.dates import in_words
from portal.far_side import Rejected
from syncops.models import SyncOperation
from syncops.planning import Planned
from syncops.waiting import BEYOND_CONTRACT

POSTED_PERIOD = "posted_period"
POSTED_SINCE = "posted_since"
ACCEPTS_SHORTFALL = "accepts_shortfall"


@dataclass(frozen=True, slots=True)
class Stop:
    """Why a run needs a person: the words, the kind of error, and the state in which its operations wait."""

    error: Rejected
    kind: str
    state: str = SyncOperation.State.FAILED


def stop_of(operations: Sequence[SyncOperation], planned: Planned) -> Stop | None:
    """What keeps the run of these operations from being sent; None where nothing does."""
    last = operations[-1]
    if planned.plan.shortfalls and last.undoes_id:
        return Stop(_posted_since(planned), POSTED_SINCE)
    if planned.plan.shortfalls and _waits_for_a_person(last):
        return Stop(_posted(planned), POSTED_PERIOD, SyncOperation.State.HELD)
    if planned.plan.is_empty and any(planned.days[one.pk] > planned.term.end for one in operations):
        return Stop(_beyond(operations, planned), BEYOND_CONTRACT)
    return None


def _waits_for_a_person(operation: SyncOperation) -> bool:
    """Whether posted days stop it; a person who retries it then has accepted the shortfall."""
    return operation.connection.policies.posted_period == "hold" and not operation.plan.get(ACCEPTS_SHORTFALL)


def _beyond(operations: Sequence[SyncOperation], planned: Planned) -> Rejected:
    day = in_words(max(planned.days[one.pk] for one in operations))
    contract = operations[-1].mapping.contract_name
    return Rejected(
        f"The change takes effect on {day}, after the contract {contract} ends on {in_words(planned.term.end)}.",
        f"Extend the contract to {day} or later, here or in Autotask; then this goes on by itself.",
    )


def _posted_since(planned: Planned) -> Rejected:
    return Rejected(
        f"The days {_posted_days(planned)} were posted in Autotask meanwhile and cannot be changed.",
        "Dismiss this. Put right in Autotask, by a charge or a credit, what the customer paid for these days.",
    )


def _posted(planned: Planned) -> Rejected:
    return Rejected(
        f"The days {_posted_days(planned)} are posted in Autotask and cannot be changed.",
        "Retry to apply the change from the next open period on; the posted days stay a shortfall.",
    )


def _posted_days(planned: Planned) -> str:
    first, last = planned.plan.shortfalls[0], planned.plan.shortfalls[-1]
    return f"from {in_words(first.start)} to {in_words(last.end)}"
