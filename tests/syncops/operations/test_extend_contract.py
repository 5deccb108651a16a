"""Worked examples of an extension: the line wants what it wanted before, and more of it fits into the contract."""

from datetime import date

from syncops.operations.base import Fact
from syncops.operations.extend_contract import effect
from syncops.plans import plan
from syncops.timeline import Adjustment, Level, Term, Timeline

STEP = date(2027, 1, 15)
LINE = Timeline.from_steps([(date(2026, 5, 1), Level(3)), (STEP, Level(4))])
HELD = Timeline.from_steps([(date(2026, 5, 1), Level(3))])


def planned(end):
    wanted = effect(LINE, Fact("extend_contract", STEP, {"extend_to": str(end)}))
    return plan(wanted, HELD, contract=Term(date(2026, 1, 1), end), currency="EUR")


def test_three_units_stay_three_and_the_fourth_waits_behind_the_end():
    before = planned(date(2026, 12, 31))
    assert before.is_empty
    assert [(step.effective, step.end_needed) for step in before.beyond] == [(STEP, STEP)]


def test_with_a_later_end_the_fourth_unit_is_sent():
    after = planned(date(2027, 1, 31))
    assert after.adjustments == (Adjustment(STEP, 1),)
    assert not after.beyond
