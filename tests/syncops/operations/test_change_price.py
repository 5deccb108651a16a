"""A changed margin of one subscription, in numbers."""

from datetime import date
from decimal import Decimal

from syncops.operations import change_quantity, map_subscription
from syncops.operations.base import NothingToSend
from syncops.operations.change_price import KIND
from syncops.plans import plan
from syncops.timeline import Adjustment, Level, Timeline
from tests.syncops.operations.lines import FIVE, FOUR, GRID, LINE, PLACE, a_fact, after, june, may

HIGHER = {"price": "5.50", "cost": "4.00"}


def test_the_price_holds_from_the_start_of_the_period_that_the_change_fell_in():
    line = after(a_fact(KIND, may(20), **HIGHER), base=Timeline.from_steps([(date(2026, 1, 1), LINE.at(may(1)))]))
    assert line.at(date(2026, 4, 30)) == Level(10, FIVE, FOUR)
    assert line.at(may(1)) == Level(10, Decimal("5.50"), FOUR)


def test_it_never_reaches_back_before_the_subscription_was_on_the_line():
    taken_over = Timeline.from_steps([(date(2026, 1, 1), Level(7, Decimal("6.00"), FOUR))])
    mapped = a_fact(map_subscription.KIND, may(10), units=10, price="5.00", cost="4.00")
    line = after(mapped, a_fact(KIND, may(20), **HIGHER), base=taken_over)
    assert [line.at(may(day)).price for day in (9, 10)] == [Decimal("6.00"), Decimal("5.50")]


def test_a_posted_period_stays_a_shortfall_and_the_next_one_carries_the_price():
    wanted = after(a_fact(KIND, may(20), **HIGHER))
    made = plan(wanted, LINE, contract=GRID.contract, currency="EUR", closed_through=may(31))
    assert made.adjustments == (Adjustment(june(1), 0, Decimal("5.50")),)
    assert [(gap.units, gap.amount) for gap in made.shortfalls] == [(0, Decimal("5.00"))]  # 10 x 0.50


def test_a_later_price_wins_over_a_late_one_from_its_own_period_on():
    line = after(a_fact(KIND, june(3), price="6.00", cost="4.00"), a_fact(KIND, may(20), **HIGHER))
    assert [line.at(day).price for day in (may(1), may(31), june(1))] == [Decimal("5.50"), Decimal("5.50"), 6]


def test_units_that_changed_in_between_keep_their_days():
    line = after(a_fact(change_quantity.KIND, may(10), units=12), a_fact(KIND, may(20), **HIGHER))
    assert [(line.at(may(day)).units, line.at(may(day)).price) for day in (1, 10)] == [
        (10, Decimal("5.50")),
        (12, Decimal("5.50")),
    ]


def test_an_azure_plan_has_no_price_to_send():
    assert isinstance(KIND.refuses(a_fact(KIND, may(20), usage_based=True, **HIGHER), PLACE), NothingToSend)
    assert KIND.refuses(a_fact(KIND, may(20), **HIGHER), PLACE) is None
