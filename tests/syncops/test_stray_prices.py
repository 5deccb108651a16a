"""A price reaches over all later dates; a run that was stopped before it set the later price again still has to."""

from datetime import date
from decimal import Decimal

import pytest

from syncops.actions import retry_operation
from syncops.changes import Stray
from syncops.models import SyncOperation
from syncops.timeline import Adjustment, Level, Timeline
from tests.syncops.mishaps import keep_looking

MAY_10, JUNE_1, JULY_1 = date(2026, 5, 10), date(2026, 6, 1), date(2026, 7, 1)
FIVE, SIX, SEVEN = Decimal(5), Decimal(6), Decimal(7)


@pytest.fixture
def dearer(mapped):
    """10 at 5.00, and at 6.00 from June on."""
    mapped.record("price_changed", JUNE_1, erp=SIX)
    mapped.drain()
    mapped.psa.applied.clear()
    return mapped


def reprice_may(desk, fault, times=1):
    """May is to be 5.50, which sends 6.00 again for June; that second write meets the fault."""
    desk.psa.fail_next("adjust", fault, after=1, times=times)
    operation = desk.record("price_changed", MAY_10, erp=Decimal("5.50"))
    keep_looking(desk)
    operation.refresh_from_db()
    return operation


def prices(desk):
    return {row.starts_on: row.price / row.units for row in desk.psa.rows(desk.line) if row.units}


@pytest.mark.parametrize("fault", ["unavailable", "drop_before", "drop_after", "swallow"])
def test_a_run_that_is_stopped_between_two_prices_sets_the_second_later(dearer, fault):
    operation = reprice_may(dearer, fault)
    if operation.state in SyncOperation.NEEDS_A_PERSON:  # what was accepted and forgotten is shown to one
        retry_operation(operation, actor=dearer.cast.admin, now=dearer.clock.now)
        keep_looking(dearer)
    shown = prices(dearer)
    assert (shown[MAY_10], shown[JUNE_1], shown[JULY_1]) == (Decimal("5.50"), SIX, SIX)


def test_a_later_change_sets_the_price_that_a_failed_one_left_unset(dearer):
    assert reprice_may(dearer, "reject", times=2).state == "failed"
    assert prices(dearer)[JUNE_1] == Decimal("5.50")
    dearer.change_quantity(12, JUNE_1)
    dearer.drain()
    assert prices(dearer)[JUNE_1] == SIX


def test_a_price_that_somebody_set_meanwhile_stays(dearer):
    operation = reprice_may(dearer, "reject", times=2)
    dearer.psa.edit(dearer.line, JULY_1, 10, price=SEVEN)
    retry_operation(operation, actor=dearer.cast.admin, now=dearer.clock.now)
    dearer.drain()
    shown = prices(dearer)
    assert (shown[MAY_10], shown[JUNE_1], shown[JULY_1]) == (Decimal("5.50"), SIX, SEVEN)


def test_what_operations_sent_that_succeeded_is_no_stray_price():
    line = Timeline.from_steps([(MAY_10, Level(10, FIVE))])
    stray = Stray(line, (Adjustment(MAY_10, 0, SEVEN), Adjustment(JUNE_1, 0, SIX)), (Adjustment(JUNE_1, 0, SIX),))
    shown = Timeline.from_steps([(MAY_10, Level(10, SEVEN)), (JUNE_1, Level(10, SIX))])
    without = stray.taken_out(shown)
    assert (without.at(MAY_10).price, without.at(JUNE_1).price) == (FIVE, SIX)


def test_units_that_others_added_before_ours_were_taken_away_do_not_stop_it():
    before = Timeline.from_steps([(MAY_10, Level(2, FIVE))])
    stray = Stray(before, (Adjustment(JUNE_1, -5, SIX),))
    shown = Timeline.from_steps([(MAY_10, Level(7, FIVE)), (JUNE_1, Level(2, SIX))])
    assert stray.taken_out(shown).at(JUNE_1) == Level(2, FIVE)
