"""What going live would do to a subscription's lines: every operation on top of those before it. No I/O.

It follows the order and the refusals of a run (`syncops.jobs`, `syncops.stops`); what one would read back is simulated.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

from connections.psa.types import UnitRow
from portal.far_side import Rejected
from syncops import plans
from syncops.errands import CHARGES, EXTEND_TO
from syncops.jobs import behind, counting, group_of, is_later, needs_no_line, never_begun, reach_of
from syncops.lines import rows_of
from syncops.models import Rehearsal, SyncOperation
from syncops.operations import REGISTRY
from syncops.planning import Planned, plan_line
from syncops.preview import adjustments_of, bills_of, shortfalls_of, stored
from syncops.simulating import AnyContract, SimulatedLine, extended
from syncops.stops import stop_of

State, Verdict = SyncOperation.State, Rehearsal.Verdict
Line = tuple[int, int, int | None]  # contract, service, line


@dataclass(frozen=True, slots=True)
class Foreseen:
    """What would become of one operation. `money`: what it changes on earlier bills, this one and the next, and what
    stays missing; None where no price is known.
    """

    operation: SyncOperation
    verdict: str
    problem: str = ""
    advice: str = ""
    shown: Mapping[str, Any] = field(default_factory=dict)
    money: tuple[Decimal | None, Decimal | None, Decimal | None, Decimal | None] = (Decimal(0),) * 4
    is_dismissed: bool = False


@dataclass
class Scene:
    """What is known of one stream: its open operations, oldest first, and its lines as they are.

    `dismissed`: ids of those that a person does not want to be sent. `begins`, `failed`: as in `syncops.shelf.Shelf`.
    `sent_elsewhere`: ids of operations on other streams that would be sent.
    """

    operations: Sequence[SyncOperation]
    contracts: dict[int, AnyContract | None]
    lines: dict[Line, SimulatedLine]
    dismissed: frozenset[int]
    begins: dict[int, SyncOperation]
    failed: SyncOperation | None
    holds_line: bool
    stops_at: int
    sent_elsewhere: frozenset[int]
    stray: tuple[date, ...]
    today: date
    _through: set[int] = field(default_factory=set)

    def foresee(self) -> list[Foreseen]:
        """What would become of each operation, in the order in which they would be sent."""
        waiting = [one for one in self.operations if one.effective_on is not None]
        found = [self._dismissed(one) for one in waiting if one.pk in self.dismissed]
        waiting = [one for one in waiting if one.pk not in self.dismissed]
        while waiting:
            group = group_of(waiting[0], waiting)
            waiting = [one for one in waiting if one not in group]
            found += self._group(group)
        return found

    def _dismissed(self, operation: SyncOperation) -> Foreseen:
        if REGISTRY[operation.kind].begins_line:
            gone = copy.copy(operation)
            gone.state = State.DISMISSED
            self.begins = self.begins | {operation.mapping_id: gone}
        return Foreseen(operation, Verdict.NOTHING, "It is not sent, as chosen.", is_dismissed=True)

    def _group(self, group: list[SyncOperation]) -> list[Foreseen]:
        kept = counting(group)
        *others, last = kept
        left = [
            Foreseen(one, Verdict.NOTHING, f"“{one.label}” is changed again on the same day; only the last one counts.")
            for one in group
            if one not in kept
        ]
        error = self._stands_before(last)
        if error is not None:
            return left + [self._stopped(one, error) for one in kept]
        if last.kind in CHARGES:
            return [*left, self._charge(last)]
        joined = [Foreseen(one, Verdict.NOTHING, f"It goes out together with “{last.label}”.") for one in others]
        return [*left, *joined, *self._on_line(kept)]

    def _stands_before(self, head: SyncOperation) -> Rejected | None:
        """What keeps an operation from being begun at all."""
        begins = self.begins.get(head.mapping_id)
        if begins is not None and not needs_no_line(head):
            return never_begun(begins)
        if head.after_id and not self._comes_about(head):
            return Rejected("What it waits for on the other line would not be sent.", "Decide about that one first.")
        failed = None if REGISTRY[head.kind].beside_line else self.failed
        if failed and is_later(head, failed) and (self.holds_line or head.sequence <= self.stops_at):
            return Rejected(f"It would wait for {behind(failed)}.", "Retry, dismiss or release that one.")
        return None

    def _comes_about(self, head: SyncOperation) -> bool:
        first = head.after
        known = first is not None and first.state == State.SUCCEEDED
        return known or head.after_id in self._through or head.after_id in self.sent_elsewhere

    def _stopped(self, operation: SyncOperation, error: Rejected) -> Foreseen:
        """One that would need a person; with *hold the line*, later ones wait for it."""
        if self.holds_line and self.failed is None:
            self.failed = operation
        if REGISTRY[operation.kind].begins_line:
            self.begins = self.begins | {operation.mapping_id: operation}
        return Foreseen(operation, Verdict.STOPS, error.message, error.advice)

    def _on_line(self, group: list[SyncOperation]) -> list[Foreseen]:
        """The run of operations that share a date; the last one carries what it would send."""
        last = group[-1]
        key, contract = line_of(last), self.contracts[last.mapping.contract_id]
        if contract is None:
            return [self._stopped(one, _gone(one)) for one in group]
        ends = [date.fromisoformat(one.payload[EXTEND_TO]) for one in group if EXTEND_TO in one.payload]
        if ends:
            contract = self._extend(contract, max(ends), last)
        line = self.lines[key]
        moved = [date.fromisoformat(day) for day in last.plan.get("moved", [])]
        reaches = [*(reach_of(one, contract) for one in group), *self.stray]
        since = None if None in reaches else min(day for day in reaches if day)
        rows = line.since(since)
        planned = plan_line(
            last.mapping, history=line.history, operations=group, rows=rows, contract=contract, moved=moved
        )
        if stop := stop_of(group, planned):
            return [self._stopped(one, stop.error) for one in group]
        self.lines[key] = line.after(group, planned, since)
        self._through |= {one.pk for one in group}
        return [self._planned(last, planned, rows, bool(ends))]

    def _extend(self, contract: AnyContract, end: date, operation: SyncOperation) -> AnyContract:
        """The contract with a later end, and all its lines going on until then."""
        number = operation.mapping.contract_id
        for line in [line for line, held in self.lines.items() if line[0] == number and held.rows]:
            self.lines[line] = self.lines[line].until(end, contract, operation.mapping)
        longer = self.contracts[number] = extended(contract, end)
        return longer

    def _planned(self, operation: SyncOperation, planned: Planned, rows: Sequence[UnitRow], extends: bool) -> Foreseen:
        currency = operation.connection.currency
        seen = plans.preview(planned.plan, rows_of(rows), planned.term, currency, self.today)
        bills = {bill.label: bill for bill in bills_of(seen)}
        gaps = shortfalls_of(planned.plan, currency)
        amounts = [gap.amount for gap in gaps]
        missing = None if None in amounts else sum((one for one in amounts if one is not None), Decimal(0))
        changes = [_change(bills.get(name)) for name in ("Earlier periods", "This period", "Next period")]
        empty = planned.plan.is_empty and not extends
        return Foreseen(
            operation,
            Verdict.NOTHING if empty else Verdict.SENDS,
            "The line shows this already." if empty and not gaps else "",
            shown=stored(adjustments_of(seen), bills.values(), gaps),
            money=(changes[0], changes[1], changes[2], missing),
        )

    def _charge(self, operation: SyncOperation) -> Foreseen:
        """A charge is billed once, with the period of its date."""
        amount = Decimal(operation.payload["quantity"]) * Decimal(operation.payload["unit_price"])
        self._through.add(operation.pk)
        return Foreseen(operation, Verdict.SENDS, money=(Decimal(0), amount, Decimal(0), Decimal(0)))


def _gone(operation: SyncOperation) -> Rejected:
    return Rejected(
        f"The contract {operation.mapping.contract_name} is not in Autotask any more.",
        "Refresh the connection, then map the subscription to another contract.",
    )


def line_of(operation: SyncOperation) -> Line:
    """The line that an operation changes; one that is not there yet is known by its contract and service."""
    mapping = operation.mapping
    return mapping.contract_id, mapping.service_id, mapping.line_id


def _change(bill: Any) -> Decimal | None:
    if bill is None:
        return Decimal(0)
    return None if bill.before is None or bill.after is None else bill.after - bill.before
