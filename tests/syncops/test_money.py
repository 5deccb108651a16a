"""Shares, amounts and minor units: every rounding is half-up."""

from decimal import Decimal, localcontext

import pytest

from portal.currencies import minor_unit_places
from syncops.money import amount, share, to_minor_unit


@pytest.mark.parametrize(
    ("days", "period_days", "expected"),
    [(31, 31, "1.0000"), (22, 31, "0.7097"), (1, 3, "0.3333"), (2, 3, "0.6667"), (0, 30, "0.0000"), (1, 32, "0.0313")],
)
def test_a_share_has_four_places(days, period_days, expected):
    assert str(share(days, period_days)) == expected


@pytest.mark.parametrize(("days", "period_days"), [(32, 31), (-1, 31), (0, 0)])
def test_what_is_no_part_of_a_period_is_refused(days, period_days):
    with pytest.raises(ValueError, match="not a part"):
        share(days, period_days)


@pytest.mark.parametrize(
    ("currency", "places"),
    [("EUR", 2), ("JPY", 0), ("KWD", 3), ("CLP", 0), ("BHD", 3), ("XPF", 0), ("jpy", 0), ("ZZZ", 2)],
)
def test_currencies_have_their_minor_units(currency, places):
    assert minor_unit_places(currency) == places


@pytest.mark.parametrize(
    ("value", "currency", "expected"),
    [
        ("0.005", "EUR", "0.01"),
        ("0.015", "EUR", "0.02"),
        ("-0.005", "EUR", "-0.01"),
        ("0.00499", "EUR", "0.00"),
        ("2.5", "JPY", "3"),
        ("1.0005", "KWD", "1.001"),
    ],
)
def test_a_tie_is_rounded_away_from_zero(value, currency, expected):
    assert str(to_minor_unit(Decimal(value), currency)) == expected


def test_an_amount_is_rounded_once():
    assert amount(10, Decimal("5.00"), Decimal("0.7097"), "EUR") == Decimal("35.49")  # 35.485
    assert amount(2, Decimal("5.00"), Decimal("0.7097"), "EUR") == Decimal("7.10")  # 7.097
    assert amount(3, Decimal("-8.00"), Decimal(1), "EUR") == Decimal("-24.00")


def test_a_unit_price_with_a_long_quotient_gives_its_total_back():
    price = Decimal("3.58") / 3
    assert amount(3, price, Decimal("0.75"), "EUR") == Decimal("2.69")  # 2.685, not 2.68499…


def test_great_sums_keep_their_digits():
    with localcontext() as context:
        context.prec = 28
        assert to_minor_unit(Decimal("123456789012345678.125"), "EUR") == Decimal("123456789012345678.13")
