"""A suspended licence, in numbers."""

from syncops.operations.base import Unsupported
from syncops.operations.suspend_licence import KIND
from tests.syncops.operations.lines import FIVE, PLACE, a_fact, after, may


def test_by_default_a_person_is_told_what_to_do_by_hand():
    refusal = KIND.refuses(a_fact(KIND, may(20)), PLACE)
    assert isinstance(refusal, Unsupported)
    assert "units of Business Basic on the contract Microsoft 365 (CSP) to 0" in refusal.advice
    assert "20\xa0May\xa02026" in refusal.advice


def test_the_units_may_go_to_0_with_the_suspension():
    fact = a_fact(KIND, may(20), {"licence_suspension": "zero"})
    assert KIND.refuses(fact, PLACE) is None
    line = after(fact)
    assert [line.at(may(day)).units for day in (19, 20)] == [10, 0]
    assert line.at(may(20)).price == FIVE
