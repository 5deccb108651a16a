"""Reading unit rows, and simulating what Autotask makes of adjustments."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncops.timeline import (
    Adjustment,
    Level,
    Row,
    Timeline,
    actual_timeline,
    apply,
    closed_through,
    first_open_date,
)
from tests.syncops.lines import BRIEF, days, lines
from tests.syncops.tables import YEAR, day, level, line, row

MAY = days(day("05-01"), day("06-10"))


def test_prices_are_totals_of_the_row():
    assert Row(day("05-01"), day("05-31"), 10, Decimal("50.00"), Decimal("42.50")).level == level("10@5/4.25")


def test_without_units_no_price_can_be_told():
    assert Row(day("05-01"), day("05-31"), 0, Decimal(0), Decimal(0)).level == Level(0, None, None)


def test_every_row_carries_the_full_count():
    rows = [row("05-01", "05-09", "10@5"), row("05-10", "05-31", "12@5"), row("06-01", "06-30", "12@5")]
    assert actual_timeline(rows) == line({"05-01": "10@5", "05-10": "12@5"})


def test_a_gap_and_the_time_after_the_last_row_hold_what_held_before():
    rows = [row("05-01", "05-31", "10@5"), row("07-01", "07-31", "12@5")]
    assert actual_timeline(rows) == line({"05-01": "10@5", "07-01": "12@5"})


def test_of_rows_that_overlap_the_greatest_start_holds_while_it_lasts():
    rows = [row("05-01", "05-31", "10@5"), row("05-10", "05-20", "12@5"), row("05-15", "05-16", "1@5")]
    assert actual_timeline(rows) == line(
        {"05-01": "10@5", "05-10": "12@5", "05-15": "1@5", "05-17": "12@5", "05-21": "10@5"}
    )


def test_no_rows_are_an_empty_line():
    assert actual_timeline([]) == Timeline()


@st.composite
def random_rows(draw):
    starts = draw(st.lists(st.integers(0, 30), max_size=5, unique=True))
    lengths = draw(st.lists(st.integers(0, 15), min_size=5, max_size=5))
    return [
        Row(MAY[start], MAY[min(start + length, 40)], units, Decimal(units * 5), None)
        for (units, start), length in zip(enumerate(starts), lengths, strict=False)
    ]


@BRIEF
@given(rows=random_rows(), random=st.randoms(use_true_random=False))
def test_any_rows_in_any_order_read_as_their_days(rows, random):
    random.shuffle(rows)
    found, before = actual_timeline(rows), Level(0)
    for now in MAY:
        covering = [one for one in rows if one.start <= now <= one.end]
        before = max(covering, key=lambda one: one.start).level if covering else before
        assert found.at(now) == before


@pytest.mark.parametrize(
    ("rows", "closed", "first_open"),
    [
        ([], None, "05-01"),
        ([row("05-01", "05-31", "1@5")], None, "05-01"),
        ([row("05-01", "05-31", "1@5"), row("06-01", "06-30", "1@5", posted=True)], "06-30", "07-01"),
        ([row("06-01", "06-30", "1@5", posted=True), row("05-01", "05-31", "1@5", posted=True)], "06-30", "07-01"),
        ([row("12-01", "12-31", "1@5", posted=True)], "12-31", "2027-01-01"),
        ([row("04-01", "04-10", "1@5", posted=True)], "04-10", "05-01"),
    ],
    ids=["no rows", "nothing posted", "the last is posted", "any order", "all posted", "before the contract"],
)
def test_the_line_is_closed_to_the_end_of_its_last_posted_row(rows, closed, first_open):
    assert closed_through(rows) == (closed and day(closed))
    assert first_open_date(rows, YEAR) == day(first_open)


def test_a_unit_change_ripples_into_every_later_date():
    after = apply(line({"05-01": "10@5", "05-20": "15@5"}), [Adjustment(day("05-10"), 2)])
    assert after == line({"05-01": "10@5", "05-10": "12@5", "05-20": "17@5"})


def test_of_two_prices_the_one_sent_last_holds_where_both_reach():
    older, younger = Adjustment(day("05-10"), 0, Decimal(6)), Adjustment(day("05-20"), 0, Decimal(7))
    actual = line({"05-01": "10@5"})
    assert apply(actual, [older, younger]) == line({"05-01": "10@5", "05-10": "10@6", "05-20": "10@7"})
    assert apply(actual, [younger, older]) == line({"05-01": "10@5", "05-10": "10@6"})


def test_units_to_zero_and_back_at_a_new_price():
    sent = [Adjustment(day("05-10"), -10), Adjustment(day("05-10"), 10, Decimal(6))]
    assert apply(line({"05-01": "10@5"}), sent) == line({"05-01": "10@5", "05-10": "10@6"})


def test_what_would_leave_fewer_than_no_units_is_refused():
    with pytest.raises(ValueError, match="-3 units"):
        apply(line({"05-01": "2@5"}), [Adjustment(day("05-10"), -5)])


adjustments = st.lists(
    st.builds(
        Adjustment, st.sampled_from(MAY), st.integers(0, 2), *[st.sampled_from([None, Decimal(5), Decimal(6)])] * 2
    ),
    max_size=5,
)


@BRIEF
@given(held=lines(), sent=adjustments)
def test_any_adjustments_in_any_order_act_on_every_day_as_autotask_does(held, sent):
    after = apply(held.held, sent)
    for now, (units, price, cost) in held.replay(sent)[-1].items():
        assert after.at(now) == Level(units, price, cost)
