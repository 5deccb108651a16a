"""A price that no month asks for goes to 0, in numbers."""

from datetime import date
from decimal import Decimal

from syncops.operations.zero_azure_price import KIND
from syncops.timeline import Level, Timeline
from tests.syncops.operations.lines import ZERO, a_fact, after, june, may
from tests.syncops.operations.test_set_azure_month import month

HUNDRED = Decimal(100)
LINE = Timeline.from_steps([(may(1), Level(1, HUNDRED, HUNDRED))])


def test_100_from_may_on_becomes_nothing_from_june_on():
    line = after(a_fact(KIND, june(1)), base=LINE)
    assert line.steps == ((may(1), Level(1, HUNDRED, HUNDRED)), (june(1), Level(1, ZERO, ZERO)))


def test_a_later_month_keeps_its_amount():
    line = after(month(date(2026, 7, 1), "50.00"), a_fact(KIND, june(1)), base=LINE)
    assert [line.at(date(2026, number, 1)).price for number in (5, 6, 7, 8)] == [100, 0, 50, 0]
