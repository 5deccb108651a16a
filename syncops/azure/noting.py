"""What a proof means for the ledger: a month is set, its period is posted, the one after it shows 0."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from connections.psa.types import UnitRow
from syncops.azure.amounts import is_posted, is_zero_from
from syncops.lines import rows_of
from syncops.models import AzureAlarm, AzureMonth, SyncOperation
from syncops.operations import charge_azure_month, set_azure_month, zero_azure_price
from syncops.operations.set_azure_month import RESETS_ON
from syncops.timeline import Timeline


def note_price(operation: SyncOperation, found: Timeline, rows: Sequence[UnitRow], now: datetime) -> None:
    """A proof of a line: what it means for the month that the operation set, or took back."""
    if operation.undoes_id is not None:
        _note_undone(operation, now)
    elif operation.kind == set_azure_month.KIND.name:
        resets_on = operation.payload.get(RESETS_ON)
        day = date.fromisoformat(resets_on) if resets_on else None
        posted = operation.effective_on and is_posted(rows_of(rows), operation.effective_on)
        AzureMonth.objects.filter(operation=operation).update(
            set_at=now, zeroed_at=now if is_zero_from(found, day) else None, posted_at=now if posted else None
        )
    elif operation.kind == zero_azure_price.KIND.name and is_zero_from(found, operation.effective_on):
        AzureAlarm.objects.open().filter(operation=operation).update(closed_at=now)


def note_charge(operation: SyncOperation, evidence: dict[str, Any], now: datetime) -> None:
    """A charge was found on the contract: where it is a month's, that month is set."""
    if operation.kind == charge_azure_month.KIND.name:
        billed = evidence.get("charge", {}).get("billed")
        AzureMonth.objects.filter(operation=operation).update(set_at=now, posted_at=now if billed else None)


def _note_undone(operation: SyncOperation, now: datetime) -> None:
    """The month is not set any more; an undo that was undone itself sets it again."""
    first, is_back = operation, True
    while first.undoes is not None:
        first, is_back = first.undoes, not is_back
    if first.kind != set_azure_month.KIND.name:
        return
    AzureMonth.objects.filter(operation=first).update(set_at=now if is_back else None, zeroed_at=None)
