"""The timeline of one line: which units, unit price and unit cost hold from which date on.

The desired timeline says what a subscription's changes ask for, the actual one what Autotask's unit rows show.
Both are step functions over days; `apply` simulates what Autotask makes of adjustments.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from itertools import accumulate
from operator import itemgetter
from typing import Literal, TypedDict

PeriodType = Literal["monthly", "quarterly", "semi_annual", "yearly"]
ONE_DAY = timedelta(days=1)
_first = itemgetter(0)


@dataclass(frozen=True, slots=True)
class Term:
    """A contract's first and last day (both inside) and the type of its billing periods."""

    start: date
    end: date
    period_type: PeriodType = "monthly"

    def __post_init__(self) -> None:
        if self.end < self.start:
            raise ValueError(f"the contract ends on {self.end}, before it starts on {self.start}")


@dataclass(frozen=True, slots=True)
class Level:
    """What holds on a date: units, price and cost per unit.

    None means *not known* in an actual timeline, and *not managed by us* in a desired one.
    """

    units: int
    price: Decimal | None = None
    cost: Decimal | None = None

    def __post_init__(self) -> None:
        if self.units < 0:
            raise ValueError(f"a line cannot hold {self.units} units")

    def satisfies(self, wanted: Level) -> bool:
        """Whether this level, as found, is what was wanted.

        Where units are 0 a price cannot be read back, and what is not managed is nobody's mistake: neither is compared.
        """
        if self.units != wanted.units:
            return False
        return wanted.units == 0 or (
            (wanted.price is None or wanted.price == self.price) and (wanted.cost is None or wanted.cost == self.cost)
        )


NOTHING = Level(0)
Step = tuple[date, Level]
UnitDifference = tuple[date, int]


class StepJson(TypedDict):
    """One step as it is stored; money is text so that no digit is lost."""

    date: str
    units: int
    price: str | None
    cost: str | None


@dataclass(frozen=True, slots=True)
class Timeline:
    """A step function from date to `Level`; before the first step nothing holds. Build it with `from_steps`.

    Two timelines are equal exactly when they say the same on every date.
    """

    steps: tuple[Step, ...] = ()

    @classmethod
    def from_steps(cls, steps: Iterable[Step]) -> Timeline:
        """Steps in any order; the last one given for a date wins, and a step that changes nothing is left out."""
        kept: list[Step] = []
        before = NOTHING
        for day, level in sorted(dict(steps).items(), key=_first):
            if level != before:
                kept.append((day, level))
                before = level
        return cls(tuple(kept))

    @classmethod
    def from_json(cls, steps: Iterable[StepJson]) -> Timeline:
        return cls.from_steps(
            (date.fromisoformat(step["date"]), Level(step["units"], _money(step["price"]), _money(step["cost"])))
            for step in steps
        )

    def as_json(self) -> list[StepJson]:
        return [
            {"date": day.isoformat(), "units": level.units, "price": _text(level.price), "cost": _text(level.cost)}
            for day, level in self.steps
        ]

    @property
    def breakpoints(self) -> tuple[date, ...]:
        """The dates on which something changes, oldest first."""
        return tuple(day for day, _ in self.steps)

    def at(self, day: date) -> Level:
        index = bisect_right(self.steps, day, key=_first)
        return self.steps[index - 1][1] if index else NOTHING

    def with_units(self, from_date: date, units: int) -> Timeline:
        """`units` from that date on, later dates included; prices stay as they are."""
        return self._changed_from(from_date, lambda level: replace(level, units=units))

    def with_price(self, from_date: date, price: Decimal | None, cost: Decimal | None) -> Timeline:
        """`price` and `cost` per unit from that date on, later dates included; units stay as they are."""
        return self._changed_from(from_date, lambda level: replace(level, price=price, cost=cost))

    def shifted(self, differences: Iterable[UnitDifference]) -> Timeline:
        """Each difference added to the units of its date and of every later one, never below zero."""
        changes = sorted(differences)
        days = [day for day, _ in changes]
        totals = list(accumulate((units for _, units in changes), initial=0))

        def shift(day: date) -> Level:
            level = self.at(day)
            return replace(level, units=max(0, level.units + totals[bisect_right(days, day)]))

        return Timeline.from_steps((day, shift(day)) for day in (*self.breakpoints, *days))

    def during(self, start: date, end: date, level: Level) -> Timeline:
        """`level` from `start` to `end` (inclusive), and what it said before on every other day."""
        after = end + ONE_DAY
        kept = [step for step in self.steps if not start <= step[0] <= after]
        return Timeline.from_steps([*kept, (start, level), (after, self.at(after))])

    def restricted(self, start: date, end: date) -> Timeline:
        """What it says inside these days: earlier steps become one on `start`, the level of `end` goes on."""
        if end < start:
            return Timeline()
        inside = ((day, level) for day, level in self.steps if start < day <= end)
        return Timeline.from_steps([(start, self.at(start)), *inside])

    def _changed_from(self, from_date: date, change: Callable[[Level], Level]) -> Timeline:
        earlier = [step for step in self.steps if step[0] < from_date]
        later = [(day, change(level)) for day, level in self.steps if day > from_date]
        return Timeline.from_steps([*earlier, (from_date, change(self.at(from_date))), *later])


@dataclass(frozen=True, slots=True)
class Row:
    """One unit row as Autotask shows it: the full count in force from `start` to `end` (inclusive), totals for all."""

    start: date
    end: date
    units: int
    price_total: Decimal | None
    cost_total: Decimal | None
    posted: bool = False

    @property
    def level(self) -> Level:
        """Per unit: Autotask's `price` and `cost` are totals of all units; with 0 units nothing can be told."""
        return Level(self.units, _per_unit(self.price_total, self.units), _per_unit(self.cost_total, self.units))


@dataclass(frozen=True, slots=True)
class Adjustment:
    """One `ContractServiceAdjustment`: units added from its date on, and a price or cost set from there on.

    None means that the field is left out, which keeps the line's current rate.
    """

    effective: date
    unit_change: int
    price: Decimal | None = None
    cost: Decimal | None = None

    @property
    def sets_price(self) -> bool:
        return self.price is not None or self.cost is not None


@dataclass(frozen=True, slots=True)
class Difference:
    """Days (inclusive) on which a line does not hold what was wanted."""

    start: date
    end: date
    wanted: Level
    found: Level


def spans(first: date, last: date, cuts: Iterable[date]) -> list[tuple[date, date]]:
    """The days from `first` to `last`, both inclusive, cut so that each cut begins a span; none where last < first."""
    if last < first:
        return []
    starts = sorted({first, *(cut for cut in cuts if first < cut <= last)})
    return list(zip(starts, [*(start - ONE_DAY for start in starts[1:]), last], strict=True))


def differences(
    wanted: Timeline, found: Timeline, first: date, last: date, cuts: Iterable[date] = ()
) -> tuple[Difference, ...]:
    """Where `found` does not satisfy `wanted` between two days, cut at every step of either and at `cuts`."""
    parts = (
        Difference(start, end, wanted.at(start), found.at(start))
        for start, end in spans(first, last, (*wanted.breakpoints, *found.breakpoints, *cuts))
    )
    return tuple(part for part in parts if not part.found.satisfies(part.wanted))


def unit_differences(expected: Timeline, found: Timeline) -> tuple[UnitDifference, ...]:
    """What others added to the expected units: dates with a change that holds from there on, as `shifted` takes it."""
    changes: list[UnitDifference] = []
    total = 0
    for day in sorted({*expected.breakpoints, *found.breakpoints}):
        gap = found.at(day).units - expected.at(day).units
        if gap != total:
            changes.append((day, gap - total))
            total = gap
    return tuple(changes)


def actual_timeline(rows: Iterable[Row]) -> Timeline:
    """The timeline that unit rows show, in whatever order they come.

    Of rows that overlap the one with the greatest start holds. Days without a row hold what held before them:
    Autotask does not always materialise future periods, and the last quantity goes on.
    """
    ordered = sorted(rows, key=lambda row: (row.start, row.end, row.units))
    starting = iter([*ordered, None])
    upcoming = next(starting)
    covering: list[Row] = []  # the greatest start on top
    steps: list[Step] = []
    for day in sorted({row.start for row in ordered} | {row.end + ONE_DAY for row in ordered}):
        while upcoming and upcoming.start == day:
            covering.append(upcoming)
            upcoming = next(starting)
        while covering and covering[-1].end < day:
            covering.pop()
        if covering:
            steps.append((day, covering[-1].level))
    return Timeline.from_steps(steps)


def closed_through(rows: Iterable[Row]) -> date | None:
    """The last day of the last posted row: Autotask refuses changes there, and an older delta would ripple into it."""
    return max((row.end for row in rows if row.posted), default=None)


def first_open_date(rows: Iterable[Row], contract: Term) -> date:
    """The first day that an adjustment may take effect on; later than the contract's end when all of it is posted."""
    closed = closed_through(rows)
    return contract.start if closed is None else max(contract.start, closed + ONE_DAY)


def apply(actual: Timeline, adjustments: Sequence[Adjustment]) -> Timeline:
    """What Autotask holds after these adjustments, sent in this order.

    Unit changes are added from their date on. A price is set from its date on, later dates included, so that of two
    the one *sent* last holds wherever both reach.
    """
    steps: list[Step] = []
    for day in {*actual.breakpoints, *(adjustment.effective for adjustment in adjustments)}:
        held = actual.at(day)
        reaching = [adjustment for adjustment in adjustments if adjustment.effective <= day]
        units = held.units + sum(adjustment.unit_change for adjustment in reaching)
        price = next((sent.price for sent in reversed(reaching) if sent.price is not None), held.price)
        cost = next((sent.cost for sent in reversed(reaching) if sent.cost is not None), held.cost)
        steps.append((day, Level(units, price, cost)))
    return Timeline.from_steps(steps)


def _per_unit(total: Decimal | None, units: int) -> Decimal | None:
    return None if total is None or units == 0 else total / units


def _money(text: str | None) -> Decimal | None:
    return None if text is None else Decimal(text)


def _text(money: Decimal | None) -> str | None:
    return None if money is None else str(money)
