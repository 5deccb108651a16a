"""What rows prove about writes, where much was written since, and where others wrote as well."""

from datetime import date, timedelta
from decimal import Decimal

from syncops.proof import judge
from syncops.timeline import Adjustment, Level, Timeline, apply

MAY_1, MAY_10, JUNE_1, LAST = date(2026, 5, 1), date(2026, 5, 10), date(2026, 6, 1), date(2026, 12, 31)
BEFORE = Timeline(((MAY_1, Level(10, Decimal(5), Decimal(4))),))


def units(day: date, change: int) -> Adjustment:
    return Adjustment(day, change, None, None)


def verdict(sent, found, in_doubt=None):
    return judge(BEFORE, sent, found, first=MAY_1, last=LAST, in_doubt=in_doubt)


def test_one_that_does_not_show_is_missed_however_much_was_written_since():
    later = [units(MAY_10 + timedelta(days=day), 1) for day in range(12)]
    sent = [units(MAY_10, 18), *later]
    assert verdict(sent, apply(BEFORE, sent), in_doubt=[0]).kind == "applied"
    missing = verdict(sent, apply(BEFORE, later), in_doubt=[0])
    assert (missing.kind, missing.not_shown) == ("missing", (0,))


def test_of_two_on_one_date_that_cancel_out_the_one_that_does_not_show_is_told_although_others_wrote():
    sent = [units(JUNE_1, -10), units(JUNE_1, 10)]
    found = apply(BEFORE, [units(MAY_10, 97), sent[1]])
    foreign = verdict(sent, found)
    assert (foreign.kind, foreign.not_shown) == ("foreign", (0,))


def test_what_others_wrote_on_the_same_date_makes_nothing_of_ours_missing():
    sent = [units(JUNE_1, 3)]
    foreign = verdict(sent, apply(BEFORE, [*sent, units(JUNE_1, 97)]))
    assert (foreign.kind, foreign.not_shown) == ("foreign", ())


def test_two_on_one_date_that_both_show_are_not_missed_because_others_wrote_elsewhere():
    sent = [units(JUNE_1, -4), units(JUNE_1, 6)]
    foreign = verdict(sent, apply(BEFORE, [units(MAY_10, 97), *sent]))
    assert (foreign.kind, foreign.not_shown) == ("foreign", ())
