"""What is closed comes back with its days, units and money."""

from decimal import Decimal

import pytest

from syncops.plans import Shortfall, plan
from tests.syncops.tables import YEAR, day, level, line, row


def shortfalls(actual: dict, desired: dict, closed: str, *, rows=(), currency="EUR") -> list[Shortfall]:
    found = plan(line(desired), line(actual), contract=YEAR, currency=currency, closed_through=day(closed), rows=rows)
    return list(found.shortfalls)


def test_a_price_that_came_too_late_for_a_posted_month():
    assert shortfalls({"05-01": "10@5.00"}, {"05-01": "10@5.50"}, "05-31") == [
        Shortfall(day("05-01"), day("05-31"), level("10@5.00"), level("10@5.50"), Decimal("5.00"), None)
    ]


def test_units_are_signed_and_the_money_is_that_of_the_missing_units_for_their_days():
    (short,) = shortfalls({"05-01": "10@5/4"}, {"05-01": "10@5/4", "05-10": "12@5/4"}, "05-31")
    assert (short.start, short.end, short.units) == (day("05-10"), day("05-31"), 2)
    assert short.amount == Decimal("7.10")  # 2 x 5 x 0.7097
    assert short.cost_amount == Decimal("5.68")  # 2 x 4 x 0.7097


def test_too_many_units_are_a_negative_shortfall():
    (short,) = shortfalls({"05-01": "10@5"}, {"05-01": "10@5", "05-17": "0@5"}, "05-31")
    assert (short.units, short.amount) == (-10, Decimal("-24.20"))  # 10 x 5 x 15/31 = 0.4839


def test_each_posted_period_is_told_by_itself():
    found = shortfalls({"05-01": "1@10"}, {"05-20": "2@10"}, "07-31")
    assert [(short.start, short.end, short.amount) for short in found] == [
        (day("05-01"), day("05-19"), Decimal("-6.13")),
        (day("05-20"), day("05-31"), Decimal("3.87")),
        (day("06-01"), day("06-30"), Decimal("10.00")),
        (day("07-01"), day("07-31"), Decimal("10.00")),
    ]


def test_a_split_row_is_told_in_its_parts():
    rows = [row("05-01", "05-10", "1@10", posted=True), row("05-11", "05-31", "1@10", posted=True)]
    found = shortfalls({"05-01": "1@10"}, {"05-01": "2@10"}, "05-31", rows=rows)
    assert [(short.start, short.amount) for short in found] == [
        (day("05-01"), Decimal("3.23")),
        (day("05-11"), Decimal("6.77")),
    ]


def test_an_open_row_before_a_posted_one_is_closed_as_well():
    rows = [row("05-01", "05-31", "1@10"), row("06-01", "06-30", "1@10", posted=True)]
    found = shortfalls({"05-01": "1@10"}, {"05-01": "2@10"}, "06-30", rows=rows)
    assert [short.start for short in found] == [day("05-01"), day("06-01")]


def test_the_money_has_the_places_of_its_currency():
    (yen,) = shortfalls({"05-01": "1@101"}, {"05-01": "1@101", "05-17": "2@101"}, "05-31", currency="JPY")
    assert yen.amount == Decimal("49")  # 101 x 0.4839
    assert yen.amount.as_tuple().exponent == 0


@pytest.mark.parametrize(
    ("actual", "desired", "amount"),
    [
        ({"05-01": "2@5"}, {"05-01": "3"}, Decimal("5.00")),
        ({}, {"05-01": "3"}, None),
        ({}, {"05-01": "3@5"}, Decimal("15.00")),
        ({"05-01": "3@5"}, {}, Decimal("-15.00")),
        ({"05-01": "3@5/4"}, {"05-01": "3@5/3"}, Decimal("0.00")),
        ({"05-01": "3"}, {"05-01": "4@5"}, None),
    ],
    ids=[
        "the price that holds",
        "no price known",
        "a new line",
        "a line too many",
        "only the cost differs",
        "a held price is not known",
    ],
)
def test_the_price_of_a_shortfall(actual, desired, amount):
    (short,) = shortfalls(actual, desired, "05-31")
    assert short.amount == amount


def test_what_was_given_up_is_told_no_more():
    desired = line({"05-01": "10@5.50"}).during(day("05-01"), day("05-31"), level("10@5.00"))
    found = plan(desired, line({"05-01": "10@5.00"}), contract=YEAR, currency="EUR", closed_through=day("05-31"))
    assert found.shortfalls == ()
    assert [change.price for change in found.adjustments] == [Decimal("5.50")]
