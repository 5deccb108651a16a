"""A contract that ends too early is extended: what a person sees of it first, and what their yes begins."""

from __future__ import annotations

import uuid
from collections import defaultdict
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db import transaction

from connections.psa.base import Psa
from connections.psa.types import Contract, UnitRow
from portal.audit import Actor
from portal.dates import in_words
from portal.models import User
from syncops.actions import NotPossible, locked, plan_operation
from syncops.bills import billed, difference
from syncops.comparison import ENDS
from syncops.errands import EXTEND_TO
from syncops.lines import actual_of, rows_of, term_of
from syncops.models import Shortfall, SyncOperation
from syncops.operations import extend_contract as extending
from syncops.periods import PeriodGrid
from syncops.planning import history_of, plan_line
from syncops.timeline import Term, Timeline
from syncops.waiting import needed_end

MOST_YEARS = 10


@dataclass(frozen=True, slots=True)
class Extension:
    """A contract's new last day, and what the added days bill: on this line with what waits for it, and on the other
    lines of the contract, which go on as they are. Money in `currency`; None where a price is not known.
    """

    operation: SyncOperation
    needed: date
    ends_on: date
    new_end: date
    this_line: Decimal | None = None
    other_lines: Decimal | None = None
    others: int = 0
    problem: str = ""

    @property
    def currency(self) -> str:
        return self.operation.connection.currency

    def as_json(self) -> dict[str, Any]:
        """What is stored with the operation, to be compared with the contract afterwards; money as text."""
        added = {"this_line": self.this_line, "other_lines": self.other_lines}
        money = {name: None if amount is None else str(amount) for name, amount in added.items()}
        return {ENDS: str(self.new_end), "ended": str(self.ends_on), "adds": money | {"currency": self.currency}}


def end_needed_by(operation: SyncOperation) -> date | None:
    """The end of the contract that an operation waits for, or that a step recorded with it needs; None where none."""
    rows = operation.shortfalls.unsettled().filter(reason=Shortfall.Reason.BEYOND_CONTRACT)
    recorded = [row.needed_end for row in rows if row.needed_end]
    return max(filter(None, [needed_end(operation), *recorded]), default=None)


def preview_extension(operation: SyncOperation, psa: Psa, *, until: date | None = None) -> Extension:
    """What extending the contract to `until` adds to its bills; without it to the end of the period that is needed.

    Three reads. Raises NotPossible where nothing waits for that, and the errors of `portal.far_side`.
    """
    needed = end_needed_by(operation)
    if needed is None:
        raise NotPossible("Nothing waits for a later end of this contract.")
    contract = psa.contract(operation.mapping.contract_id)
    if contract is None:
        raise NotPossible(f"The contract {operation.mapping.contract_name} is not in Autotask any more.")
    term = term_of(contract)
    new_end = until or _end_of_period(term, needed)
    if problem := _problem(contract, needed, new_end):
        return Extension(operation, needed, contract.ends_on, new_end, problem=problem)
    lines = [line.id for line in psa.lines_of(contract.id)]
    rows: dict[int, list[UnitRow]] = defaultdict(list)
    for row in psa.unit_rows(lines, since=contract.ends_on) if lines else ():
        rows[row.line_id].append(row)
    ours = operation.mapping.line_id
    wanted = _wanted(operation, rows[ours or 0], replace(contract, ends_on=new_end))
    others = [line for line in lines if line != ours]
    added = [_added(actual_of(rows[line]), rows[line], term, new_end, operation.connection.currency) for line in others]
    return Extension(
        operation,
        needed,
        contract.ends_on,
        new_end,
        this_line=_added(wanted, rows[ours or 0], term, new_end, operation.connection.currency),
        other_lines=None if None in added else sum((each or Decimal(0) for each in added), Decimal(0)),
        others=sum(actual_of(rows[line]).at(contract.ends_on).units > 0 for line in others),
    )


def _wanted(operation: SyncOperation, rows: list[UnitRow], longer: Contract) -> Timeline:
    """What the line is to show on the longer contract, with everything that waits for it."""
    failed = SyncOperation.objects.filter(mapping=operation.mapping, state=SyncOperation.State.FAILED)
    waiting = [one for one in failed if (needed_end(one) or date.max) <= longer.ends_on]
    history = history_of(operation.stream, operation.mapping)
    return plan_line(operation.mapping, history=history, operations=waiting, rows=rows, contract=longer).wanted


def _end_of_period(term: Term, needed: date) -> date:
    """The last day of the period in which a day behind the contract's end lies."""
    return PeriodGrid.of(Term(term.start, max(needed, term.end), term.period_type)).period_of(needed).end


def _problem(contract: Contract, needed: date, new_end: date) -> str:
    if new_end < needed:
        return f"The change needs an end of {in_words(needed)} or later."
    if new_end <= contract.ends_on:
        return f"The contract ends on {in_words(contract.ends_on)} already; an end only moves later."
    if new_end > contract.ends_on + timedelta(days=366 * MOST_YEARS):
        return f"That is more than {MOST_YEARS} years after the contract's end. Choose an earlier day."
    return ""


def _added(timeline: Timeline, rows: list[UnitRow], term: Term, new_end: date, currency: str) -> Decimal | None:
    """What a line bills in the periods from the old end to the new one beyond what it bills there so far."""
    longer = Term(term.start, new_end, term.period_type)
    periods = PeriodGrid.of(longer, rows_of(rows)).between(term.end, new_end)
    bills = [billed(timeline, periods, until, currency, ()) for until in (term, longer)]
    return difference(*bills)


def extend_contract(extension: Extension, *, actor: User, today: date, now: datetime) -> SyncOperation:
    """Queue the extension; what waits for it goes on by itself. A second confirmation gives the operation that exists.

    Raises NotPossible.
    """
    if extension.problem:
        raise NotPossible(extension.problem)
    with transaction.atomic():
        operation = locked(extension.operation)
        under_way = SyncOperation.objects.filter(mapping=operation.mapping, kind=extending.KIND.name).open().first()
        if under_way is not None:
            return under_way
        if end_needed_by(operation) is None:
            raise NotPossible("Nothing waits for a later end of this contract any more.")
        return plan_operation(
            operation.mapping,
            extending.KIND.name,
            effective_on=min(today, extension.ends_on + timedelta(days=1)),
            payload={EXTEND_TO: str(extension.new_end), "extended_from": str(extension.ends_on)},
            actor=Actor.user(actor),
            now=now,
            correlation_id=uuid.uuid4(),
            preview=extension.as_json(),
        )
