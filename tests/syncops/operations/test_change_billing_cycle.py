"""A changed billing frequency."""

from syncops.operations.base import Unsupported
from syncops.operations.change_billing_cycle import KIND
from tests.syncops.operations.lines import PLACE, a_fact, after, may


def test_it_is_left_to_a_person_who_is_told_both_steps():
    refusal = KIND.refuses(a_fact(KIND, may(20)), PLACE)
    assert isinstance(refusal, Unsupported)
    assert "Business Basic on the contract Microsoft 365 (CSP) to 0 from 20\xa0May\xa02026" in refusal.advice
    assert "contract whose billing period is the new one" in refusal.advice


def test_the_old_line_ends_with_it():
    assert [after(a_fact(KIND, may(20))).at(may(day)).units for day in (19, 20)] == [10, 0]
