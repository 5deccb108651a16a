"""The period engine: how the unit rows of a line come about, are split, re-priced, extended and cut off.

Periods are cut from the contract's start date in steps of its period type. A start on the 29th, 30th or 31st falls on
the last day of shorter months and returns to its own day in longer ones. Every row carries the full count in force. An
adjustment splits the row that it falls into; its count change is added to every row from there on, its price and cost
are set on every row from there on.
"""

from calendar import monthrange
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal

from .picklists import MONTHLY, QUARTERLY, SEMI_ANNUALLY, YEARLY

MONTHS = {MONTHLY: 1, QUARTERLY: 3, SEMI_ANNUALLY: 6, YEARLY: 12}
ONE_DAY = timedelta(days=1)


class BelowZero(ValueError):
    """An adjustment that would leave fewer than no units."""


@dataclass(frozen=True, slots=True)
class Period:
    """One step of a contract's grid, both days included, not shortened by the contract's end."""

    start: date
    end: date

    @property
    def days(self) -> int:
        return (self.end - self.start).days + 1


@dataclass(frozen=True, slots=True)
class Row:
    """One unit row: days included, full count, price and cost per unit. `id` is None until the ledger has it."""

    start: date
    end: date
    units: int
    price: Decimal
    cost: Decimal
    posted: bool = False
    id: int | None = None

    @property
    def days(self) -> int:
        return (self.end - self.start).days + 1


def months_after(anchor: date, months: int) -> date:
    """`anchor` moved by whole months, on the month's last day where the anchor's day does not exist."""
    year, month = divmod(anchor.year * 12 + anchor.month - 1 + months, 12)
    return date(year, month + 1, min(anchor.day, monthrange(year, month + 1)[1]))


def periods(start: date, end: date, period_type: int) -> Iterator[Period]:
    """The periods of a contract that runs from `start` to `end`; the last one may reach beyond `end`."""
    step, count, first = MONTHS[period_type], 1, start
    while first <= end:
        following = months_after(start, step * count)
        yield Period(first, following - ONE_DAY)
        first, count = following, count + 1


def period_of(day: date, start: date, period_type: int) -> Period:
    """The period of the contract's grid that covers `day`."""
    return next(period for period in periods(start, day, period_type) if period.start <= day <= period.end)


def fresh_rows(start: date, end: date, period_type: int, price: Decimal, cost: Decimal) -> list[Row]:
    """The rows of a new line: no units in any period."""
    return [Row(p.start, min(p.end, end), 0, price, cost) for p in periods(start, end, period_type)]


def split_at(rows: Sequence[Row], day: date) -> list[Row]:
    """The rows with a boundary before `day`. A posted row is never split."""
    result = []
    for row in rows:
        if row.start < day <= row.end and not row.posted:
            result += [replace(row, end=day - ONE_DAY), replace(row, start=day, id=None)]
        else:
            result.append(row)
    return result


def adjusted(
    rows: Sequence[Row], effective: date, change: int, price: Decimal | None, cost: Decimal | None
) -> list[Row]:
    """The rows after an adjustment; posted rows stay as they are. BelowZero where units would become negative."""
    result = []
    for row in split_at(rows, effective):
        if row.end >= effective and row.units + change < 0:
            raise BelowZero(f"{row.units + change} units from {row.start}")
        if row.start < effective or row.posted:
            result.append(row)
            continue
        result.append(
            replace(
                row,
                units=row.units + change,
                price=row.price if price is None else price,
                cost=row.cost if cost is None else cost,
            )
        )
    return result


def extended(rows: Sequence[Row], start: date, end: date, period_type: int) -> list[Row]:
    """The rows of a contract whose end moved out to `end`: the last count and price go on."""
    if not rows:
        return []
    result = list(rows)
    for period in periods(start, end, period_type):
        last, period_end = result[-1], min(period.end, end)
        if last.end >= period_end:
            continue
        if last.end >= period.start and not last.posted:
            result[-1] = replace(last, end=period_end)
        else:
            result.append(replace(last, start=last.end + ONE_DAY, end=period_end, posted=False, id=None))
    return result


def cut_off(rows: Sequence[Row], end: date) -> list[Row]:
    """The rows of a contract whose end moved in to `end`."""
    return [replace(row, end=min(row.end, end)) for row in rows if row.start <= end]
