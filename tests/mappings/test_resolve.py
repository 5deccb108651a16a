"""What is filled in beforehand, and everything that stands against a choice."""

from datetime import date
from decimal import Decimal

import pytest

from mappings.actions import map_customer, map_offer
from mappings.models import SubscriptionMapping
from mappings.resolve import company_for, contract_for, facts_of, refusals_of, service_for, warnings_of
from tests.cast import TODAY, make_customer, make_variant
from tests.fake_psa import a_company, a_contract, a_service
from tests.mappings.mirror import company_row, service_row


@pytest.fixture
def facts(mapping):
    return facts_of(mapping.subscription, mapping.connection, today=TODAY)


@pytest.fixture
def refused(mapping):
    """The codes of what stands against a choice."""

    def codes(company=None, service=None, contract=None):
        rows = {"company": company or a_company(), "service": service or a_service()}
        rows["contract"] = contract or a_contract()
        found = refusals_of(mapping.subscription, mapping.connection, **rows, today=TODAY)
        return [reason.code for reason in found]

    return codes


def test_a_mapped_customer_and_offer_are_filled_in(mapping, facts):
    map_customer(customer=mapping.customer, company=a_company(7, "Contoso Group"), **mapping.common)
    map_offer(variant=mapping.variant, service=a_service(17, "Basic"), **mapping.common)
    company_row(mapping.connection, 1, "Contoso")
    company = company_for(mapping.subscription, mapping.connection, facts)
    service = service_for(mapping.subscription, mapping.connection, facts)
    assert (company.id, company.name, company.source) == (7, "Contoso Group", "mapped")
    assert (service.id, service.source) == (17, "mapped")


def test_a_name_that_fits_is_suggested_where_it_is_eligible_and_free(mapping, facts, cast):
    company_row(mapping.connection, 1, "Contoso", is_active=False)
    company_row(mapping.connection, 2, "Contoso", type_label="Prospect")
    company_row(mapping.connection, 3, "Contoso")
    map_customer(customer=make_customer(cast.csp, "Contoso Old"), company=a_company(3), **mapping.common)
    assert company_for(mapping.subscription, mapping.connection, facts) is None
    company_row(mapping.connection, 4, "contoso nv")
    assert company_for(mapping.subscription, mapping.connection, facts).id == 4


def test_two_services_of_one_name_are_no_suggestion(mapping, facts):
    service_row(mapping.connection, 10)
    service_row(mapping.connection, 11, period="yearly")
    assert service_for(mapping.subscription, mapping.connection, facts).id == 10
    service_row(mapping.connection, 12)
    assert service_for(mapping.subscription, mapping.connection, facts) is None


def test_the_only_eligible_contract_is_filled_in():
    assert contract_for([a_contract()]).id == 100
    assert contract_for([]) is contract_for([a_contract(), a_contract(101)]) is None


def test_nothing_stands_against_a_choice_that_fits(mapping, refused):
    assert refused() == []
    map_customer(customer=mapping.customer, company=a_company(), **mapping.common)
    map_offer(variant=mapping.variant, service=a_service(), **mapping.common)
    assert refused() == []


def test_every_part_of_a_choice_is_judged_at_once(mapping, refused, cast):
    map_customer(customer=make_customer(cast.csp, "Fabrikam"), company=a_company(), **mapping.common)
    map_offer(variant=make_variant(cast.csp, "Visio"), service=a_service(), **mapping.common)
    assert refused(contract=a_contract(is_active=False)) == ["company_taken", "service_taken", "contract_inactive"]


def test_what_is_mapped_otherwise_is_named(mapping, refused):
    map_customer(customer=mapping.customer, company=a_company(7, "Group"), **mapping.common)
    map_offer(variant=mapping.variant, service=a_service(17, "Basic"), **mapping.common)
    assert refused() == ["customer_mapped", "offer_mapped"]


def test_a_row_that_the_psa_has_no_more_is_a_reason(mapping):
    rows = {"company": a_company(), "service": a_service(), "contract": None}
    found = refusals_of(mapping.subscription, mapping.connection, **rows, today=TODAY)
    assert [reason.text for reason in found] == ["The contract is no longer in Autotask."]


def test_a_mapped_subscription_is_not_mapped_again(mapping, refused):
    mapping.map()
    assert refused() == ["subscription_mapped"]


def test_one_that_was_mapped_before_may_go_to_a_contract_that_starts_today(mapping, refused):
    contract = a_contract(starts_on=TODAY)
    assert refused(contract=contract) == ["contract_starts_late"]
    mapping.map(starts_on=date(2026, 5, 1))
    SubscriptionMapping.objects.update(ends_on=date(2026, 5, 9))
    assert refused(contract=contract) == []


def test_the_facts_of_an_azure_plan_ask_for_a_service_without_prices(mapping, cast, refused):
    variant = make_variant(cast.csp, "Azure plan", category="azure_plan", term="", billing="none")
    mapping.subscription.variant = variant
    assert refused() == ["azure_service_priced"]
    assert refused(service=a_service(unit_price=Decimal(0), unit_cost=Decimal(0))) == []
    soon = a_contract(ends_on=date(2026, 12, 31))
    (warning,) = warnings_of(mapping.subscription, mapping.connection, soon, today=TODAY)
    assert warning.code == "azure_contract_ends_soon"
