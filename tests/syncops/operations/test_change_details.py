"""A new name or automatic renewal."""

from syncops.operations.base import Unsupported
from syncops.operations.change_details import KIND
from tests.syncops.operations.lines import LINE, PLACE, a_fact, after, may


def test_it_is_always_left_to_a_person_who_is_told_where():
    refusal = KIND.refuses(a_fact(KIND, may(20), changed={"friendly_name": "Sales team"}), PLACE)
    assert isinstance(refusal, Unsupported)
    assert "Business Basic on the contract Microsoft 365 (CSP)" in refusal.advice


def test_nothing_on_the_line_follows_from_it():
    assert after(a_fact(KIND, may(20))) == LINE
