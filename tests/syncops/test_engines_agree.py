"""Two engines that share no code: the far side's unit rows and our timelines say the same on every open date.

Each example writes random adjustments through the stand-in's period engine, plans with ours from the rows that it
shows, writes the plan through the stand-in again, and reads the rows back. 250 examples of up to 8 adjustments each.
"""

from datetime import date, timedelta
from decimal import Decimal

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from connections.sandbox.autotask import money, periods
from connections.sandbox.autotask.picklists import MONTHLY, YEARLY
from syncops import bills
from syncops.periods import PeriodGrid
from syncops.plans import plan
from syncops.timeline import (
    Adjustment,
    Level,
    Row,
    Term,
    Timeline,
    actual_timeline,
    apply,
    closed_through,
    first_open_date,
)

STARTS = (date(2026, 1, 1), date(2026, 1, 15), date(2027, 10, 31), date(2028, 2, 29))
PRICES = (Decimal("5.00"), Decimal("5.50"), Decimal("7.25"))
TYPES = {MONTHLY: "monthly", YEARLY: "yearly"}


@st.composite
def contracts(draw):
    start, kind = draw(st.sampled_from(STARTS)), draw(st.sampled_from([MONTHLY, MONTHLY, YEARLY]))
    return start, start + timedelta(days=draw(st.integers(0, 420))), kind


@st.composite
def lines(draw):
    """A contract, the far side's rows of a line on it after some adjustments, and what the line should be."""
    start, end, kind = draw(contracts())
    span = (end - start).days
    rows = periods.fresh_rows(start, end, kind, Decimal("5.00"), Decimal("4.00"))
    sent = []
    for _ in range(draw(st.integers(0, 8))):
        day = start + timedelta(days=draw(st.integers(0, span)))
        price = draw(st.sampled_from([None, None, *PRICES]))
        adjustment = Adjustment(day, draw(st.integers(-4, 9)), price, price and price - 1)
        try:
            rows = periods.adjusted(rows, day, adjustment.unit_change, adjustment.price, adjustment.cost)
        except periods.BelowZero:
            continue
        sent.append(adjustment)
    closed = draw(st.sampled_from([None, None, *(row.end for row in rows)]))
    rows = [periods.Row(r.start, r.end, r.units, r.price, r.cost, bool(closed and r.end <= closed)) for r in rows]
    steps = [
        (start + timedelta(days=draw(st.integers(0, span))), Level(draw(st.integers(0, 12)), *draw(prices())))
        for _ in range(draw(st.integers(1, 5)))
    ]
    return Term(start, end, TYPES[kind]), kind, rows, sent, Timeline.from_steps(steps)


def prices():
    return st.sampled_from([(price, price - 1) for price in PRICES])


def shown(rows):
    """The rows as the API shows them: totals of the row."""
    return [Row(r.start, r.end, r.units, r.units * r.price, r.units * r.cost, r.posted) for r in rows]


def all_days(first, last):
    return [first + timedelta(days=n) for n in range((last - first).days + 1)]


@settings(max_examples=250, deadline=None, derandomize=True, database=None)
@given(lines())
def test_our_simulation_says_what_the_far_side_does(line):
    contract, kind, _, sent, _ = line
    fresh = periods.fresh_rows(contract.start, contract.end, kind, Decimal("5.00"), Decimal("4.00"))
    rows = fresh
    for one in sent:
        rows = periods.adjusted(rows, one.effective, one.unit_change, one.price, one.cost)
    ours, theirs = apply(actual_timeline(shown(fresh)), sent), actual_timeline(shown(rows))
    for day in all_days(contract.start, contract.end):
        assert theirs.at(day).units == ours.at(day).units
        if theirs.at(day).units and ours.at(day).price is not None:
            assert theirs.at(day).price == ours.at(day).price


@settings(max_examples=250, deadline=None, derandomize=True, database=None)
@given(lines())
def test_a_plan_sent_to_the_far_side_makes_every_open_date_right_and_then_nothing_is_left(line):
    contract, _, rows, _, wanted = line
    first = first_open_date(shown(rows), contract)
    for _ in range(3):
        made = plan(
            wanted,
            actual_timeline(shown(rows)),
            contract=contract,
            currency="EUR",
            closed_through=closed_through(shown(rows)),
            rows=shown(rows),
        )
        if made.is_empty:
            break
        for one in made.batches[0]:
            rows = periods.adjusted(rows, one.effective, one.unit_change, one.price, one.cost)
    assert made.is_empty
    found = actual_timeline(shown(rows))
    for day in all_days(first, contract.end):
        assert found.at(day).satisfies(wanted.at(day)), day


@settings(max_examples=250, deadline=None, derandomize=True, database=None)
@given(lines())
def test_both_engines_bill_the_same(line):
    contract, kind, rows, _, _ = line
    assume(any(row.units for row in rows))
    grid = PeriodGrid.of(contract, shown(rows))
    for period in grid.between(contract.start, contract.end):
        theirs = sum(
            money.amount(
                row.units, row.price, money.share(row, periods.period_of(row.start, contract.start, kind)), "EUR"
            )
            for row in rows
            if period.start <= row.start <= period.end
        )
        ours = bills.billed(actual_timeline(shown(rows)), [period], contract, "EUR", [row.start for row in rows])
        assert ours == theirs
