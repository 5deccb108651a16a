"""A hand-over to another reseller, in numbers."""

from syncops.operations.base import Unsupported
from syncops.operations.change_reseller import KIND
from tests.syncops.operations.lines import PLACE, a_fact, after, may


def test_by_default_a_person_is_told_what_to_do_by_hand():
    refusal = KIND.refuses(a_fact(KIND, may(20)), PLACE)
    assert isinstance(refusal, Unsupported)
    assert "Business Basic on the contract Microsoft 365 (CSP) to 0 from 20\xa0May\xa02026" in refusal.advice


def test_handed_over_the_old_owners_line_ends_on_that_day():
    fact = a_fact(KIND, may(20), {"reseller_change": "hand_over"})
    assert KIND.refuses(fact, PLACE) is None
    assert [after(fact).at(may(day)).units for day in (19, 20)] == [10, 0]
