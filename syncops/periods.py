"""The billing periods of a contract: cut from its start date, and read from the unit rows wherever rows exist."""

from __future__ import annotations

from bisect import bisect_right
from calendar import monthrange
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from operator import attrgetter

from syncops.timeline import ONE_DAY, Row, Term

MONTHS = {"monthly": 1, "quarterly": 3, "semi_annual": 6, "yearly": 12}


@dataclass(frozen=True, slots=True)
class Period:
    """One billing period, first and last day inclusive. The last may run past the contract's end: it bills in part."""

    start: date
    end: date

    @property
    def days(self) -> int:
        return (self.end - self.start).days + 1


def add_months(anchor: date, months: int) -> date:
    """The anchor's day so many months later, clamped to the month's last day: 31 January, 28 February, 31 March."""
    year, month = divmod(anchor.year * 12 + anchor.month - 1 + months, 12)
    return date(year, month + 1, min(anchor.day, monthrange(year, month + 1)[1]))


@dataclass(frozen=True, slots=True)
class PeriodGrid:
    """All periods of one contract. Autotask cuts every line of a contract by the same grid.

    A row that covers a computed boundary without beginning there shows that Autotask cut otherwise: the nearer end of
    that row is the boundary then.
    """

    contract: Term
    rows: tuple[Row, ...] = field(default=())

    @classmethod
    def of(cls, contract: Term, rows: Iterable[Row] = ()) -> PeriodGrid:
        return cls(contract, tuple(sorted(rows, key=attrgetter("start"))))

    def period_of(self, day: date) -> Period:
        """The period that a day of the contract lies in; ValueError for a day outside the contract."""
        if not self.contract.start <= day <= self.contract.end:
            raise ValueError(f"{day} is outside the contract ({self.contract.start} to {self.contract.end})")
        start = self.contract.start
        step = MONTHS[self.contract.period_type]
        number = ((day.year - start.year) * 12 + day.month - start.month) // step
        while self._boundary(number) > day:
            number -= 1
        while (following := self._boundary(number + 1)) <= day:
            number += 1
        return Period(self._boundary(number), following - ONE_DAY)

    def start_of(self, day: date) -> date:
        """The first day of the period that a day lies in, never before the contract; a day after its end itself."""
        if day > self.contract.end:
            return day
        return self.period_of(max(day, self.contract.start)).start

    def start_after(self, day: date) -> date:
        """The first day of the period after a day's; after the contract's last that is a day beyond its end."""
        if day < self.contract.start:
            return self.contract.start
        return day if day > self.contract.end else self.period_of(day).end + ONE_DAY

    def next_period(self, period: Period) -> Period | None:
        """The period after this one; None after the contract's last."""
        following = period.end + ONE_DAY
        return None if following > self.contract.end else self.period_of(following)

    def between(self, first: date, last: date) -> list[Period]:
        """The periods that touch these days of the contract, oldest first."""
        first, last = max(first, self.contract.start), min(last, self.contract.end)
        found: list[Period] = []
        while first <= last:
            found.append(self.period_of(first))
            first = found[-1].end + ONE_DAY
        return found

    def _boundary(self, number: int) -> date:
        computed = add_months(self.contract.start, number * MONTHS[self.contract.period_type])
        index = bisect_right(self.rows, computed, key=attrgetter("start")) - 1
        if number <= 0 or index < 0:
            return computed
        row = self.rows[index]
        if row.start == computed or row.end < computed:
            return computed
        following = row.end + ONE_DAY
        return row.start if computed - row.start <= following - computed else following
