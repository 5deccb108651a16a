"""A subscription that is taken off its contract, in numbers."""

from decimal import Decimal

from syncops.operations.end_mapping import KIND
from syncops.plans import plan
from syncops.timeline import Adjustment
from tests.syncops.operations.lines import GRID, LINE, a_fact, after, may


def test_the_line_has_no_units_from_that_day_on():
    line = after(a_fact(KIND, may(17)))
    assert [line.at(may(day)).units for day in (16, 17, 31)] == [10, 0, 0]


def test_what_is_sent_takes_the_units_away_and_carries_no_price():
    made = plan(after(a_fact(KIND, may(17))), LINE, contract=GRID.contract, currency="EUR")
    assert made.adjustments == (Adjustment(may(17), -10),)


def test_days_that_are_posted_come_back_as_money():
    made = plan(after(a_fact(KIND, may(17))), LINE, contract=GRID.contract, currency="EUR", closed_through=may(31))
    [gap] = made.shortfalls
    assert (gap.start, gap.end, gap.units, gap.amount) == (may(17), may(31), -10, Decimal("-24.20"))  # 50 x 0.4839
