"""From what a line should be to what is sent: the adjustments, in which order, and what they cannot reach."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Literal

from syncops.money import share, to_minor_unit
from syncops.periods import PeriodGrid
from syncops.timeline import ONE_DAY, Adjustment, Difference, Level, Row, Term, Timeline, apply, differences

PriceChange = Literal["set_price", "zero_and_restore"]
Batch = tuple[Adjustment, ...]


@dataclass(frozen=True, slots=True)
class Shortfall:
    """Days (inclusive, inside one unit row) that are closed and do not hold what was wanted.

    `amount` and `cost_amount` are what the bill and the purchase of these days lack (negative: have too much), in the
    currency; None where no price is known by which to tell.
    """

    start: date
    end: date
    before: Level
    after: Level
    amount: Decimal | None
    cost_amount: Decimal | None

    @property
    def units(self) -> int:
        """Missing units, negative where there are too many."""
        return self.after.units - self.before.units


@dataclass(frozen=True, slots=True)
class BeyondContract:
    """A wanted step after the contract's last day, with the earliest end date that would let it be sent."""

    effective: date
    level: Level
    end_needed: date


@dataclass(frozen=True, slots=True)
class Plan:
    """What to send, in this order. Between two batches the line is read back: the second counts on the first."""

    batches: tuple[Batch, ...] = ()
    shortfalls: tuple[Shortfall, ...] = ()
    beyond: tuple[BeyondContract, ...] = ()

    @property
    def adjustments(self) -> tuple[Adjustment, ...]:
        return tuple(adjustment for batch in self.batches for adjustment in batch)

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to send; shortfalls and steps beyond the contract may exist all the same."""
        return not self.batches


@dataclass(frozen=True, slots=True)
class _Stretch:
    """From `start` on, until the next stretch: what is wanted and what is there."""

    start: date
    wanted: Level
    held: Level


def plan(
    desired: Timeline,
    actual: Timeline,
    *,
    contract: Term,
    closed_through: date | None = None,
    rows: Iterable[Row] = (),
    currency: str,
    price_change: PriceChange = "set_price",
) -> Plan:
    """The adjustments that turn `actual` into `desired` on every open date of the contract, and what they cannot reach.

    `closed_through` is the last day that is closed to changes. `rows` are the line's unit rows: they give the periods
    by which a shortfall's money is told.
    """
    first = contract.start if closed_through is None else max(contract.start, closed_through + ONE_DAY)
    stretches = _stretches(desired, actual, first, contract.end)
    if price_change == "zero_and_restore":
        batches = _zero_and_restore(desired, actual, stretches)
    else:
        batches = _in_order(_changes(desired, stretches), desired, actual, stretches)
    closed = differences(
        desired,
        actual,
        contract.start,
        min(first - ONE_DAY, contract.end),
        _row_starts(rows := tuple(rows), PeriodGrid.of(contract, rows), first),
    )
    grid = PeriodGrid.of(contract, rows)
    return Plan(
        tuple(batch for batch in batches if batch),
        tuple(_shortfall(difference, grid, currency) for difference in closed),
        _beyond(desired, contract),
    )
