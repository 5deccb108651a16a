"""What a line costs in a billing period, as Autotask bills it: row by row, each rounded by itself."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from syncops.money import amount, share
from syncops.periods import Period
from syncops.timeline import Term, Timeline, spans


@dataclass(frozen=True, slots=True)
class Bill:
    """What a line costs from `start` to `end` (inclusive) before and after; None where a price is not known."""

    start: date
    end: date
    before: Decimal | None
    after: Decimal | None

    @property
    def change(self) -> Decimal | None:
        return difference(self.before, self.after)


def difference(before: Decimal | None, after: Decimal | None) -> Decimal | None:
    return None if before is None or after is None else after - before


def billed(
    timeline: Timeline, periods: Iterable[Period], contract: Term, currency: str, row_starts: Iterable[date]
) -> Decimal | None:
    """The sum over the rows of these periods; None where the price of running units is not known.

    A row begins with its period, at a step of the timeline and at each of `row_starts`: Autotask keeps a split row
    split where its parts hold the same. Days outside the contract are not billed.
    """
    cuts = (*timeline.breakpoints, *row_starts)
    total = amount(0, Decimal(0), Decimal(0), currency)
    for period in periods:
        for start, end in spans(max(period.start, contract.start), min(period.end, contract.end), cuts):
            level = timeline.at(start)
            if level.units == 0:
                continue
            if level.price is None:
                return None
            total += amount(level.units, level.price, share((end - start).days + 1, period.days), currency)
    return total
