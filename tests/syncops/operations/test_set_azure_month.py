"""The amount of an Azure month on its line, in numbers."""

from datetime import date
from decimal import Decimal
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncops.operations import suspend_azure_plan
from syncops.operations.set_azure_month import KIND
from syncops.periods import add_months
from syncops.timeline import Level, Timeline
from tests.syncops.operations.lines import ZERO, a_fact, after, june, may

APRIL = date(2026, 4, 1)
PLAN = Timeline.from_steps([(APRIL, Level(1, ZERO, ZERO))])
MONTHS = [date(2026, month, 1) for month in range(4, 12)]


def month(first, price, cost="0"):
    return a_fact(KIND, first, month=str(first), price=price, cost=cost, resets_on=str(add_months(first, 1)))


def test_312_40_in_may_and_nothing_from_june_on():
    line = after(month(may(1), "312.40", "260.33"), base=PLAN)
    assert line.steps == (
        (APRIL, Level(1, ZERO, ZERO)),
        (may(1), Level(1, Decimal("312.40"), Decimal("260.33"))),
        (june(1), Level(1, ZERO, ZERO)),
    )


def test_of_two_amounts_of_one_month_the_later_holds():
    line = after(month(may(1), "312.40"), month(may(1), "300.00"), base=PLAN)
    assert [line.at(day).price for day in (may(1), june(1))] == [300, 0]


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_the_order_in_which_months_come_does_not_matter(order):
    facts = [month(day, str(number + 1)) for number, day in enumerate(MONTHS[:3])]
    line = after(*(facts[index] for index in order), base=PLAN)
    assert [line.at(day).price for day in MONTHS[:4]] == [1, 2, 3, 0]


def test_the_usage_of_a_month_in_which_the_plan_was_suspended_is_billed_all_the_same():
    line = after(month(may(1), "312.40"), a_fact(suspend_azure_plan.KIND, may(20)), month(june(1), "12.00"), base=PLAN)
    assert [line.at(day).price for day in (may(1), june(1), date(2026, 7, 1))] == [Decimal("312.40"), 12, 0]


def test_the_last_month_of_a_contract_resets_nothing_behind_it():
    fact = a_fact(KIND, date(2026, 12, 1), month="2026-12-01", price="5.00", cost="4.00", resets_on=None)
    assert after(fact, base=PLAN).at(date(2026, 12, 31)).price == 5


@given(st.dictionaries(st.sampled_from(MONTHS), st.integers(0, 99999), max_size=8), st.randoms(use_true_random=False))
def test_each_month_bills_its_amount_with_one_unit_and_no_other_month_anything(cents, random):
    facts = [month(day, str(Decimal(price) / 100)) for day, price in cents.items()]
    random.shuffle(facts)
    line = after(*facts, base=PLAN)
    for day in [*MONTHS, date(2026, 12, 31)]:
        wanted = Decimal(cents.get(day.replace(day=1), 0)) / 100
        assert (line.at(day).units, line.at(day).price) == (1, wanted)
