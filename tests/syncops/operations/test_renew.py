"""A renewal, in numbers."""

from datetime import date
from decimal import Decimal

from syncops.operations.base import Unsupported
from syncops.operations.renew import KIND
from syncops.timeline import Level
from tests.syncops.operations.lines import FIVE, FOUR, LINE, PLACE, a_fact, after

NEW_YEAR = date(2027, 1, 1)
TERM = {"extend_to": "2027-12-31", "price": "5.25", "cost": "4.20"}


def test_by_default_a_person_is_told_the_end_and_the_price_by_hand():
    refusal = KIND.refuses(a_fact(KIND, NEW_YEAR, **TERM), PLACE)
    assert isinstance(refusal, Unsupported)
    assert "end of the contract Microsoft 365 (CSP) to 31\xa0Dec\xa02027 or later" in refusal.advice
    assert "5.25 per unit and period: look whether Business Basic" in refusal.advice


def test_extended_the_line_goes_on_as_it_is():
    fact = a_fact(KIND, NEW_YEAR, {"renewal": "extend"}, **TERM)
    assert KIND.refuses(fact, PLACE) is None
    assert after(fact) == LINE


def test_extended_and_repriced_the_new_price_holds_from_the_renewal_on():
    line = after(a_fact(KIND, NEW_YEAR, {"renewal": "extend_and_reprice"}, **TERM))
    assert line.at(date(2026, 12, 31)) == Level(10, FIVE, FOUR)
    assert line.at(NEW_YEAR) == Level(10, Decimal("5.25"), Decimal("4.20"))
