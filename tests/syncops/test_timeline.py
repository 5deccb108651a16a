"""The timeline as a step function: whatever is done to it, every day says what a dictionary of days would say."""

import json
from datetime import date, timedelta
from decimal import Decimal
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncops.timeline import Level, Term, Timeline, differences, spans, unit_differences
from tests.syncops.lines import BRIEF, EMPTY, daily, days, lines
from tests.syncops.tables import day, level, line

DAYS = days(date(2026, 4, 20), date(2026, 6, 10))
dates = st.sampled_from(DAYS[5:-5])
levels = st.builds(Level, st.integers(0, 3), st.sampled_from([None, Decimal(5), Decimal(6)]), st.just(None))
timelines = st.lists(st.tuples(dates, levels), max_size=5).map(Timeline.from_steps)


def written_out(timeline: Timeline) -> list[Level]:
    return [timeline.at(day) for day in DAYS]


def test_before_its_first_step_a_line_holds_nothing():
    assert line({"05-01": "10@5"}).at(day("04-30")) == Level(0, None, None)
    assert Timeline().at(day("05-01")) == Level(0, None, None)


def test_steps_may_come_in_any_order_and_repeat_themselves():
    steps = [(day("05-20"), level("10@5")), (day("05-01"), level("10@5")), (day("04-01"), level("0"))]
    assert Timeline.from_steps(steps) == line({"05-01": "10@5"})
    assert Timeline.from_steps(steps).breakpoints == (day("05-01"),)


def test_a_level_has_no_fewer_than_no_units():
    with pytest.raises(ValueError, match="-1 units"):
        Level(-1)


def test_a_contract_does_not_end_before_it_starts():
    with pytest.raises(ValueError, match="before it starts"):
        Term(day("05-02"), day("05-01"))


@BRIEF
@given(line=lines())
def test_a_timeline_says_the_same_as_its_days_and_equals_no_other(line):
    over = days(line.contract.start - timedelta(9), line.contract.end + timedelta(9))
    written = daily(line.wanted_steps, over)
    assert [line.wanted.at(day) for day in over] == [Level(*level) for level in written.values()]
    changes = [b for a, b in pairwise(over) if written[a] != written[b]]
    assert list(line.wanted.breakpoints) == [d for d in over[:1] if written[d] != EMPTY] + changes


@BRIEF
@given(timeline=timelines, start=dates, units=st.integers(0, 3))
def test_units_and_prices_are_changed_from_a_date_on(timeline, start, units):
    price, cost = Decimal("7.77"), Decimal(4)
    more, dearer = timeline.with_units(start, units), timeline.with_price(start, price, cost)
    for now in DAYS:
        before = timeline.at(now)
        changed = now >= start
        assert more.at(now) == (Level(units, before.price, before.cost) if changed else before)
        assert dearer.at(now) == (Level(before.units, price, cost) if changed else before)


@BRIEF
@given(timeline=timelines, changes=st.lists(st.tuples(dates, st.integers(-2, 2)), max_size=4))
def test_a_difference_shifts_all_later_days_and_none_below_zero(timeline, changes):
    shifted = timeline.shifted(changes)
    for now in DAYS:
        before = timeline.at(now)
        units = before.units + sum(change for start, change in changes if start <= now)
        assert shifted.at(now) == Level(max(0, units), before.price, before.cost)


@BRIEF
@given(expected=timelines, found=timelines)
def test_what_others_changed_turns_the_expected_units_into_the_found_ones(expected, found):
    changes = unit_differences(expected, found)
    assert [at.units for at in written_out(expected.shifted(changes))] == [at.units for at in written_out(found)]
    assert unit_differences(expected, expected) == ()
    assert all(units for _, units in changes)


@BRIEF
@given(timeline=timelines, first=dates, last=dates, other=levels)
def test_a_part_of_the_days(timeline, first, last, other):
    inside, replaced = timeline.restricted(first, last), timeline.during(first, max(first, last), other)
    for now in DAYS:
        if first <= now <= last:
            assert inside.at(now) == timeline.at(now)
        assert replaced.at(now) == (other if first <= now <= max(first, last) else timeline.at(now))
    if first <= last:
        assert all(first <= step <= last for step in inside.breakpoints)
    else:
        assert inside == Timeline()


def test_a_step_on_the_last_day_is_inside():
    whole = line({"05-01": "1", "05-10": "2", "05-20": "3"})
    assert whole.restricted(day("05-05"), day("05-20")) == line({"05-05": "1", "05-10": "2", "05-20": "3"})
    assert whole.restricted(day("05-05"), day("05-19")) == line({"05-05": "1", "05-10": "2"})


@BRIEF
@given(timeline=timelines)
def test_a_stored_timeline_comes_back_as_it_was(timeline):
    stored = json.loads(json.dumps(timeline.as_json()))
    assert Timeline.from_json(stored) == timeline


def test_a_stored_step_reads_like_this():
    assert line({"05-01": "10@5.00"}).as_json() == [{"date": "2026-05-01", "units": 10, "price": "5.00", "cost": None}]


@BRIEF
@given(wanted=timelines, found=timelines, first=dates, last=dates)
def test_differences_are_the_days_that_do_not_hold_what_was_wanted(wanted, found, first, last):
    parts = differences(wanted, found, first, last)
    told = {now: (part.wanted, part.found) for part in parts for now in days(part.start, part.end)}
    for now in DAYS:
        want, have = wanted.at(now), found.at(now)
        right = want.units == have.units and (want.units == 0 or want.price is None or want.price == have.price)
        assert told.get(now) == (None if right or not first <= now <= last else (want, have))


def test_spans_are_cut_at_dates_inside_only():
    cuts = [day("05-01"), day("05-10"), day("05-10"), day("05-31"), day("06-01")]
    assert spans(day("05-01"), day("05-31"), cuts) == [
        (day("05-01"), day("05-09")),
        (day("05-10"), day("05-30")),
        (day("05-31"), day("05-31")),
    ]
    assert spans(day("05-02"), day("05-01"), []) == []
