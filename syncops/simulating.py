"""A line as it would be after a run that is not sent: its rows, and what became of it because of us. No I/O."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal

from connections.models import MirroredContract
from connections.psa.types import Contract, UnitRow
from mappings.models import SubscriptionMapping
from syncops.changes import GivenUp, Ours, Stray
from syncops.lines import actual_of, closed_of, rows_of, term_of
from syncops.models import SyncOperation
from syncops.periods import PeriodGrid
from syncops.planning import History, Planned
from syncops.timeline import ONE_DAY, Adjustment, Term, Timeline, apply, spans

AnyContract = Contract | MirroredContract


@dataclass(frozen=True, slots=True)
class SimulatedLine:
    """A line's rows, oldest first, and its history; the real ones at first."""

    rows: tuple[UnitRow, ...]
    history: History

    def since(self, day: date | None) -> tuple[UnitRow, ...]:
        """The rows that a run reads which changes nothing before a day."""
        return tuple(row for row in self.rows if day is None or row.ends_on >= day)

    def after(self, operations: Sequence[SyncOperation], planned: Planned, since: date | None) -> SimulatedLine:
        """What a run of these operations would leave, proved; it read the rows `since` a day."""
        shown, read = apply(planned.actual, planned.plan.adjustments), self.since(since)
        earlier = self.rows[: len(self.rows) - len(read)]
        rows = rows_showing(shown, read, planned.term, operations[-1].mapping)
        return SimulatedLine((*earlier, *rows), _history_after(self.history, operations, planned))

    def until(self, end: date, contract: AnyContract, mapping: SubscriptionMapping) -> SimulatedLine:
        """The same on a contract that ends later: it goes on as it is on its last day."""
        term = term_of(contract)
        longer = replace(term, end=max(end, term.end))
        return replace(self, rows=tuple(rows_showing(actual_of(self.rows), self.rows, longer, mapping)))


def extended(contract: AnyContract, end: date) -> AnyContract:
    """The contract with a later last day; a copy, the one given stays as it is."""
    if isinstance(contract, Contract):
        return replace(contract, ends_on=max(end, contract.ends_on))
    longer = copy.copy(contract)
    longer.ends_on = max(end, contract.ends_on)
    return longer


def rows_showing(line: Timeline, known: Sequence[UnitRow], term: Term, mapping: SubscriptionMapping) -> list[UnitRow]:
    """Unit rows of `line`, cut where those that are `known` are cut, at its steps, and at the periods."""
    shown, closed = rows_of(known), closed_of(known)
    first = min((row.start for row in shown), default=term.start)
    cuts = {*line.breakpoints, *(row.start for row in shown)}
    cuts |= {period.start for period in PeriodGrid.of(term, shown).between(first, term.end)}
    cuts |= {closed + ONE_DAY} if closed else set()
    return [row_of(mapping, line, start, end, closed) for start, end in spans(first, term.end, cuts)]


def row_of(mapping: SubscriptionMapping, line: Timeline, start: date, end: date, closed: date | None) -> UnitRow:
    """The unit row of these days, on which nothing changes."""
    level = line.at(start)
    return UnitRow(
        id=0,
        line_id=mapping.line_id or 0,
        contract_id=mapping.contract_id,
        service_id=mapping.service_id,
        starts_on=start,
        ends_on=end,
        units=level.units,
        price=level.units * (level.price or Decimal(0)),
        cost=level.units * (level.cost or Decimal(0)),
        posted=closed is not None and end <= closed,
    )


def _history_after(history: History, operations: Sequence[SyncOperation], planned: Planned) -> History:
    sent = planned.plan.adjustments
    return History(
        [*history.done, *(_succeeded(one, planned) for one in operations)],
        _ours_after(history.ours.within(planned.term.end) if planned.cut_off else history.ours, sent),
        [*history.given_up, *_given_up_by(operations[-1], planned, history.given_up)],
    )


def _succeeded(operation: SyncOperation, planned: Planned) -> SyncOperation:
    """The operation as it would be then; a copy that nobody stores."""
    done = copy.copy(operation)
    done.state, done.holds_from = SyncOperation.State.SUCCEEDED, planned.days[operation.pk]
    return done


def _ours_after(ours: Ours, sent: tuple[Adjustment, ...]) -> Ours:
    stray = ours.stray
    if stray is not None:
        stray = Stray(stray.before, (*stray.sent, *sent), (*stray.kept, *sent))
    return replace(ours, applied=(*ours.applied, *sent), stray=stray)


def _given_up_by(operation: SyncOperation, planned: Planned, earlier: Sequence[GivenUp]) -> list[GivenUp]:
    """What the run would record as not brought about, and what it would take back of that."""
    gaps = (*planned.plan.shortfalls, *planned.same_date, *planned.in_vain)
    lost = [GivenUp(gap.start, gap.end, gap.units, operation.pk, gap.after.price) for gap in gaps]
    undone = [part for part in earlier if operation.undoes_id and part.operation == operation.undoes_id]
    return [*lost, *(replace(part, units=-part.units, operation=operation.pk) for part in undone)]
