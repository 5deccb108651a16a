"""Autotask's rows as values."""

import time
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from connections.psa.autotask import translate


@pytest.mark.parametrize(
    ("label", "period"),
    [
        ("Monthly", "monthly"),
        ("monthly ", "monthly"),
        ("Quarterly", "quarterly"),
        ("Semi-Annually", "semi_annual"),
        ("Semi-Annual", "semi_annual"),
        ("Yearly", "yearly"),
        ("Annually", "yearly"),
        ("Weekly", ""),
        ("", ""),
    ],
)
def test_a_period_is_known_by_its_label(label, period):
    assert translate.period(label) == period


@pytest.mark.parametrize(
    "text", ["2026-05-31T00:00:00Z", "2026-05-31T00:00:00.000Z", "2026-05-31", "2026-05-31T23:59:59"]
)
@pytest.mark.parametrize("zone", ["UTC", "Pacific/Kiritimati", "America/Los_Angeles"])
def test_a_day_is_never_shifted_wherever_the_server_stands(text, zone, monkeypatch):
    monkeypatch.setenv("TZ", zone)
    time.tzset()
    try:
        assert translate.day(text) == date(2026, 5, 31)
    finally:
        monkeypatch.undo()
        time.tzset()


@pytest.mark.parametrize(
    "text", ["2022-12-02T08:52:54.023Z", "2022-12-02T08:52:54.023", "2022-12-02T09:52:54.023+01:00"]
)
def test_a_moment_is_utc_unless_it_says_otherwise(text):
    assert translate.moment(text) == datetime(2022, 12, 2, 8, 52, 54, 23_000, UTC)
    assert translate.moment(None) is None


@pytest.mark.parametrize(
    ("adjusted", "internal", "listed", "price"),
    [
        ("5.5", "5", "5", "5.5"),
        ("11", "10", "8", "8.8"),
        ("10", "3", "1", "3.3333"),
        (None, "5", "5", "5"),
        ("5", None, None, "5"),
        ("5", 0, 0, "5"),
        ("0", "5", "4", "0"),
        (None, None, None, None),
    ],
)
def test_the_price_in_force_is_in_the_customers_currency(adjusted, internal, listed, price):
    row = {
        "internalCurrencyAdjustedPrice": adjusted,
        "internalCurrencyUnitPrice": internal,
        "unitPrice": listed,
    }
    found = translate.price_in_force(row)
    assert found == (None if price is None else Decimal(price))


def test_a_contract_without_dates_never_ends_and_has_always_been():
    row = {"id": 1, "companyID": 2, "startDate": None, "endDate": None, "renewedContractID": 0}
    contract = translate.contract(row, type_label="", period_label="", status_label="In Effect")
    assert (contract.starts_on, contract.ends_on) == (date.min, date.max)
    assert (contract.is_active, contract.renewed_contract_id) == (False, None)


def test_a_unit_row_without_dates_is_an_error():
    with pytest.raises(ValueError, match="has no dates"):
        translate.unit_row({"id": 1, "startDate": None})
