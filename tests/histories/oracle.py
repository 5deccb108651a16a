"""What a line has to show and to bill, told from what was recorded: days, units, prices, nothing of the product.

A fact counts once its operation is through. Of several the one of the youngest date holds, and of one date the one
recorded last; from which day on it holds is said by rules.md, section 3.
"""

from __future__ import annotations

import calendar
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction

DAY = timedelta(days=1)


@dataclass(frozen=True)
class Grid:
    """A contract's days, both inside, and its periods: steps of `months` from its start."""

    start: date
    end: date
    months: int

    def periods(self) -> Iterator[tuple[date, date]]:
        """First and last day of each; the last one may reach behind the contract's end."""
        number, first = 0, self.start
        while first <= self.end:
            number += 1
            following = self._boundary(number)
            yield first, following - DAY
            first = following

    def period_of(self, day: date) -> tuple[date, date]:
        return next(period for period in self.periods() if period[0] <= day <= period[1])

    def start_of(self, day: date) -> date:
        return day if day > self.end else self.period_of(max(day, self.start))[0]

    def start_after(self, day: date) -> date:
        if day < self.start:
            return self.start
        return day if day > self.end else self.period_of(day)[1] + DAY

    def _boundary(self, number: int) -> date:
        year, month = divmod(self.start.month - 1 + number * self.months, 12)
        year, month = self.start.year + year, month + 1
        return date(year, month, min(self.start.day, calendar.monthrange(year, month)[1]))


@dataclass(frozen=True)
class Fact:
    """Something that took effect on a `day`. `key`: the operation that brings it to the line.

    `starts`: on_date, period (from its first day on), next_period, or either of the first and the last of these.
    `returns`: the units, or the price, that held before they were taken away come back.
    """

    day: date
    order: int
    key: int
    what: str
    units: int | None = None
    price: Decimal | None = None
    cost: Decimal | None = None
    starts: str = "on_date"
    begins: bool = False
    suspends: bool = False
    returns: str = ""


@dataclass
class Line:
    """A line and what was told about it. `base`: what it showed before it was taken over. `people`: what they added."""

    contract: int
    service: int
    key: str
    line_id: int | None = None
    base: tuple[date, int] | None = None
    facts: list[Fact] = field(default_factory=list)
    people: list[tuple[date, int]] = field(default_factory=list)

    def add(self, fact: Fact) -> None:
        self.facts.append(fact)

    def __str__(self) -> str:
        return f"line of {self.key or self.line_id} ({self.service} on {self.contract})"


@dataclass(frozen=True)
class Level:
    """Units on a day, those of people in Autotask (`theirs`) among them; price and cost of each."""

    units: int
    price: Decimal
    cost: Decimal
    theirs: int = 0

    @property
    def has_a_price(self) -> bool:
        """Where we have no units, nobody knows which price those of others have."""
        return self.units > self.theirs or not self.units


@dataclass(frozen=True)
class Held:
    """A fact with the first day from which it holds."""

    since: date
    fact: Fact
    price: Decimal | None
    cost: Decimal | None


class Expected:
    """What a line shows, given the operations that are through (`done`: their first days by key) and its contract."""

    def __init__(
        self, line: Line, grid: Grid, done: Mapping[int, date | None], listed: tuple[Decimal, Decimal]
    ) -> None:
        self.line, self.grid, self.listed = line, grid, listed
        self.held = list(self._held(done))

    def _held(self, done: Mapping[int, date | None]) -> Iterator[Held]:
        begun, price = date.min, (None, None)
        for fact in sorted(self.line.facts, key=lambda fact: (fact.day, fact.order)):
            if fact.key not in done:
                continue
            since = max(self._starts(fact, done[fact.key]), begun)
            begun = since if fact.begins else begun
            money = price if fact.returns == "price" else (fact.price, fact.cost)
            price = (fact.price, fact.cost) if fact.price else price
            yield Held(since, fact, *money)

    def _starts(self, fact: Fact, said: date | None) -> date:
        following = self.grid.start_after(fact.day)
        ways = {"on_date": fact.day, "period": self.grid.start_of(fact.day), "next_period": following}
        if fact.starts == "either":
            return following if said == following else fact.day
        return ways[fact.starts]

    def at(self, day: date) -> Level:
        units = unpaused = self.line.base[1] if self.line.base and self.line.base[0] <= day else 0
        price, cost = self.listed
        for one in self.held:
            if one.since <= day:
                unpaused = unpaused if one.fact.units is None or one.fact.suspends else one.fact.units
                units = unpaused if one.fact.returns == "units" else units if one.fact.units is None else one.fact.units
                price, cost = (price, cost) if one.price is None else (one.price, one.cost or Decimal(0))
        theirs = sum(units for since, units in self.line.people if since <= day)
        return Level(units + theirs, price, cost, theirs)

    @property
    def days(self) -> set[date]:
        """The days on which something may change."""
        found = {one.since for one in self.held} | {since for since, _ in self.line.people}
        return found | ({self.line.base[0]} if self.line.base else set())

    def due(self, first: date, last: date) -> Fraction:
        """What these days of one period bill, to the last fraction of a cent."""
        start, end = self.grid.period_of(first)
        total, length = Fraction(0), (end - start).days + 1
        for since, until in spans(first, last, self.days):
            level = self.at(since)
            total += level.units * Fraction(level.price) * ((until - since).days + 1) / length
        return total


def spans(first: date, last: date, cuts: Iterable[date]) -> list[tuple[date, date]]:
    """The days from first to last, cut so that each cut begins a span."""
    starts = sorted({first, *(cut for cut in cuts if first < cut <= last)})
    return list(zip(starts, [*(start - DAY for start in starts[1:]), last], strict=True))


def bill(level: Level, first: date, last: date, grid: Grid) -> Decimal:
    """One item: units x unit price x the days' share of their period (4 places), half-up to the cent."""
    start, end = grid.period_of(first)
    part = (Decimal((last - first).days + 1) / ((end - start).days + 1)).quantize(Decimal("0.0001"), ROUND_HALF_UP)
    return (level.units * level.price * part).quantize(Decimal("0.01"), ROUND_HALF_UP)


def rounding(largest: Fraction, parts: int) -> Fraction:
    """What rounding may make of so many items: half a cent and half of the last place of a share, each."""
    return parts * (Fraction(1, 200) + largest / 20_000)


def largest(levels: Sequence[Level]) -> Fraction:
    return max((abs(level.units) * Fraction(level.price) for level in levels), default=Fraction(0))
