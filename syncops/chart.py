"""The picture of a line before and after: a step chart as plain numbers, which a template draws as SVG."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from syncops.periods import add_months
from syncops.timeline import ONE_DAY, Row, Timeline

WIDTH, HEIGHT = 640, 220
LEFT, RIGHT, TOP, BOTTOM = 44, 12, 40, 26
BEFOREHAND, AFTERWARDS, SHORTEST = timedelta(days=31), timedelta(days=45), timedelta(days=92)
NEAR = timedelta(days=62)  # a contract's end so close to the picture is drawn in it
LABEL = 72  # room for a label, so that none covers another
PRICE_ROWS = (12, 26)
MONTH_STEPS = (1, 2, 3, 6, 12)


@dataclass(frozen=True, slots=True)
class Tick:
    """A place on an axis, in units of the picture, and its words."""

    at: int
    text: str


@dataclass(frozen=True, slots=True)
class Band:
    """Days that are shaded, from `at` for `width`."""

    at: int
    width: int


@dataclass(frozen=True, slots=True)
class PriceMark:
    """A day on which the unit price changes; `y` is the baseline of its label."""

    at: int
    y: int
    price: Decimal


@dataclass(frozen=True, slots=True)
class Chart:
    """A step chart of units by date in a picture of `width` by `height`; the origin is the upper left corner.

    `before` and `after` are the data of SVG paths. `end` is the contract's last day, where it is near.
    """

    first: date
    last: date
    before: str
    after: str
    days: tuple[Tick, ...]
    units: tuple[Tick, ...]
    posted: tuple[Band, ...]
    prices: tuple[PriceMark, ...]
    end: int | None = None
    width: int = WIDTH
    height: int = HEIGHT
    left: int = LEFT
    top: int = TOP
    right: int = WIDTH - RIGHT
    bottom: int = HEIGHT - BOTTOM

    @property
    def depth(self) -> int:
        """From the top of the drawing to its ground line."""
        return self.bottom - self.top


def draw(before: Timeline, after: Timeline, *, rows: Iterable[Row] = (), contract_end: date | None = None) -> Chart:
    """The picture of a line that showed `before` and shows `after`; its posted `rows` are shaded.

    It shows the days around the change: from a month before the first difference, or the first step where there is
    none, until some weeks after the last step. Nothing is shown of days before the first row that was read.
    """
    rows = tuple(rows)
    first, last = _window(before, after, [row.start for row in rows], contract_end)
    axis = _Axis(first, last, _ceiling(before, after, first, last))
    return Chart(
        first=first,
        last=last,
        before=axis.path(before),
        after=axis.path(after),
        days=axis.months(),
        units=tuple(Tick(axis.y(count), f"{count:,}") for count in _levels(axis.most)),
        posted=axis.bands(row for row in rows if row.posted),
        prices=axis.prices(after),
        end=axis.x(contract_end + ONE_DAY) if contract_end and first <= contract_end < last else None,
    )


def _window(
    before: Timeline, after: Timeline, read_from: Sequence[date], contract_end: date | None
) -> tuple[date, date]:
    days = sorted({*before.breakpoints, *after.breakpoints})
    if not days:
        raise ValueError("there is nothing to draw")
    changed = [day for day in days if before.at(day) != after.at(day)]
    first = (changed or days)[0] - BEFOREHAND
    if before.steps:
        first = max(first, min(*before.breakpoints, *read_from, changed[0] if changed else first))
    last = max(days[-1] + AFTERWARDS, first + SHORTEST)
    if contract_end is not None and first <= contract_end and contract_end - last < NEAR:
        last = max(last, contract_end + AFTERWARDS)
    return first, last


def _ceiling(before: Timeline, after: Timeline, first: date, last: date) -> int:
    days = [first, *(day for day in (*before.breakpoints, *after.breakpoints) if first < day <= last)]
    return max(1, *(line.at(day).units for line in (before, after) for day in days))


def _levels(most: int) -> tuple[int, ...]:
    """Round counts from 0 to `most`, at most five of them."""
    step = next(step for power in range(12) for step in (10**power, 2 * 10**power, 5 * 10**power) if most / step <= 4)
    return tuple(range(0, most + 1, step))


@dataclass(frozen=True, slots=True)
class _Axis:
    """From days and units to places in the picture; `most` units reach its top."""

    first: date
    last: date
    most: int

    def x(self, day: date) -> int:
        inside = min(max(day, self.first), self.last)
        return LEFT + round((inside - self.first).days * (WIDTH - RIGHT - LEFT) / (self.last - self.first).days)

    def y(self, units: int) -> int:
        return HEIGHT - BOTTOM - round(units * (HEIGHT - BOTTOM - TOP) / self.most)

    def path(self, line: Timeline) -> str:
        steps = [f"M{LEFT} {self.y(line.at(self.first).units)}"]
        for day, level in line.steps:
            if self.first < day <= self.last:
                steps.append(f"H{self.x(day)}V{self.y(level.units)}")
        return "".join([*steps, f"H{WIDTH - RIGHT}"])

    def months(self) -> tuple[Tick, ...]:
        """The first days of months, so many that their labels stand apart."""
        start = self.first.replace(day=1)
        for step in MONTH_STEPS:
            days = [add_months(start, count) for count in range(0, 12 * 40, step)]
            shown = [day for day in days if self.first <= day <= self.last]
            places = [self.x(day) for day in shown]
            if all(later - sooner >= LABEL for sooner, later in itertools.pairwise(places)):
                break
        return tuple(Tick(self.x(day), f"1 {day:%b %Y}") for day in shown if self.x(day) < WIDTH - RIGHT - LABEL // 3)

    def bands(self, rows: Iterable[Row]) -> tuple[Band, ...]:
        """Rows as stretches of the picture; those that follow each other are one."""
        merged: list[tuple[int, int]] = []
        for start, end in sorted((self.x(row.start), self.x(row.end + ONE_DAY)) for row in rows):
            if merged and start <= merged[-1][1]:
                merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
            elif end > start:
                merged.append((start, end))
        return tuple(Band(start, end - start) for start, end in merged if end > start)

    def prices(self, line: Timeline) -> tuple[PriceMark, ...]:
        """Where the unit price of running units begins or changes; labels that find no room are left to the table."""
        marks: list[PriceMark] = []
        for day, price in _price_steps(line, self.first, self.last):
            at = self.x(day)
            for y in PRICE_ROWS:
                if at <= WIDTH - RIGHT - LABEL and all(at - mark.at >= LABEL for mark in marks if mark.y == y):
                    marks.append(PriceMark(at, y, price))
                    break
        return tuple(marks)


def _price_steps(line: Timeline, first: date, last: date) -> Sequence[tuple[date, Decimal]]:
    held: Decimal | None = None
    found = []
    for day in (first, *(day for day in line.breakpoints if first < day <= last)):
        level = line.at(day)
        if level.units and level.price is not None and level.price != held:
            found.append((day, level.price))
            held = level.price
    return found
