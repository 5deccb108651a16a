"""A changed quantity, in numbers."""

from decimal import Decimal

import pytest

from syncops.operations.change_quantity import KIND
from syncops.timeline import Level
from tests.syncops.operations.lines import FIVE, FOUR, a_fact, after, june, may

LATER = {"seat_increase": "next_period", "seat_decrease": "next_period"}


@pytest.mark.parametrize(("quantity", "change"), [(12, 2), (9, -1), (0, -10), (10, 0)])
def test_the_units_are_the_new_quantity_from_that_day_on(quantity, change):
    line = after(a_fact(KIND, may(10), units=quantity))
    assert line.at(may(9)).units == 10
    assert line.at(may(10)).units - 10 == change


def test_price_and_cost_stay_as_they_are():
    assert after(a_fact(KIND, may(10), units=12)).at(may(10)) == Level(12, FIVE, FOUR)


def test_with_a_promotion_the_new_price_holds_for_all_units_from_that_day_on():
    line = after(a_fact(KIND, may(10), units=12, price="4.50", cost="3.60"))
    assert line.at(may(9)) == Level(10, FIVE, FOUR)
    assert line.at(may(10)) == Level(12, Decimal("4.50"), Decimal("3.60"))


def test_of_two_on_one_day_the_last_given_wins():
    assert after(a_fact(KIND, may(10), units=12), a_fact(KIND, may(10), units=9)).at(may(10)).units == 9


def test_a_late_one_changes_only_the_days_up_to_the_next():
    line = after(a_fact(KIND, may(20), units=15), a_fact(KIND, may(10), units=12))
    assert [line.at(may(day)).units for day in (9, 10, 19, 20)] == [10, 12, 12, 15]


@pytest.mark.parametrize(
    ("policies", "units", "first"),
    [
        ({"seat_increase": "next_period"}, 12, june(1)),
        ({"seat_increase": "next_period"}, 8, may(10)),
        ({"seat_decrease": "next_period"}, 8, june(1)),
        ({"seat_decrease": "next_period"}, 12, may(10)),
    ],
)
def test_more_or_fewer_seats_may_wait_for_the_next_period(policies, units, first):
    line = after(a_fact(KIND, may(10), policies, units=units))
    assert [day for day, level in line.steps if level.units == units] == [first]


def test_what_waits_for_the_next_period_gives_way_to_a_later_change():
    waits = a_fact(KIND, may(10), LATER, units=8)
    line = after(waits, a_fact(KIND, may(25), {"seat_decrease": "next_period"}, units=12))
    assert [line.at(day).units for day in (may(24), may(25), june(1), june(30))] == [10, 12, 12, 12]


def test_on_the_first_day_of_a_period_the_next_one_is_a_month_away():
    line = after(a_fact(KIND, june(1), LATER, units=12))
    assert [line.at(day).units for day in (june(30), june(30).replace(month=7, day=1))] == [10, 12]
