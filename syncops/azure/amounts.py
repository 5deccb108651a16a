"""Amounts of Azure plans by month, as frozen values: what came in, on which period it goes out, what is still due."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Literal

from syncops.money import to_minor_unit
from syncops.periods import PeriodGrid, add_months
from syncops.timeline import ONE_DAY, Row, Term, Timeline

Where = Literal["usage_month", "following_month"]
LARGEST = Decimal(10) ** 10
CHARGE_NAME = "Azure Plan"


@dataclass(frozen=True, slots=True)
class Amount:
    """What a plan (the subscription's id) cost in the month that begins on `month`, in its owner's purchase context.

    `price` is None where it is to follow from the margin rules; `retail` is the same usage at Microsoft's retail
    prices, which some of them ask for. `is_complete`: the billed reconciliation of the month is.
    """

    subscription_id: int
    month: date
    usage_cost: Decimal
    reservations_cost: Decimal
    currency: str
    price: Decimal | None = None
    retail: Decimal | None = None
    is_complete: bool = False

    @property
    def cost(self) -> Decimal:
        return to_minor_unit(self.usage_cost + self.reservations_cost, self.currency)


def problem_of(amount: Amount, *, currency: str, bought_on: date, today: date) -> str:
    """Why an amount cannot be taken, in words; empty where it can. `currency` is the plan's."""
    this_month = today.replace(day=1)
    given = [amount.usage_cost, amount.reservations_cost, *filter(None, [amount.price, amount.retail])]
    if any(not one.is_finite() or one < 0 for one in given):
        return "An amount is never below zero. Enter a correction as the month's new total."
    if any(one >= LARGEST for one in given):
        return "An amount is too large. Look at its decimal point."
    if amount.currency != currency:
        return f"The plan is billed in {currency}, and the amount is in {amount.currency}. Convert it first."
    if amount.month.day != 1 or amount.month > this_month:
        return f"{amount.month:%B %Y} has not begun. Choose a month up to {this_month:%B %Y}."
    if amount.month < bought_on.replace(day=1):
        return f"The plan was bought on {bought_on.day} {bought_on:%B %Y}. Choose that month or a later one."
    if amount.is_complete and amount.month == this_month:
        return f"{amount.month:%B %Y} is not over, so its billed reconciliation cannot be complete."
    return ""


def period_of(month: date, where: Where) -> date:
    """The first day of the billing period that a usage month goes on."""
    return month if where == "usage_month" else add_months(month, 1)


def month_after(month: date) -> date:
    return add_months(month, 1)


def charge_name(month: date, *, is_correction: bool) -> str:
    """What the customer reads on the invoice."""
    return f"{CHARGE_NAME} (correction of {month:%B %Y})" if is_correction else CHARGE_NAME


def charge_key(month: date, number: int, plan: str) -> str:
    """What finds a charge again: the same for the same plan, month and number of the charge. At most 50 characters."""
    return f"azure-{month:%Y%m}-{number}-{plan}"


def not_whole(wanted: Timeline, first: date, last: date) -> str:
    """Why a month's price would not bill the whole amount on these days; empty where the line holds 1 unit on all."""
    days = sorted({first, *(day for day in wanted.breakpoints if first < day <= last)})
    wrong = next((day for day in days if wanted.at(day).units != 1), None)
    if wrong is None:
        return ""
    units = wanted.at(wrong).units
    return (
        f"From {wrong.day} {wrong:%B %Y} the line shows {units} units, and only 1 unit bills an amount whole. Put that "
        "right in Autotask, or make a charge there."
    )


@dataclass(frozen=True, slots=True)
class Unasked:
    """A price that the line shows from a period on, and that no month asks for."""

    period: date
    price: Decimal


def unasked(rows: Iterable[Row], term: Term, asked: Collection[date], *, sent: Collection[date]) -> Unasked | None:
    """The first open period after a month that was `sent` whose price nothing asks for. `asked`: the periods that
    months give a price. What is posted is billed already, and no alarm helps.
    """
    rows, earliest = list(rows), min(sent, default=None)
    grid = PeriodGrid.of(term, rows)
    for row in sorted(rows, key=lambda row: row.start):
        price, inside = row.level.price, term.start <= row.start <= term.end
        if earliest is None or row.posted or not price or not inside or row.start <= earliest:
            continue
        period = grid.period_of(row.start).start
        if period > earliest and period not in asked:
            return Unasked(period, price)
    return None


def is_posted(rows: Iterable[Row], first: date) -> bool:
    """Whether the period that begins on a day was approved and posted: every row of it."""
    last = month_after(first) - ONE_DAY
    inside = [row for row in rows if row.start <= last and row.end >= first]
    return bool(inside) and all(row.posted for row in inside)


def is_zero_from(found: Timeline, day: date | None) -> bool:
    """Whether the line shows nothing to pay from a day on; always where the contract ends before."""
    return day is None or found.at(day).units == 0 or found.at(day).price == 0
