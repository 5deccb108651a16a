"""The picture of a line: where its steps, its posted days, its prices and the contract's end stand."""

import itertools
import re
from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncops.chart import BOTTOM, HEIGHT, LABEL, LEFT, RIGHT, TOP, WIDTH, draw
from syncops.timeline import Level, Row, Timeline

MAY, TEN = date(2026, 5, 1), Decimal(10)
BEFORE = Timeline.from_steps([(date(2026, 1, 1), Level(10, TEN))])
AFTER = Timeline.from_steps([(date(2026, 1, 1), Level(10, TEN)), (date(2026, 5, 10), Level(12, Decimal(11)))])
GROUND, CEILING = HEIGHT - BOTTOM, TOP


def numbers(path):
    return [int(number) for number in re.findall(r"-?\d+", path)]


def test_the_picture_begins_a_month_before_the_first_difference():
    chart = draw(BEFORE, AFTER)
    assert (chart.first, chart.last) == (date(2026, 4, 9), date(2026, 7, 10))


def test_nothing_is_drawn_of_days_that_were_not_read():
    """A line of 10 whose rows were read from May on did not begin in May."""
    rows = [Row(date(2026, 4, 20), date(2026, 4, 30), 10, None, None)]
    shown = Timeline.from_steps([(date(2026, 4, 20), Level(10, TEN))])
    assert draw(shown, shown.with_units(date(2026, 5, 10), 12), rows=rows).first == rows[0].start
    assert draw(Timeline(), AFTER).first == date(2025, 12, 1)


def test_units_are_steps_from_the_ground_up():
    chart = draw(BEFORE, AFTER)
    assert chart.before == "M44 66H628"
    assert chart.after == f"M44 66H241V{CEILING}H628"
    assert [tick.text for tick in chart.units] == ["0", "5", "10"]


def test_posted_days_that_follow_each_other_are_one_band():
    months = [(date(2026, 4, 1), date(2026, 4, 30)), (MAY, date(2026, 5, 31)), (date(2026, 6, 1), date(2026, 6, 30))]
    rows = [Row(start, end, 10, None, None, posted=end < date(2026, 6, 1)) for start, end in months]
    (band,) = draw(BEFORE, AFTER, rows=rows).posted
    assert (band.at, band.width) == (LEFT, 336)


def test_each_price_stands_where_it_begins():
    marks = draw(BEFORE, AFTER).prices
    assert [(mark.at, mark.price) for mark in marks] == [(LEFT, TEN), (241, Decimal(11))]


@pytest.mark.parametrize(
    ("end", "drawn"), [(date(2026, 6, 1), True), (date(2026, 8, 31), True), (date(2027, 12, 31), False)]
)
def test_the_contracts_end_is_marked_where_it_is_near(end, drawn):
    chart = draw(BEFORE, AFTER, contract_end=end)
    assert (chart.end is not None) == drawn
    assert chart.end is None or LEFT < chart.end <= WIDTH - RIGHT


def test_a_line_that_changes_nothing_is_drawn_all_the_same():
    chart = draw(BEFORE, BEFORE)
    assert chart.before == chart.after


def test_where_there_is_nothing_there_is_no_picture():
    with pytest.raises(ValueError, match="nothing to draw"):
        draw(Timeline(), Timeline())


steps = st.lists(
    st.tuples(st.integers(0, 1200), st.integers(0, 30_000), st.integers(0, 4)), min_size=1, max_size=12
).map(lambda made: Timeline.from_steps((MAY + timedelta(days=d), Level(u, Decimal(p))) for d, u, p in made))


@given(before=steps, after=steps, end=st.none() | st.integers(-400, 1600))
def test_everything_stays_inside_the_picture_and_labels_apart(before, after, end):
    if not before.steps and not after.steps:
        return
    chart = draw(before, after, contract_end=None if end is None else MAY + timedelta(days=end))
    for path in (chart.before, chart.after):
        assert all(0 <= number <= WIDTH for number in numbers(path))
    assert all(CEILING <= tick.at <= GROUND for tick in chart.units)
    assert 1 <= len(chart.units) <= 5
    places = [tick.at for tick in chart.days]
    assert all(LEFT <= at <= WIDTH - RIGHT for at in places)
    assert all(later - sooner >= LABEL for sooner, later in itertools.pairwise(places))
    for y in {mark.y for mark in chart.prices}:
        row = [mark.at for mark in chart.prices if mark.y == y]
        assert all(later - sooner >= LABEL for sooner, later in itertools.pairwise(row))
