"""The pickers show what is eligible and nothing else, and tell of the rest why not."""

from dataclasses import replace
from datetime import date
from decimal import Decimal
from itertools import product

import pytest

from mappings.actions import map_customer, map_offer
from mappings.eligibility import company_reasons, service_reasons
from mappings.pickers import Scope, Search, company_picker, contract_picker, service_picker
from mappings.resolve import company_for, facts_of, service_for
from tests.cast import TODAY, make_customer, make_variant
from tests.fake_psa import a_company, a_service
from tests.mappings.mirror import company_row, contract_row, make_connection, service_row

LEFT_OUT = Search(left_out=True)


@pytest.fixture
def scope(mapping) -> Scope:
    facts = facts_of(mapping.subscription, mapping.connection, today=TODAY)
    return Scope(mapping.subscription, mapping.connection, facts)


def ids(picker):
    return [option.id for option in picker.options]


def all_left_out(picker, scope):
    """Page by page; each says why it was left out."""
    found, page = [], 1
    while True:
        shown = picker(scope, Search(left_out=True, page=page))
        assert all(option.reasons for option in shown.options)
        found += ids(shown)
        if not shown.more:
            return found
        page += 1


@pytest.mark.parametrize("mapped_to", [None, 1, 5])
def test_the_database_and_the_rules_agree_on_every_kind_of_company(scope, mapping, cast, mapped_to):
    map_customer(customer=make_customer(cast.csp, "Fabrikam"), company=a_company(2), **mapping.common)
    if mapped_to:
        map_customer(customer=mapping.customer, company=a_company(mapped_to), **mapping.common)
    kinds = product([True, False], ["Customer", "customer", "Vendor", ""], ["EUR", "", "GBP"])
    for number, (is_active, type_label, currency) in enumerate(kinds):
        company_row(mapping.connection, number, is_active=is_active, type_label=type_label, currency=currency)
    shown = company_picker(scope, Search())
    assert all(option.reasons == () for option in shown.options)
    assert ids(shown) == {None: [1, 3, 4], 1: [1], 5: []}[mapped_to]
    assert sorted(ids(shown) + all_left_out(company_picker, scope)) == list(range(24))


@pytest.mark.parametrize("category", ["licence", "azure_plan"])
def test_the_database_and_the_rules_agree_on_every_kind_of_service(scope, mapping, cast, category):
    map_offer(variant=make_variant(cast.csp, "Visio"), service=a_service(0), **mapping.common)
    prices = [Decimal(0), Decimal("4.5")]
    kinds = product([True, False], ["monthly", "yearly", ""], prices, [None, *prices])
    for number, (is_active, period, price, cost) in enumerate(kinds):
        row = {"is_active": is_active, "period": period, "unit_price": price, "unit_cost": cost}
        service_row(mapping.connection, number, **row)
    scope = replace(scope, facts=replace(scope.facts, category=category))
    shown = service_picker(scope, Search())
    assert ids(shown) == ([1, 2, 3, 4, 5] if category == "licence" else [1])
    assert all(option.reasons == () for option in shown.options)
    assert sorted(ids(shown) + all_left_out(service_picker, scope)) == list(range(36))


def test_what_was_left_out_names_who_holds_it(scope, mapping, cast):
    map_customer(customer=make_customer(cast.csp, "Fabrikam"), company=a_company(7, "Taken"), **mapping.common)
    company_row(mapping.connection, 7, "Taken")
    (option,) = company_picker(scope, LEFT_OUT).options
    assert option.reasons == company_reasons(a_company(7, "Taken"), scope.facts, taken_by="Fabrikam")
    visio = make_variant(cast.csp, "Visio")
    map_offer(variant=visio, service=a_service(11), **mapping.common)
    service_row(mapping.connection, 11)
    (option,) = service_picker(scope, LEFT_OUT).options
    assert option.reasons == service_reasons(a_service(11), scope.facts, taken_by=str(visio))


def test_typing_narrows_by_every_word_and_the_chosen_one_stays_on_top(scope, mapping):
    for number, name in enumerate(["Groene Hart Accountants", "Hart van Noord", "Contoso"], start=1):
        company_row(mapping.connection, number, name)
    assert ids(company_picker(scope, Search("hart"))) == [1, 2]
    assert ids(company_picker(scope, Search("HART acc"))) == [1]
    assert ids(company_picker(scope, Search("hart", chosen=3))) == [3, 1, 2]
    assert ids(company_picker(scope, Search("100%_"))) == []


def test_twenty_are_shown_and_the_rest_is_asked_for_by_typing(scope, mapping):
    for number in range(1, 26):
        company_row(mapping.connection, number, f"Company {number:02d}")
    shown = company_picker(scope, Search())
    assert (len(shown.options), shown.more) == (20, True)
    assert not company_picker(scope, Search("company 2")).more


def test_what_was_left_out_comes_in_pages(scope, mapping):
    for number in range(1, 46):
        company_row(mapping.connection, number, f"Company {number:02d}", is_active=False)
    pages = [company_picker(scope, Search(left_out=True, page=page)) for page in (1, 2, 3)]
    assert [len(page.options) for page in pages] == [20, 20, 5]
    assert [page.more for page in pages] == [True, True, False]


def test_contracts_are_those_of_the_company_and_the_only_eligible_one_is_chosen(scope, mapping):
    contract_row(mapping.connection, 100)
    contract_row(mapping.connection, 101, "Yearly", period="yearly")
    contract_row(mapping.connection, 102, "Of another company", company_remote_id=2)
    shown = contract_picker(scope, Search(), a_company())
    assert (ids(shown), shown.chosen, shown.prefill.source) == ([100], 100, "only")
    left_out = contract_picker(scope, LEFT_OUT, a_company())
    assert [(option.id, option.reasons[0].code) for option in left_out.options] == [(101, "contract_period")]
    contract_row(mapping.connection, 103, "Second")
    assert contract_picker(scope, Search(), a_company()).chosen is None


def test_a_contract_that_was_chosen_of_another_company_is_not_chosen_any_more(scope, mapping):
    contract_row(mapping.connection, 100)
    contract_row(mapping.connection, 101, "Second")
    assert contract_picker(scope, Search(chosen=102), a_company()).chosen is None
    assert contract_picker(scope, Search(chosen=101), a_company()).chosen == 101


def test_without_a_company_there_are_no_contracts_to_choose_from(scope, mapping):
    contract_row(mapping.connection, 100)
    picker = contract_picker(scope, Search(), None)
    assert picker.needs_company
    assert picker.options == ()


def test_rows_of_another_connection_are_never_shown(scope, mapping, cast):
    other = make_connection(cast.csp, "Second")
    company_row(other, 1), service_row(other, 10), contract_row(other, 100)
    for picker in (
        company_picker(scope, Search()),
        company_picker(scope, LEFT_OUT),
        service_picker(scope, Search()),
        service_picker(scope, LEFT_OUT),
        contract_picker(scope, Search(), a_company()),
        contract_picker(scope, LEFT_OUT, a_company()),
    ):
        assert picker.options == ()


def test_a_warning_comes_with_an_eligible_contract(scope, mapping):
    contract_row(mapping.connection, 100, ends_on=date(2026, 12, 31))
    (option,) = contract_picker(scope, Search(), a_company()).options
    assert [warning.code for warning in option.warnings] == ["contract_ends_before_term"]


@pytest.mark.parametrize("search", [Search(), Search("con", chosen=30), LEFT_OUT])
def test_a_picker_takes_three_queries_at_most(scope, mapping, cast, django_assert_max_num_queries, search):
    for number in range(1, 31):
        company_row(mapping.connection, number, f"Contoso {number:02d}", is_active=number % 2 == 0)
        service_row(mapping.connection, number, f"Contoso {number:02d}", is_active=number % 2 == 0)
    map_customer(customer=make_customer(cast.csp, "Fabrikam"), company=a_company(4), **mapping.common)
    for picker in (company_picker, service_picker):
        with django_assert_max_num_queries(3):
            assert picker(scope, search).options
    with django_assert_max_num_queries(3):
        contract_picker(scope, search, a_company())


def test_what_is_filled_in_beforehand_is_on_top_and_says_why(scope, mapping):
    for number, name in enumerate(["Aaa", "CONTOSO B.V."], start=1):
        company_row(mapping.connection, number, name)
    service_row(mapping.connection, 10, "Microsoft 365 Business Basic")
    company = company_picker(scope, Search(), company_for(scope.subscription, scope.connection, scope.facts))
    service = service_picker(scope, Search(), service_for(scope.subscription, scope.connection, scope.facts))
    assert (ids(company), company.chosen, company.prefill.source) == ([2, 1], 2, "suggested")
    assert company.prefill.why == "Same name but for the legal form"
    assert (service.chosen, service.prefill.why) == (10, "Same name")
