"""What was given up on posted days is as good as billed: later changes are short of their own part only."""

from datetime import date
from decimal import Decimal

import pytest

from syncops.changes import GivenUp, as_if_billed, parted
from syncops.models import Shortfall
from syncops.timeline import Level, Timeline
from tests.syncops.late import MAY_20, MAY_31, late_change

FIVE, SIX = Decimal(5), Decimal(6)
LINE = Timeline.from_steps([(date(2026, 5, 1), Level(10, FIVE))])
LATE = GivenUp(MAY_20, MAY_31, 2, 1, SIX)


def test_the_days_hold_what_was_wanted_there():
    held = as_if_billed(LINE, [LATE])
    assert held.at(MAY_20) == Level(12, SIX)
    assert held.at(date(2026, 5, 19)) == held.at(date(2026, 6, 1)) == Level(10, FIVE)


def test_only_closed_days_are_as_good_as_billed():
    closed, still_open = parted([LATE], date(2026, 5, 25))
    assert [(part.start.day, part.end.day) for part in closed] == [(20, 25)]
    assert [(part.start.day, part.end.day) for part in still_open] == [(26, 31)]
    assert parted([LATE], None) == ([], [LATE])


@pytest.fixture
def dearer(mapped):
    """May is posted with 10 at 5.00; then it is to be 6.00 each, which leaves 10 x 1.00 x 22/31 = 7.10 short."""
    late_change(mapped, 10)
    operation = mapped.record("price_changed", date(2026, 5, 15), erp=SIX)
    mapped.drain()
    assert [gap.amount for gap in operation.shortfalls.all()] == [Decimal("7.10")]
    return mapped


def test_units_that_come_after_a_price_are_short_of_the_new_price(dearer):
    dearer.change_quantity(12, MAY_20)
    dearer.drain()
    assert Shortfall.objects.latest("pk").amount == Decimal("4.65")  # 2 x 6.00 x 0.3871


def test_a_price_that_comes_after_units_is_short_for_them_too(mapped):
    late_change(mapped)
    operation = mapped.record("price_changed", date(2026, 5, 15), erp=SIX)
    mapped.drain()
    # 10 x 1.00 x 10/31 before the 20th and 12 x 1.00 x 12/31 from then on
    assert [gap.amount for gap in operation.shortfalls.order_by("starts_on")] == [Decimal("3.23"), Decimal("4.65")]
