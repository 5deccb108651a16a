"""Upgraded seats that are added to a line, in numbers."""

from syncops.operations import change_quantity, upgrade
from syncops.operations.receive_upgrade import KIND
from syncops.timeline import Level, Timeline
from tests.syncops.operations.lines import FIVE, FOUR, a_fact, after, may

OF_THREE = Timeline.from_steps([(may(1), Level(3, FIVE, FOUR))])


def test_six_of_ten_seats_leave_one_line_and_reach_the_other_on_one_day():
    old = after(a_fact(upgrade.KIND, may(20), units=4))
    new = after(a_fact(KIND, may(20), units=9), base=OF_THREE)
    assert [(old.at(may(day)).units, new.at(may(day)).units) for day in (19, 20)] == [(10, 3), (4, 9)]


def test_the_other_lines_price_stays():
    assert after(a_fact(KIND, may(20), units=9), base=OF_THREE).at(may(20)) == Level(9, FIVE, FOUR)


def test_seats_that_wait_for_the_next_period_elsewhere_do_not_wait_here():
    line = after(a_fact(KIND, may(20), {"seat_increase": "next_period"}, units=9), base=OF_THREE)
    assert line.at(may(20)).units == 9


def test_a_later_quantity_goes_on_from_there():
    facts = a_fact(KIND, may(20), units=9), a_fact(change_quantity.KIND, may(25), units=7)
    assert [after(*facts, base=OF_THREE).at(may(day)).units for day in (19, 24, 25)] == [3, 9, 7]
