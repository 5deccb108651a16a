"""What was previewed beside what came of it, in units and in money."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from syncops.bills import billed, difference
from syncops.periods import PeriodGrid
from syncops.timeline import Adjustment, Row, Term, Timeline

ENDS = "contract_ends"


@dataclass(frozen=True, slots=True)
class UnitsCompared:
    """What was to be sent for one date and what was: units as a signed change."""

    effective: date
    previewed: int
    sent: int

    @property
    def agrees(self) -> bool:
        return self.previewed == self.sent


@dataclass(frozen=True, slots=True)
class BillCompared:
    """One bill as it was previewed, and as the line bills it since the proof; None where a price is not known."""

    label: str
    start: date
    end: date
    previewed: Decimal | None
    found: Decimal | None
    currency: str

    @property
    def change(self) -> Decimal | None:
        return difference(self.previewed, self.found)

    @property
    def agrees(self) -> bool:
        return self.previewed == self.found


@dataclass(frozen=True, slots=True)
class EndCompared:
    """The last day that a contract was to be given, and the one that it has now."""

    previewed: date
    found: date

    @property
    def agrees(self) -> bool:
        return self.found >= self.previewed  # it may have been extended again since


@dataclass(frozen=True, slots=True)
class Comparison:
    """Everything that was previewed beside what became of it. Nothing is compared where nothing was previewed."""

    units: tuple[UnitsCompared, ...]
    bills: tuple[BillCompared, ...]
    ends: EndCompared | None = None

    @property
    def agrees(self) -> bool:
        if self.ends is not None and not self.ends.agrees:
            return False
        return all(one.agrees for one in self.units) and all(one.agrees for one in self.bills)


def compare(
    preview: Mapping[str, Any], sent: Iterable[Adjustment], found: Timeline, rows: Sequence[Row], contract: Term
) -> Comparison:
    """Compare a stored preview with what was sent, and its bills with what the line `found` costs in those days."""
    if ENDS in preview:  # of the contract alone: what waited for it is compared with previews of its own
        return Comparison((), (), EndCompared(date.fromisoformat(preview[ENDS]), contract.end))
    return Comparison(
        _units(preview.get("adjustments", []), sent),
        tuple(_bill(one, found, rows, contract) for one in preview.get("bills", [])),
    )


def _units(previewed: Iterable[Mapping[str, Any]], sent: Iterable[Adjustment]) -> tuple[UnitsCompared, ...]:
    wanted: dict[date, int] = defaultdict(int)
    became: dict[date, int] = defaultdict(int)
    for one in previewed:
        wanted[date.fromisoformat(one["effective"])] += int(one["unit_change"])
    for change in sent:
        became[change.effective] += change.unit_change
    return tuple(UnitsCompared(day, wanted[day], became[day]) for day in sorted({*wanted, *became}))


def _bill(one: Mapping[str, Any], found: Timeline, rows: Sequence[Row], contract: Term) -> BillCompared:
    start, end = date.fromisoformat(one["start"]), date.fromisoformat(one["end"])
    periods = PeriodGrid.of(contract, rows).between(start, end)
    cost = billed(found, periods, contract, one["currency"], [row.start for row in rows])
    previewed = None if one["after"] is None else Decimal(one["after"])
    return BillCompared(one["label"], start, end, previewed, cost, one["currency"])
