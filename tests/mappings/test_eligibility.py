"""Each reason of the mapping rules, and where its edge lies."""

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mappings.eligibility import (
    SubscriptionFacts,
    company_reasons,
    contract_reasons,
    contract_warnings,
    service_reasons,
    subscription_reasons,
)
from tests.fake_psa import a_company, a_contract, a_service

TODAY = date(2026, 5, 10)
LICENCE = SubscriptionFacts(
    name="Business Basic",
    category="licence",
    billing="monthly",
    currency="EUR",
    created_on=date(2026, 5, 1),
    connection_currency="EUR",
    today=TODAY,
    ends_on=date(2027, 4, 30),
)
AZURE = replace(LICENCE, name="Azure plan", category="azure_plan", billing="none", ends_on=None)
FREE_SERVICE = a_service(unit_price=Decimal(0), unit_cost=Decimal(0))


def codes(reasons):
    return [reason.code for reason in reasons]


def test_what_fits_has_no_reason_against_it():
    company, contract = a_company(), a_contract()
    assert subscription_reasons(LICENCE) == company_reasons(company, LICENCE) == ()
    assert service_reasons(a_service(), LICENCE) == contract_reasons(contract, LICENCE, company=company) == ()
    assert contract_warnings(contract, LICENCE) == ()


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"category": "legacy"}, "offer_legacy"),
        ({"category": "perpetual", "billing": "one_time"}, "offer_perpetual"),
        ({"category": "azure_reservation", "billing": "one_time"}, "offer_azure_reservation"),
        ({"billing": "triennial"}, "billing_not_mappable"),
        ({"category": "software", "billing": "one_time"}, "billing_not_mappable"),
        ({"status": "deleted"}, "subscription_ended"),
        ({"status": "expired"}, "subscription_ended"),
        ({"status": "disabled"}, "subscription_ended"),
        ({"currency": "USD"}, "subscription_currency"),
    ],
)
def test_a_subscription_that_cannot_be_mapped_says_why(fields, code):
    assert codes(subscription_reasons(replace(LICENCE, **fields))) == [code]


@pytest.mark.parametrize("status", ["pending", "active", "suspended"])
def test_a_subscription_that_is_pending_active_or_suspended_can_be_mapped(status):
    assert subscription_reasons(replace(LICENCE, status=status)) == ()


@pytest.mark.parametrize(
    ("fields", "taken", "code"),
    [
        ({"id": 0, "name": "Alder Cloud"}, {}, "own_company"),
        ({"is_active": False}, {}, "company_inactive"),
        ({"type_label": "Vendor"}, {}, "company_type"),
        ({"type_label": ""}, {}, "company_type"),
        ({"currency": "GBP"}, {}, "company_currency"),
        ({}, {"mapped_to": "Contoso Holding"}, "customer_mapped"),
        ({}, {"taken_by": "Fabrikam"}, "company_taken"),
    ],
)
def test_a_company_that_is_left_out_says_why(fields, taken, code):
    assert codes(company_reasons(a_company(**fields), LICENCE, **taken)) == [code]


def test_a_company_whose_currency_is_not_known_is_taken_to_have_the_connections():
    assert company_reasons(a_company(currency=""), LICENCE) == ()


@pytest.mark.parametrize(
    ("facts", "fields", "taken", "code"),
    [
        (LICENCE, {"is_active": False}, {}, "service_inactive"),
        (LICENCE, {"period": "yearly"}, {}, "service_period"),
        (LICENCE, {"period": "quarterly"}, {}, "service_period"),
        (LICENCE, {"period": ""}, {}, "service_period"),
        (LICENCE, {}, {"mapped_to": "M365 Basic"}, "offer_mapped"),
        (LICENCE, {}, {"taken_by": "Business Premium"}, "service_taken"),
        (AZURE, {"unit_cost": Decimal(0)}, {}, "azure_service_priced"),
        (AZURE, {"unit_price": Decimal(0)}, {}, "azure_service_priced"),
    ],
)
def test_a_service_that_is_left_out_says_why(facts, fields, taken, code):
    assert codes(service_reasons(a_service(**fields), facts, **taken)) == [code]


def test_annual_billing_takes_a_yearly_service_and_an_azure_plan_a_monthly_one_without_prices():
    assert service_reasons(a_service(period="yearly"), replace(LICENCE, billing="annual")) == ()
    assert service_reasons(FREE_SERVICE, AZURE) == ()
    assert service_reasons(replace(FREE_SERVICE, unit_cost=None), AZURE) == ()
    assert codes(service_reasons(replace(FREE_SERVICE, period="yearly"), AZURE)) == ["service_period"]


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"company_id": 2}, "contract_company"),
        ({"type_label": "Time & Materials"}, "contract_type"),
        ({"is_active": False}, "contract_inactive"),
        ({"ends_on": TODAY - timedelta(days=1)}, "contract_ended"),
        ({"starts_on": date(2026, 5, 1)}, "contract_starts_late"),
        ({"period": "quarterly"}, "contract_period"),
        ({"period": "yearly"}, "contract_period"),
    ],
)
def test_a_contract_that_is_left_out_says_why(fields, code):
    assert codes(contract_reasons(a_contract(**fields), LICENCE, company=a_company())) == [code]


def test_a_contract_in_the_currency_of_another_company_is_left_out():
    found = contract_reasons(a_contract(), LICENCE, company=a_company(currency="GBP"))
    assert codes(found) == ["contract_currency"]
    assert "GBP" in found[0].text


def test_a_contract_may_end_today_and_start_the_day_before_the_subscription():
    contract = a_contract(starts_on=date(2026, 4, 30), ends_on=TODAY)
    assert contract_reasons(contract, LICENCE, company=a_company()) == ()


def test_a_new_mapping_of_one_that_was_mapped_before_counts_from_its_own_date():
    again = replace(LICENCE, remapped_on=TODAY)
    assert contract_reasons(a_contract(starts_on=TODAY), again, company=a_company()) == ()
    late = contract_reasons(a_contract(starts_on=TODAY + timedelta(days=1)), again, company=a_company())
    assert codes(late) == ["contract_starts_after_mapping"]


def test_an_azure_plans_contract_starts_on_day_one():
    assert contract_reasons(a_contract(), AZURE, company=a_company()) == ()
    found = contract_reasons(a_contract(starts_on=date(2026, 1, 15)), AZURE, company=a_company())
    assert codes(found) == ["azure_contract_day"]
    assert "15 January 2026" in found[0].text


@pytest.mark.parametrize(
    ("facts", "fields", "code"),
    [
        (AZURE, {"ends_on": date(2027, 5, 10)}, "azure_contract_ends_soon"),
        (LICENCE, {"ends_on": date(2027, 4, 29)}, "contract_ends_before_term"),
        (LICENCE, {"renewed_contract_id": 7}, "contract_renewed"),
    ],
)
def test_what_should_be_looked_at_is_a_warning(facts, fields, code):
    contract = a_contract(**fields)
    assert codes(contract_warnings(contract, facts)) == [code]
    assert contract_reasons(contract, facts, company=a_company()) == ()


def test_a_warning_about_a_year_from_a_leap_day_finds_its_day():
    leap = replace(AZURE, today=date(2028, 2, 29), created_on=date(2028, 2, 1))
    assert codes(contract_warnings(a_contract(ends_on=date(2029, 2, 28)), leap)) == ["azure_contract_ends_soon"]
    assert contract_warnings(a_contract(ends_on=date(2029, 3, 1)), leap) == ()


days = st.dates(date(2020, 1, 1), date(2035, 12, 31))


@given(starts_on=days, length=st.integers(0, 4000), created_on=days, today=days, remapped_on=st.none() | days)
def test_an_eligible_contract_covers_what_the_rules_ask_of_its_dates(starts_on, length, created_on, today, remapped_on):
    facts = replace(LICENCE, created_on=created_on, today=today, remapped_on=remapped_on)
    contract = a_contract(starts_on=starts_on, ends_on=starts_on + timedelta(days=length))
    begun = starts_on < created_on if remapped_on is None else starts_on <= remapped_on
    assert (contract_reasons(contract, facts, company=a_company()) == ()) == (begun and contract.ends_on >= today)
