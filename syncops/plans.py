"""The plan of one line: what is sent, what can no longer be corrected, what lies beyond the contract, and a preview."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Literal

from syncops.adjustments import Batch, PriceChange, batches_between
from syncops.bills import Bill, billed
from syncops.money import share, to_minor_unit
from syncops.periods import Period, PeriodGrid
from syncops.timeline import (
    ONE_DAY,
    Adjustment,
    Difference,
    Level,
    Row,
    Term,
    Timeline,
    actual_timeline,
    apply,
    closed_through,
    differences,
    spans,
)
from syncops.worth import Worth

Landing = Literal["posted", "open", "next", "future"]


@dataclass(frozen=True, slots=True)
class Shortfall:
    """Closed days (inclusive, inside one unit row) that hold `before` where `after` was wanted.

    `amount` and `cost_amount` are what the bill and the purchase of these days lack (negative: have too much), in the
    contract's currency; None where no price is known to tell it by.
    """

    start: date
    end: date
    before: Level
    after: Level
    amount: Decimal | None
    cost_amount: Decimal | None

    @property
    def units(self) -> int:
        """Missing units; negative where there are too many."""
        return self.after.units - self.before.units


@dataclass(frozen=True, slots=True)
class BeyondContract:
    """A wanted step after the contract's last day, with the earliest end date that would let it be sent."""

    effective: date
    level: Level
    end_needed: date


@dataclass(frozen=True, slots=True)
class Plan:
    """What to send, in this order. Between two batches the line is read back: the second builds on the first."""

    batches: tuple[Batch, ...] = ()
    shortfalls: tuple[Shortfall, ...] = ()
    beyond: tuple[BeyondContract, ...] = ()

    @property
    def adjustments(self) -> Batch:
        return tuple(adjustment for batch in self.batches for adjustment in batch)

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to send; there may be shortfalls and steps beyond the contract all the same."""
        return not self.batches


@dataclass(frozen=True, slots=True)
class PreviewLine:
    """One adjustment, the period it lands in, and what it adds to the two bills after those sent before it.

    "open" is this period or an older one that is not posted, "next" the one after, "future" all later ones.
    """

    adjustment: Adjustment
    period: Period
    landing: Landing
    this_period: Decimal | None
    next_period: Decimal | None


@dataclass(frozen=True, slots=True)
class Preview:
    """A plan in money. `earlier` covers the periods before this one that the plan still changes, if there are any."""

    currency: str
    lines: tuple[PreviewLine, ...]
    earlier: Bill | None
    this_period: Bill
    next_period: Bill | None


def plan(
    desired: Timeline,
    actual: Timeline,
    *,
    contract: Term,
    currency: str,
    closed_through: date | None = None,
    rows: Iterable[Row] = (),
    price_change: PriceChange = "set_price",
) -> Plan:
    """The adjustments that turn `actual` into `desired` on every open date, with what they cannot reach.

    `closed_through` is the last day that is closed to changes. `rows` are the line's unit rows: shortfalls are told
    per row, and by the periods that the rows show.
    """
    first = contract.start if closed_through is None else max(contract.start, closed_through + ONE_DAY)
    closed = differences(desired, actual, contract.start, min(first - ONE_DAY, contract.end))
    return Plan(
        batches=batches_between(desired, actual, first, contract.end, price_change=price_change),
        shortfalls=shortfalls(closed, PeriodGrid.of(contract, rows), currency),
        beyond=_beyond(desired, contract),
    )


def shortfalls(gaps: Iterable[Difference], grid: PeriodGrid, currency: str) -> tuple[Shortfall, ...]:
    """Days that do not hold what was wanted, cut by row and period, each part with its money."""
    found: list[Shortfall] = []
    row_starts = [row.start for row in grid.rows]
    for gap in gaps:
        price = _lacking(gap.wanted.units, gap.wanted.price, gap.found.units, gap.found.price)
        cost = _lacking(gap.wanted.units, gap.wanted.cost, gap.found.units, gap.found.cost)
        for period in grid.between(gap.start, gap.end):
            for start, end in spans(max(gap.start, period.start), min(gap.end, period.end), row_starts):
                part = share((end - start).days + 1, period.days)
                found.append(
                    Shortfall(
                        start,
                        end,
                        before=gap.found,
                        after=gap.wanted,
                        amount=None if price is None else to_minor_unit(price * part, currency),
                        cost_amount=None if cost is None else to_minor_unit(cost * part, currency),
                    )
                )
    return tuple(found)


def revalued(parts: Iterable[Worth], grid: PeriodGrid, currency: str) -> tuple[Shortfall, ...]:
    """Days on which as many units are missing as before, for other money; the purchase of it is not told."""
    return tuple(
        Shortfall(
            start,
            end,
            before=part.due,
            after=part.due,
            amount=to_minor_unit(part.money * share((end - start).days + 1, period.days), currency),
            cost_amount=None,
        )
        for part in parts
        for period in grid.between(part.start, part.end)
        for start, end in [(max(part.start, period.start), min(part.end, period.end))]
    )


def _lacking(wanted: int, wanted_price: Decimal | None, found: int, found_price: Decimal | None) -> Decimal | None:
    """What a whole period lacks. A price that is not managed is the one that holds; None where that is not known."""
    due = found_price if wanted_price is None else wanted_price
    if (wanted and due is None) or (found and found_price is None):
        return None
    return wanted * (due or Decimal(0)) - found * (found_price or Decimal(0))


def _beyond(desired: Timeline, contract: Term) -> tuple[BeyondContract, ...]:
    return tuple(
        BeyondContract(day, level, end_needed=day)
        for day, level in desired.steps
        if day > contract.end and not desired.at(day - ONE_DAY).satisfies(level)
    )


def preview(plan: Plan, rows: Iterable[Row], contract: Term, currency: str, today: date) -> Preview:
    """Where each adjustment lands, and the bill of the period of `today`, of the next one and of older ones.

    A day before the contract counts as its first, a day after it as its last.
    """
    rows = tuple(rows)
    sent = plan.adjustments
    grid = PeriodGrid.of(contract, rows)
    this = grid.period_of(min(max(today, contract.start), contract.end))
    following = grid.next_period(this)
    older = grid.between(min((change.effective for change in sent), default=this.start), this.start - ONE_DAY)
    actual = actual_timeline(rows)
    states = [apply(actual, sent[:count]) for count in range(len(sent) + 1)]
    starts = [row.start for row in rows]

    def bill(before: Timeline, after: Timeline, *periods: Period) -> Bill:
        totals = (billed(state, periods, contract, currency, starts) for state in (before, after))
        return Bill(periods[0].start, periods[-1].end, *totals)

    lines = (
        PreviewLine(
            change,
            grid.period_of(change.effective),
            _landing(change.effective, this, following, closed_through(rows)),
            bill(before, after, this).change,
            bill(before, after, following).change if following else None,
        )
        for change, before, after in zip(sent, states, states[1:], strict=False)
    )
    return Preview(
        currency,
        tuple(lines),
        earlier=bill(states[0], states[-1], *older) if older else None,
        this_period=bill(states[0], states[-1], this),
        next_period=bill(states[0], states[-1], following) if following else None,
    )


def _landing(effective: date, this: Period, following: Period | None, closed: date | None) -> Landing:
    if closed is not None and effective <= closed:
        return "posted"
    if effective <= this.end:
        return "open"
    return "next" if following and effective <= following.end else "future"
