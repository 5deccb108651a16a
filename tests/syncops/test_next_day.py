"""A day on which the far side takes no further adjustment: what can be had around it."""

from datetime import date
from decimal import Decimal

from syncops.changes import one_day_later
from syncops.plans import plan
from syncops.timeline import Level, Term, Timeline, apply

MAY_1, MAY_9, MAY_10, MAY_11 = (date(2026, 5, day) for day in (1, 9, 10, 11))
MONTHLY = Term(MAY_1, date(2026, 12, 31))
FIVE, SIX = Decimal("5.00"), Decimal("6.00")


def line(*steps):
    return Timeline.from_steps([(day, Level(units, price, FIVE)) for day, units, price in steps])


def test_the_day_keeps_its_own_step_on_top_of_what_is_changed_before_it():
    shown, wanted = line((MAY_1, 12, FIVE), (MAY_10, 17, FIVE)), line((MAY_1, 6, FIVE), (MAY_10, 17, FIVE))
    possible = one_day_later(wanted, shown, MAY_10)
    assert [possible.at(day).units for day in (MAY_9, MAY_10, MAY_11)] == [6, 11, 17]


def test_it_comes_to_an_end_and_sends_nothing_on_that_day():
    shown, wanted = line((MAY_1, 12, FIVE), (MAY_10, 17, FIVE)), line((MAY_1, 6, FIVE), (MAY_10, 17, FIVE))
    for _ in range(3):
        made = plan(one_day_later(wanted, shown, MAY_10), shown, contract=MONTHLY, currency="EUR")
        if not made.batches:
            break
        assert MAY_10 not in [one.effective for one in made.batches[0]]
        shown = apply(shown, made.batches[0])
    assert not made.batches
    assert [shown.at(day).units for day in (MAY_9, MAY_10, MAY_11)] == [6, 11, 17]


def test_a_price_that_is_set_before_the_day_holds_on_it_too():
    shown, wanted = line((MAY_1, 12, FIVE), (MAY_10, 17, FIVE)), line((MAY_1, 12, SIX), (MAY_10, 17, FIVE))
    possible = one_day_later(wanted, shown, MAY_10)
    assert [possible.at(day).price for day in (MAY_9, MAY_10, MAY_11)] == [SIX, SIX, FIVE]


def test_the_days_first_step_and_its_price_stay_where_nothing_is_changed_before():
    shown, wanted = line((MAY_1, 12, FIVE)), line((MAY_1, 12, FIVE), (MAY_10, 15, SIX))
    possible = one_day_later(wanted, shown, MAY_10)
    assert [(possible.at(day).units, possible.at(day).price) for day in (MAY_9, MAY_10, MAY_11)] == [
        (12, FIVE),
        (12, FIVE),
        (15, SIX),
    ]


def test_a_line_never_goes_below_zero_for_it():
    shown, wanted = line((MAY_1, 12, FIVE), (MAY_10, 2, FIVE)), line((MAY_1, 1, FIVE), (MAY_10, 2, FIVE))
    assert one_day_later(wanted, shown, MAY_10).at(MAY_10).units == 0
