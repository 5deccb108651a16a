"""A reactivated licence, in numbers."""

import pytest

from syncops.operations import suspend_licence
from syncops.operations.base import Unsupported
from syncops.operations.reactivate_licence import KIND
from syncops.timeline import Level
from tests.syncops.operations.lines import FIVE, FOUR, PLACE, a_fact, after, june, may

ZERO_THEM = {"licence_suspension": "zero"}


@pytest.mark.parametrize("today", [{}, ZERO_THEM])
def test_units_that_stayed_are_not_sent_again_whatever_the_policy_is_today(today):
    refusal = KIND.refuses(a_fact(KIND, june(3), today, units=10, zeroed=False), PLACE)
    assert isinstance(refusal, Unsupported)
    assert "has 10 units from 3\xa0Jun\xa02026" in refusal.advice


@pytest.mark.parametrize("today", [{}, ZERO_THEM])
def test_units_that_were_taken_away_come_back_at_the_old_price_whatever_the_policy_is_today(today):
    fact = a_fact(KIND, june(3), today, units=10, zeroed=True)
    assert KIND.refuses(fact, PLACE) is None
    line = after(a_fact(suspend_licence.KIND, may(20), ZERO_THEM), fact)
    assert [line.at(day).units for day in (may(19), may(20), june(2))] == [10, 0, 0]
    assert line.at(june(3)) == Level(10, FIVE, FOUR)
