"""Changed margins of a customer, in numbers: what each of its subscriptions gets."""

from decimal import Decimal

from syncops.operations.base import NothingToSend
from syncops.operations.change_margins import KIND
from tests.syncops.operations.lines import PLACE, a_fact, after, june, may

HIGHER = {"price": "5.50", "cost": "4.00"}


def test_the_price_holds_from_the_day_on_which_the_margins_were_completed():
    line = after(a_fact(KIND, may(20), **HIGHER))
    assert [line.at(may(day)).price for day in (19, 20)] == [Decimal("5.00"), Decimal("5.50")]


def test_it_may_wait_for_the_next_period():
    line = after(a_fact(KIND, may(20), {"margin_date": "next_period_start"}, **HIGHER))
    assert [line.at(day).price for day in (may(31), june(1))] == [Decimal("5.00"), Decimal("5.50")]


def test_an_azure_plan_has_no_price_to_send():
    assert isinstance(KIND.refuses(a_fact(KIND, may(20), usage_based=True, **HIGHER), PLACE), NothingToSend)
