"""What a person may do about what a run could not mend, as the pages offer it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from mappings.models import SubscriptionMapping
from syncops.extensions import end_needed_by
from syncops.models import Shortfall, SyncOperation
from syncops.waiting import needed_end


@dataclass(frozen=True, slots=True)
class Mending:
    """The shortfalls of a page, what of them can be charged, and the end that a contract needs. Money in `currency`;
    `waits_for` is the operation with the step behind that end.
    """

    mapping: SubscriptionMapping
    shortfalls: Sequence[Shortfall]
    needed_end: date | None
    waits_for: SyncOperation | None

    @property
    def chargeable(self) -> list[Shortfall]:
        return [gap for gap in self.shortfalls if gap.can_be_charged]

    @property
    def amount(self) -> Decimal:
        return sum((gap.amount or Decimal(0) for gap in self.chargeable), Decimal(0))

    @property
    def currency(self) -> str:
        return self.mapping.connection.currency


def mending_of(operation: SyncOperation) -> Mending:
    """What one operation left behind."""
    rows = operation.shortfalls.select_related("settled_by")
    needed = end_needed_by(operation)
    return Mending(operation.mapping, list(rows), needed, operation if needed else None)


def mending_of_mapping(mapping: SubscriptionMapping) -> Mending:
    """What all operations of a mapping left behind and nobody settled yet. Two queries."""
    rows = Shortfall.objects.unsettled().filter(operation__mapping=mapping).select_related("operation")
    found = list(rows.order_by("starts_on", "pk"))
    beyond = [row for row in found if row.needed_end]
    failed = SyncOperation.objects.filter(mapping=mapping, state=SyncOperation.State.FAILED).chronological()
    waiting = next((one for one in failed if needed_end(one)), None) or (beyond[0].operation if beyond else None)
    return Mending(mapping, found, end_needed_by(waiting) if waiting else None, waiting)
