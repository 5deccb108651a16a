"""The adjustments between two timelines, and the order in which they may be sent."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import Literal

from syncops.timeline import ONE_DAY, Adjustment, Level, Timeline, apply, spans

PriceChange = Literal["set_price", "zero_and_restore"]
Batch = tuple[Adjustment, ...]


def batches_between(
    desired: Timeline, actual: Timeline, first: date, last: date, *, price_change: PriceChange = "set_price"
) -> tuple[Batch, ...]:
    """What turns `actual` into `desired` on every day from `first` to `last`, in sending order.

    More than one batch only where no single order is lawful: the line is read back before the second is sent.
    """
    stretches = [
        _Stretch(start, desired.at(max(first, start - ONE_DAY)), desired.at(start), actual.at(start))
        for start, _ in spans(first, last, (*desired.breakpoints, *actual.breakpoints))
    ]
    if price_change == "zero_and_restore":
        batches = _zero_and_restore(stretches)
    else:
        batches = _in_lawful_order(stretches, _changes(stretches))
    return tuple(batch for batch in batches if batch)


@dataclass(frozen=True, slots=True)
class _Stretch:
    """Open days from `start` to the next stretch: what is wanted here and the day before, and what is held here."""

    start: date
    before: Level
    wanted: Level
    held: Level


def _changes(stretches: Iterable[_Stretch], *, oldest_first: bool = False) -> Batch:
    """One adjustment per date at most: each takes back what the older ones ripple into its stretch.

    An increase from 0 units carries its price, known or not: while units were 0 it could not be read back. Increases
    go first, so that is where none are held, or none were wanted the day before; `oldest_first`, where none run.
    """
    changes: list[Adjustment] = []
    rippling = 0
    price: Decimal | None = None
    cost: Decimal | None = None
    for stretch in stretches:
        wanted, held = stretch.wanted, stretch.held
        running = held.units + rippling
        unit_change = wanted.units - running
        rippling += unit_change
        returning = unit_change > 0 and 0 in ((running,) if oldest_first else (stretch.before.units, held.units))
        new_price = new_cost = None
        if wanted.units:
            new_price = _to_set(wanted.price, held.price if price is None else price, returning)
            new_cost = _to_set(wanted.cost, held.cost if cost is None else cost, returning)
        price = price if new_price is None else new_price
        cost = cost if new_cost is None else new_cost
        if unit_change or new_price is not None or new_cost is not None:
            changes.append(Adjustment(stretch.start, unit_change, new_price, new_cost))
    return tuple(changes)


def _to_set(wanted: Decimal | None, current: Decimal | None, returning: bool) -> Decimal | None:
    return wanted if returning or wanted != current else None


def _in_lawful_order(stretches: Sequence[_Stretch], changes: Batch) -> Sequence[Batch]:
    """One batch where some order keeps the laws, else the increases and then all the rest, counting on them.

    Increases without a price may always go first, decreases without one always last, and prices must go oldest first:
    where `_prices_in_turn` does not hold, no order does.
    """
    for order in (_increases_first(changes), _prices_in_turn(changes)):
        if _is_lawful(order, stretches):
            return [order]
    increases = tuple(change for change in changes if change.unit_change > 0)
    return [increases, _increases_first(_changes(_after(increases, stretches)))]


def _after(sent: Batch, stretches: Sequence[_Stretch]) -> list[_Stretch]:
    held = apply(Timeline.from_steps((stretch.start, stretch.held) for stretch in stretches), sent)
    return [replace(stretch, held=held.at(stretch.start)) for stretch in stretches]


def _increases_first(changes: Batch) -> Batch:
    """Increases, then decreases; a price alone goes with the decreases unless a younger increase carries one too."""
    priced = max((c.effective for c in changes if c.unit_change > 0 and c.sets_price), default=date.min)

    def goes_last(change: Adjustment) -> bool:
        return change.unit_change < 0 or (change.unit_change == 0 and change.effective > priced)

    return tuple(sorted(changes, key=goes_last))


def _prices_in_turn(changes: Batch) -> Batch:
    """All that carry a price oldest first, the other increases before them, the other decreases behind them."""

    def turn(change: Adjustment) -> int:
        if change.sets_price:
            return 1
        return 0 if change.unit_change > 0 else 2

    return tuple(sorted(changes, key=turn))


def _is_lawful(order: Batch, stretches: Sequence[_Stretch]) -> bool:
    """Simulates the order: no date below zero or below both its ends after any prefix, no price overwritten later."""
    priced = [change.effective for change in order if change.sets_price]
    if priced != sorted(priced):
        return False
    starts = [stretch.start for stretch in stretches]
    units = [stretch.held.units for stretch in stretches]
    floor = [min(stretch.held.units, stretch.wanted.units) for stretch in stretches]
    for change in order:
        for index in range(bisect_left(starts, change.effective), len(starts)):
            units[index] += change.unit_change
            if units[index] < floor[index]:
                return False
    return True


def _zero_and_restore(stretches: Sequence[_Stretch]) -> Sequence[Batch]:
    """Where a running line changes its price, its units go to 0 and come back at the new price.

    From the first such date on the whole line goes to 0: a later date with fewer units would else fall below zero.
    Every later price change is a pair of its own. Two batches only where one date would be sent more than twice.
    """
    wanted = {stretch.start: stretch.wanted.units for stretch in stretches}
    held = {stretch.start: stretch.held.units for stretch in stretches}

    def reprices_running_units(change: Adjustment) -> bool:
        running = wanted[change.effective] > change.unit_change
        return change.sets_price and running and (held[change.effective] > 0 or change.unit_change <= 0)

    changes = _changes(stretches, oldest_first=True)
    repriced = next(filter(reprices_running_units, changes), None)
    if repriced is None:
        return _in_lawful_order(stretches, changes)
    stopped = [
        stretch if stretch.start < repriced.effective else replace(stretch, wanted=replace(stretch.wanted, units=0))
        for stretch in stretches
    ]
    lower = _increases_first(_changes(stopped, oldest_first=True))
    restore = [
        step
        for change in _changes(_after(lower, stretches), oldest_first=True)
        for step in _restoring(change, wanted[change.effective])
    ]
    sent = Counter(change.effective for change in (*lower, *restore))
    return [(*lower, *restore)] if max(sent.values()) <= 2 else [lower, tuple(restore)]


def _restoring(change: Adjustment, units: int) -> Batch:
    """The change itself, or to 0 and back to `units` where it would set a price while units run."""
    running = units - change.unit_change
    if not (change.sets_price and running):
        return (change,)
    return Adjustment(change.effective, -running), replace(change, unit_change=units)
