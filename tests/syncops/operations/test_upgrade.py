"""An upgrade to another offer, in numbers."""

import pytest

from syncops.operations.base import Unsupported
from syncops.operations.upgrade import KIND
from tests.syncops.operations.lines import PLACE, a_fact, after, may


@pytest.mark.parametrize(("stay", "words"), [(0, "to 0 from"), (4, "to 4 from")])
def test_it_is_left_to_a_person_who_is_told_how_many_units_stay(stay, words):
    refusal = KIND.refuses(a_fact(KIND, may(20), units=stay), PLACE)
    assert isinstance(refusal, Unsupported)
    assert f"Business Basic on the contract Microsoft 365 (CSP) {words} 20\xa0May\xa02026" in refusal.advice


def test_the_old_line_keeps_what_was_not_upgraded():
    line = after(a_fact(KIND, may(20), units=4))
    assert [line.at(may(day)).units for day in (19, 20)] == [10, 4]
