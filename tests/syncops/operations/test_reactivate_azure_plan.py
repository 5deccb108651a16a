"""A reactivated Azure plan, in numbers."""

from decimal import Decimal

from syncops.operations import suspend_azure_plan
from syncops.operations.base import NothingToSend
from syncops.operations.reactivate_azure_plan import KIND
from syncops.timeline import Level, Timeline
from tests.syncops.operations.lines import PLACE, ZERO, a_fact, after, june, may

PLAN = Timeline.from_steps([(may(1), Level(1, Decimal("120.00"), Decimal("100.00")))])
RESTORE = {"reactivation": "restore"}


def test_autotask_keeps_price_0_and_a_person_is_warned():
    refusal = KIND.refuses(a_fact(KIND, june(10)), PLACE)
    assert isinstance(refusal, NothingToSend)
    assert "keeps price 0 for Business Basic on the contract Microsoft 365 (CSP)" in refusal.reason
    assert refusal.advice


def test_restored_price_and_cost_return_with_the_next_period():
    assert KIND.refuses(a_fact(KIND, june(10), RESTORE), PLACE) is None
    line = after(a_fact(suspend_azure_plan.KIND, may(20)), a_fact(KIND, june(10), RESTORE), base=PLAN)
    assert line.at(june(30)) == Level(1, ZERO, ZERO)
    assert line.at(june(30).replace(month=7, day=1)) == Level(1, Decimal("120.00"), Decimal("100.00"))


def test_reactivated_in_the_month_of_its_suspension_it_never_stops_being_billed():
    line = after(a_fact(suspend_azure_plan.KIND, may(20)), a_fact(KIND, may(25), RESTORE), base=PLAN)
    assert line == PLAN


def test_a_plan_without_any_price_so_far_stays_as_it_is():
    free = Timeline.from_steps([(may(1), Level(1, ZERO, ZERO))])
    assert after(a_fact(KIND, june(10), RESTORE), base=free) == free
