"""Worked examples of a charge for a shortfall: the line stays as it is."""

from datetime import date

from syncops.changes import fold
from syncops.operations.base import Fact
from syncops.operations.charge_shortfall import effect
from syncops.periods import PeriodGrid
from syncops.timeline import Level, Term, Timeline

GRID = PeriodGrid.of(Term(date(2026, 1, 1), date(2026, 12, 31)))
LINE = Timeline.from_steps([(date(2026, 5, 1), Level(10)), (date(2026, 5, 20), Level(12))])


def test_ten_units_stay_ten_units():
    assert effect(LINE, Fact("charge_shortfall", date(2026, 6, 3), {"unit_price": "7.10"})) == LINE


def test_a_charge_between_two_changes_is_as_if_it_were_not_there():
    facts = [Fact("change_quantity", date(2026, 6, day), {"units": day}) for day in (1, 9)]
    charge = Fact("charge_shortfall", date(2026, 6, 3), {"unit_price": "-7.10"})
    assert fold([*facts, charge], grid=GRID, base=LINE) == fold(facts, grid=GRID, base=LINE)
