"""An operation that succeeded is undone: what a person sees of it first, and what their yes begins."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.db import transaction

from connections.models import MirroredContract
from connections.psa.base import Psa
from portal.audit import Actor
from portal.dates import in_words
from portal.models import User
from syncops import plans
from syncops.actions import NotPossible, locked, plan_operation
from syncops.lines import rows_of
from syncops.models import SyncOperation
from syncops.operations import REGISTRY, exclude_units, undo
from syncops.operations.base import Fact
from syncops.planning import Planned, history_of, plan_line
from syncops.preview import BillChange, PreviewedAdjustment, adjustments_of, bills_of, stored

State = SyncOperation.State


@dataclass(frozen=True, slots=True)
class UndoPreview:
    """What undoing an operation would send and bill. `problem`: why it cannot be undone."""

    operation: SyncOperation
    adjustments: tuple[PreviewedAdjustment, ...] = ()
    bills: tuple[BillChange, ...] = ()
    problem: str = ""

    @property
    def currency(self) -> str:
        return self.operation.connection.currency

    def as_json(self) -> dict[str, Any]:
        """What is stored with the undo, to be compared with its proof."""
        return stored(self.adjustments, self.bills, ())


def why_not(operation: SyncOperation) -> str:
    """Why an operation cannot be undone, whatever the line shows; empty where it can. A few queries."""
    if operation.state != State.SUCCEEDED:
        return f"It is {operation.get_state_display().lower()}; only what succeeded can be undone."
    if REGISTRY[operation.kind].beside_line:
        return "It was written to the contract itself. Put it right there: in Autotask a charge is deleted or credited."
    if operation.kind == exclude_units.KIND.name:
        return "Change how many units are left out on the subscription's page instead."
    if operation.mapping.ends_on is not None:
        return "The subscription is not billed on this line any more."
    if operation.after_id or SyncOperation.objects.filter(after=operation).exists():
        return "It is one half of a move between two lines, and the units would be billed nowhere, or twice."
    if REGISTRY[operation.kind].begins_line and _later(operation):
        return "Later changes build on it. Undo those first, the youngest first."
    return ""


def may_be_undone(operation: SyncOperation) -> bool:
    """Whether a page offers the undo: nothing stands against it, and it is not under way or done."""
    return not why_not(operation) and under_way(operation) is None


def under_way(operation: SyncOperation) -> SyncOperation | None:
    """The one undo of an operation, whatever became of it, unless somebody dismissed it."""
    return operation.undoings.exclude(state=State.DISMISSED).first()


def _later(operation: SyncOperation) -> bool:
    """Whether something that holds was done to the line after it was begun."""
    others = SyncOperation.objects.filter(mapping=operation.mapping, state=State.SUCCEEDED).exclude(pk=operation.pk)
    kinds = [name for name, kind in REGISTRY.items() if kind.beside_line or name == undo.KIND.name]
    return any(not one.is_undone for one in others.exclude(kind__in=kinds).prefetch_related("undoings"))


def first_day(operation: SyncOperation) -> date:
    """The first day of the line that an operation changed."""
    day = operation.holds_from or operation.effective_on
    assert day is not None  # it succeeded
    return day


def preview_undo(operation: SyncOperation, psa: Psa, *, today: date) -> UndoPreview:
    """What undoing would do to the line now: one read. Raises the errors of `portal.far_side`."""
    mapping, since = operation.mapping, first_day(operation)
    contract = MirroredContract.objects.filter(connection=operation.connection, remote_id=mapping.contract_id).first()
    if problem := why_not(operation):
        return UndoPreview(operation, problem=problem)
    if contract is None or mapping.line_id is None:
        return UndoPreview(operation, problem="The line or its contract is not known here. Refresh the connection.")
    rows = psa.unit_rows([mapping.line_id], since=since)
    fact = Fact(undo.KIND.name, since, {undo.UNDOES: operation.pk})
    history = history_of(operation.stream, mapping)
    planned = plan_line(mapping, history=history, new=[fact], rows=rows, contract=contract)
    seen = plans.preview(planned.plan, rows_of(rows), planned.term, operation.connection.currency, today)
    return UndoPreview(operation, adjustments_of(seen), bills_of(seen), problem=posted(planned))


def posted(planned: Planned) -> str:
    """Why an undo is refused: days that it would have to change are posted. Empty where none are."""
    gaps: Sequence[plans.Shortfall] = planned.plan.shortfalls
    if not gaps:
        return ""
    days = f"from {in_words(gaps[0].start)} to {in_words(gaps[-1].end)}"
    return f"The days {days} are posted in Autotask with it and cannot be changed."


def undo_operation(
    operation: SyncOperation, *, actor: User, now: datetime, preview: UndoPreview | None = None
) -> SyncOperation:
    """Queue the operation that takes this one back, with what was shown of it. A second confirmation gives the one
    that exists.

    Raises NotPossible. What is posted meanwhile is found by the worker, and refused there.
    """
    with transaction.atomic():
        operation = locked(operation)
        begun = under_way(operation)
        if begun is not None:
            return begun
        if problem := why_not(operation):
            raise NotPossible(problem)
        undoing = plan_operation(
            operation.mapping,
            undo.KIND.name,
            effective_on=first_day(operation),
            payload={undo.UNDOES: operation.pk},
            actor=Actor.user(actor),
            now=now,
            correlation_id=operation.correlation_id,
            preview=preview.as_json() if preview else None,
        )
        undoing.undoes = operation
        undoing.save(update_fields=["undoes"])
    return undoing
