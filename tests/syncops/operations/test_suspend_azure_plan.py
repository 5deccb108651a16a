"""A suspended Azure plan, in numbers."""

from datetime import date
from decimal import Decimal

from syncops.operations.suspend_azure_plan import KIND
from syncops.timeline import Level, Timeline
from tests.syncops.operations.lines import ZERO, a_fact, after, june, may

PLAN = Timeline.from_steps([(may(1), Level(1, Decimal("120.00"), Decimal("100.00"))), (june(15), Level(1, ZERO, ZERO))])


def test_price_and_cost_are_0_from_the_next_period_on_for_all_later_ones():
    line = after(a_fact(KIND, may(20)), base=PLAN)
    assert line.at(may(31)) == Level(1, Decimal("120.00"), Decimal("100.00"))
    assert [line.at(day) for day in (june(1), june(15), date(2026, 12, 1))] == [Level(1, ZERO, ZERO)] * 3


def test_in_the_contracts_last_period_the_step_lies_beyond_its_end():
    line = after(
        a_fact(KIND, date(2026, 12, 5)), base=Timeline.from_steps([(may(1), Level(1, Decimal(9), Decimal(9)))])
    )
    assert line.breakpoints[-1] == date(2027, 1, 1)
