from datetime import date, timedelta
from decimal import Decimal
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connections.sandbox.autotask.periods import BelowZero, adjusted, cut_off, extended, fresh_rows, periods

MONTHLY, QUARTERLY, SEMI_ANNUALLY, YEARLY = 2, 3, 4, 5
PRICE, COST = Decimal("5.00"), Decimal("4.00")


def day(text):
    return date.fromisoformat(f"2026-{text}")


def rows(start="01-01", end="06-30"):
    return fresh_rows(day(start), day(end), MONTHLY, PRICE, COST)


def seen(result):
    return [(row.start.strftime("%m-%d"), row.end.strftime("%m-%d"), row.units, row.price) for row in result]


@pytest.mark.parametrize(
    ("start", "kind", "expected"),
    [
        ("2026-01-15", MONTHLY, ["2026-01-15", "2026-02-15", "2026-03-15"]),
        ("2026-01-31", MONTHLY, ["2026-01-31", "2026-02-28", "2026-03-31", "2026-04-30", "2026-05-31"]),
        ("2027-12-30", MONTHLY, ["2027-12-30", "2028-01-30", "2028-02-29", "2028-03-30"]),
        ("2025-11-29", QUARTERLY, ["2025-11-29", "2026-02-28", "2026-05-29", "2026-08-29"]),
        ("2026-08-31", SEMI_ANNUALLY, ["2026-08-31", "2027-02-28", "2027-08-31"]),
        ("2028-02-29", YEARLY, ["2028-02-29", "2029-02-28", "2030-02-28", "2031-02-28", "2032-02-29"]),
    ],
)
def test_periods_clamp_to_short_months_and_return_to_their_own_day(start, kind, expected):
    first, last = date.fromisoformat(start), date.fromisoformat(expected[-1])
    cut = list(periods(first, last, kind))
    assert [period.start.isoformat() for period in cut] == expected
    assert all((later.start - earlier.end).days == 1 for earlier, later in pairwise(cut))


def test_the_last_row_ends_with_the_contract_in_the_middle_of_its_period():
    assert seen(rows(end="02-10")) == [("01-01", "01-31", 0, PRICE), ("02-01", "02-10", 0, PRICE)]


def test_an_adjustment_inside_a_period_splits_its_row_and_ripples_to_every_later_one():
    result = adjusted(adjusted(rows(end="04-30"), day("01-01"), 10, None, None), day("02-10"), 2, None, None)
    assert seen(result) == [
        ("01-01", "01-31", 10, PRICE),
        ("02-01", "02-09", 10, PRICE),
        ("02-10", "02-28", 12, PRICE),
        ("03-01", "03-31", 12, PRICE),
        ("04-01", "04-30", 12, PRICE),
    ]


def test_an_adjustment_at_a_period_start_splits_nothing():
    assert len(adjusted(rows(), day("03-01"), 1, None, None)) == 6


def test_a_price_is_set_for_all_units_from_its_date_on_over_later_prices_too():
    later = adjusted(rows(), day("04-01"), 3, Decimal(9), None)
    assert [price for *_, price in seen(adjusted(later, day("02-01"), 0, Decimal(7), None))] == [PRICE] + [7] * 5


def test_a_cost_is_set_like_a_price_and_leaves_the_price_alone():
    result = adjusted(rows(), day("06-01"), 0, None, Decimal(1))
    assert [row.cost for row in result] == [COST] * 5 + [1]
    assert {row.price for row in result} == {PRICE}


def test_units_below_zero_on_any_later_date_are_refused():
    line = adjusted(adjusted(rows(), day("01-01"), 10, None, None), day("05-01"), -8, None, None)
    with pytest.raises(BelowZero):
        adjusted(line, day("02-01"), -3, None, None)
    assert adjusted(line, day("02-01"), -2, None, None)[-1].units == 0


def test_moving_the_end_out_completes_the_short_row_and_goes_on_with_the_last_count():
    line = adjusted(rows(end="03-10"), day("02-05"), 4, Decimal(6), None)
    assert seen(extended(line, day("01-01"), day("04-15"), MONTHLY))[2:] == [
        ("02-05", "02-28", 4, 6),
        ("03-01", "03-31", 4, 6),
        ("04-01", "04-15", 4, 6),
    ]


def test_moving_the_end_out_leaves_a_posted_short_row_alone():
    line = [row.__class__(row.start, row.end, 2, PRICE, COST, True, 1) for row in rows(end="01-10")]
    assert seen(extended(line, day("01-01"), day("02-28"), MONTHLY)) == [
        ("01-01", "01-10", 2, PRICE),
        ("01-11", "01-31", 2, PRICE),
        ("02-01", "02-28", 2, PRICE),
    ]


def test_moving_the_end_in_shortens_and_removes_rows():
    assert seen(cut_off(rows(), day("02-14"))) == [("01-01", "01-31", 0, PRICE), ("02-01", "02-14", 0, PRICE)]


DAYS = [day("01-01") + timedelta(days=n) for n in range(151)]
ADJUSTMENTS = st.lists(
    st.tuples(st.sampled_from(DAYS), st.integers(-3, 6), st.sampled_from([None, Decimal(5), Decimal(7), Decimal(0)])),
    max_size=8,
)


@settings(max_examples=200, deadline=None, derandomize=True)
@given(ADJUSTMENTS)
def test_rows_say_on_every_day_what_counting_day_by_day_says(adjustments):
    line, expected = rows(end="05-31"), dict.fromkeys(DAYS, (0, PRICE))
    for effective, change, price in adjustments:
        after = {
            each: (units + change, price if price is not None else former) if each >= effective else (units, former)
            for each, (units, former) in expected.items()
        }
        if any(units < 0 for units, _price in after.values()):
            with pytest.raises(BelowZero):
                adjusted(line, effective, change, price, None)
        else:
            line, expected = adjusted(line, effective, change, price, None), after
    shown = {row.start + timedelta(days=n): (row.units, row.price) for row in line for n in range(row.days)}
    assert shown == expected
    assert sum(row.days for row in line) == len(DAYS)
