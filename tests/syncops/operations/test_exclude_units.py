"""Units that are left out, in numbers: fewer on every later date, whatever changes, and never fewer than none."""

from dataclasses import replace

import pytest

from syncops.operations import change_quantity, map_subscription
from syncops.operations.exclude_units import KIND
from syncops.plans import plan
from syncops.timeline import Adjustment
from tests.syncops.operations.lines import GRID, LINE, a_fact, after, june, may


def out(day, units, key=0):
    return replace(a_fact(KIND, day, excluded=[(day.isoformat(), units)]), key=key)


def units(line, *days):
    return [line.at(day).units for day in days]


def test_so_many_fewer_are_billed_from_that_day_on():
    assert units(after(out(may(17), 3)), may(16), may(17), june(30)) == [10, 7, 7]


def test_later_and_earlier_changes_of_the_quantity_are_fewer_as_well():
    later, earlier = a_fact(change_quantity.KIND, may(20), units=15), a_fact(change_quantity.KIND, may(5), units=12)
    line = after(out(may(10), 3), later, earlier)
    assert units(line, may(5), may(10), may(20)) == [12, 9, 12]


def test_a_line_never_falls_below_nothing():
    line = after(out(may(10), 8), a_fact(change_quantity.KIND, may(20), units=5))
    assert units(line, may(10), may(20)) == [2, 0]


def test_what_was_recorded_last_holds_from_its_day_on():
    line = after(out(may(10), 3, key=1), out(may(20), 5, key=2), out(may(15), 0, key=3))
    assert units(line, may(10), may(15), may(20)) == [7, 10, 10]
    assert units(after(out(may(10), 3, key=1), out(may(10), 0, key=2)), may(10)) == [10]


def test_a_new_line_begins_with_what_is_left_out():
    carried = {"units": 10, "price": "5.00", "excluded": [("2026-05-10", 3), ("2026-05-20", 0)]}
    line = after(a_fact(map_subscription.KIND, may(12), **carried))
    assert units(line, may(12), may(19), may(20)) == [7, 7, 10]


@pytest.mark.parametrize(("excluded", "sent"), [(3, -3), (10, -10), (99, -10)])
def test_what_is_sent_takes_units_away_and_carries_no_price(excluded, sent):
    made = plan(after(out(may(17), excluded)), LINE, contract=GRID.contract, currency="EUR")
    assert made.adjustments == (Adjustment(may(17), sent),)
