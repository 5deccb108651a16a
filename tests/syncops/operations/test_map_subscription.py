"""Putting a subscription on a contract, in numbers."""

from datetime import date
from decimal import Decimal

from syncops.operations.base import Fact
from syncops.operations.map_subscription import KIND, effect
from syncops.timeline import Level, Timeline

MAY_10 = date(2026, 5, 10)
FACT = Fact(KIND.name, MAY_10, {"units": 10, "price": "5.00", "cost": "4.00"})


def test_a_new_line_has_its_units_price_and_cost_from_the_first_day():
    assert effect(Timeline(), FACT).steps == ((MAY_10, Level(10, Decimal("5.00"), Decimal("4.00"))),)


def test_a_line_that_is_taken_over_keeps_what_it_showed_before():
    before = Timeline.from_steps([(date(2026, 1, 1), Level(7, Decimal("6.00"))), (date(2026, 6, 1), Level(8))])
    after = effect(before, FACT)
    assert after.at(date(2026, 5, 9)) == Level(7, Decimal("6.00"))
    assert [after.at(day).units for day in (MAY_10, date(2026, 6, 1))] == [10, 10]


def test_a_cost_that_is_not_managed_stays_unsaid():
    assert (
        effect(Timeline(), Fact(KIND.name, MAY_10, {"units": 1, "price": "5.00", "cost": None})).at(MAY_10).cost is None
    )
