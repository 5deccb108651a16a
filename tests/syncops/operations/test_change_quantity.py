"""A changed quantity, in numbers."""

from datetime import date
from decimal import Decimal

import pytest

from syncops.changes import fold
from syncops.operations.base import Fact
from syncops.operations.change_quantity import KIND, effect
from syncops.timeline import Level, Timeline

LINE = Timeline.from_steps([(date(2026, 5, 1), Level(10, Decimal("5.00"), Decimal("4.00")))])


@pytest.mark.parametrize(("quantity", "change"), [(12, 2), (9, -1), (0, -10), (10, 0)])
def test_the_units_are_the_new_quantity_from_that_day_on(quantity, change):
    after = effect(LINE, Fact(KIND.name, date(2026, 5, 10), {"units": quantity}))
    assert after.at(date(2026, 5, 9)).units == 10
    assert after.at(date(2026, 5, 10)).units - 10 == change


def test_price_and_cost_stay_as_they_are():
    level = effect(LINE, Fact(KIND.name, date(2026, 5, 10), {"units": 12})).at(date(2026, 5, 10))
    assert (level.price, level.cost) == (Decimal("5.00"), Decimal("4.00"))


def test_of_two_on_one_day_the_last_given_wins():
    facts = [Fact(KIND.name, date(2026, 5, 10), {"units": units}) for units in (12, 9)]
    assert fold(facts, base=LINE).at(date(2026, 5, 10)).units == 9


def test_a_late_one_changes_only_the_days_up_to_the_next():
    facts = [Fact(KIND.name, date(2026, 5, 20), {"units": 15}), Fact(KIND.name, date(2026, 5, 10), {"units": 12})]
    line = fold(facts, base=LINE)
    assert [line.at(date(2026, 5, day)).units for day in (9, 10, 19, 20)] == [10, 12, 12, 15]
