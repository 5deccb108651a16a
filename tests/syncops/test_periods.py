"""The periods of a contract, cut from its start or read from the rows."""

from datetime import date, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncops.periods import Period, PeriodGrid, add_months
from syncops.timeline import Term
from tests.syncops.lines import BRIEF, period_days
from tests.syncops.tables import day, row


def starts(contract: Term, rows=()) -> list[date]:
    return [period.start for period in PeriodGrid.of(contract, rows).between(contract.start, contract.end)]


@pytest.mark.parametrize(
    ("start", "expected"),
    [
        ("2026-01-31", ["2026-01-31", "2026-02-28", "2026-03-31", "2026-04-30"]),
        ("2026-01-30", ["2026-01-30", "2026-02-28", "2026-03-30", "2026-04-30"]),
        ("2028-01-29", ["2028-01-29", "2028-02-29", "2028-03-29", "2028-04-29"]),
        ("2026-01-15", ["2026-01-15", "2026-02-15", "2026-03-15", "2026-04-15"]),
        ("2026-11-30", ["2026-11-30", "2026-12-30", "2027-01-30", "2027-02-28"]),
    ],
)
def test_a_start_at_the_month_end_is_clamped_and_returns_to_its_day(start, expected):
    first = date.fromisoformat(start)
    assert starts(Term(first, first + timedelta(100)))[:4] == [date.fromisoformat(one) for one in expected]


@pytest.mark.parametrize(
    ("period_type", "second", "days"),
    [
        ("monthly", "2026-02-28", 28),
        ("quarterly", "2026-04-30", 89),
        ("semi_annual", "2026-07-31", 181),
        ("yearly", "2027-01-31", 365),
    ],
)
def test_each_period_type_has_its_length(period_type, second, days):
    grid = PeriodGrid.of(Term(day("2026-01-31"), day("2028-12-31"), period_type))
    first = grid.period_of(day("2026-02-01"))
    assert (first.start, first.days) == (day("2026-01-31"), days)
    assert grid.next_period(first).start == date.fromisoformat(second)


def test_a_year_from_the_29th_of_february():
    assert starts(Term(day("2028-02-29"), day("2033-01-01"), "yearly")) == [
        date(2028, 2, 29), date(2029, 2, 28), date(2030, 2, 28), date(2031, 2, 28), date(2032, 2, 29),
    ]  # fmt: skip


def test_the_last_period_runs_past_the_contract_and_has_none_after_it():
    grid = PeriodGrid.of(Term(day("05-01"), day("06-15")))
    last = grid.period_of(day("06-15"))
    assert last == Period(day("06-01"), day("06-30"))
    assert grid.next_period(last) is None


def test_a_contract_of_one_day_has_one_period():
    assert starts(Term(day("05-10"), day("05-10"))) == [day("05-10")]


@pytest.mark.parametrize("outside", ["04-30", "06-16"])
def test_a_day_outside_the_contract_has_no_period(outside):
    with pytest.raises(ValueError, match="outside the contract"):
        PeriodGrid.of(Term(day("05-01"), day("06-15"))).period_of(day(outside))


def test_a_split_row_is_no_period():
    rows = [row("05-01", "05-09", "1@5"), row("05-10", "05-31", "2@5"), row("06-01", "06-30", "2@5")]
    assert starts(Term(day("05-01"), day("06-30")), rows) == [day("05-01"), day("06-01")]


def test_a_line_that_begins_within_a_period_does_not_move_it():
    rows = [row("05-10", "05-31", "2@5"), row("06-01", "06-30", "2@5")]
    assert starts(Term(day("05-01"), day("06-30")), rows) == [day("05-01"), day("06-01")]


def test_no_period_begins_before_the_contract():
    rows = [row("04-15", "05-31", "2@5"), row("06-01", "06-30", "2@5")]
    assert starts(Term(day("05-01"), day("06-30")), rows) == [day("05-01"), day("06-01")]


def test_rows_that_keep_the_clamped_day_are_right_about_their_periods():
    rows = [row("01-31", "02-27", "1@5"), row("02-28", "03-27", "1@5"), row("03-28", "04-27", "1@5")]
    assert starts(Term(day("01-31"), day("04-27")), rows) == [day("01-31"), day("02-28"), day("03-28")]


def test_rows_that_overflow_into_march_are_right_about_their_periods():
    rows = [row("01-31", "03-02", "1@5"), row("03-03", "03-30", "1@5"), row("03-31", "04-30", "1@5")]
    assert starts(Term(day("01-31"), day("04-29")), rows) == [day("01-31"), day("03-03"), day("03-31")]


def test_a_row_of_several_months_is_one_period():
    rows = [row("05-01", "10-31", "1@5")]
    assert starts(Term(day("05-01"), day("12-31")), rows) == [day("05-01"), day("11-01"), day("12-01")]


def test_months_are_added_to_the_anchor_not_to_the_clamped_day():
    assert [add_months(day("2026-01-31"), months) for months in (1, 2, 13)] == [
        date(2026, 2, 28), date(2026, 3, 31), date(2027, 2, 28),
    ]  # fmt: skip


@BRIEF
@given(start=st.dates(date(2024, 1, 1), date(2028, 12, 31)), length=st.integers(0, 900), at=st.integers(0, 900))
def test_every_day_lies_in_one_period_and_the_periods_follow_each_other(start, length, at):
    contract = Term(start, start + timedelta(length))
    grid = PeriodGrid.of(contract)
    periods = grid.between(contract.start, contract.end)
    assert periods[0].start == contract.start
    assert periods[-2:][0].end < contract.end <= periods[-1].end or len(periods) == 1
    assert all(b == grid.next_period(a) for a, b in pairwise(periods))
    today = start + timedelta(min(at, length))
    found = grid.period_of(today)
    assert [period for period in periods if period.start <= today <= period.end] == [found]
    assert found.days == period_days(contract, today)
