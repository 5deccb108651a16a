"""The pickers in the browser: fragments while one types, pages by their address."""

import pytest
from django.urls import reverse

from tests.cast import make_customer, make_subscription, make_variant
from tests.mappings.mirror import company_row, contract_row, make_connection, service_row

HTMX = {"HX-Request": "true"}
PICKERS = ["company_picker", "service_picker", "contract_picker"]


@pytest.fixture
def url(mapping):
    company_row(mapping.connection, 1, "Contoso")
    company_row(mapping.connection, 2, "Fabrikam", is_active=False)
    service_row(mapping.connection, 10)
    contract_row(mapping.connection, 100)

    def address(name, connection=None, subscription=None):
        place = [(connection or mapping.connection).pk, (subscription or mapping.subscription).pk]
        return reverse(f"mappings:{name}", args=place)

    return address


def test_typing_swaps_the_rows_alone(url, cast, as_user):
    page = as_user(cast.operations).get(url("company_picker"), {"company-q": "conto", "company": "1"}, headers=HTMX)
    html = page.content.decode()
    assert page.status_code == 200
    assert "<html" not in html
    assert 'id="company-options"' in html
    assert 'value="1" checked' in html
    assert "Fabrikam" not in html


@pytest.mark.parametrize("name", PICKERS)
def test_every_picker_is_a_page_by_its_address(url, cast, as_user, name):
    page = as_user(cast.operations).get(url(name), {"company": "1"})
    assert page.status_code == 200
    assert "<html" in page.content.decode()
    assert 'type="search"' in page.content.decode()


def test_what_was_left_out_is_shown_with_its_reason_and_what_to_change(url, cast, as_user):
    page = as_user(cast.operations).get(url("company_picker"), {"company-left_out": "on", "company": "1"}, headers=HTMX)
    html = page.content.decode()
    assert "Fabrikam is inactive." in html
    assert "tick Active" in html
    assert "Contoso" not in html
    assert '<input type="hidden" name="company" value="1">' in html


def test_the_contracts_follow_the_company(url, cast, as_user):
    client = as_user(cast.operations)
    assert "Choose the customer’s company first" in client.get(url("contract_picker"), headers=HTMX).content.decode()
    page = client.get(url("contract_picker"), {"company": "1"}, headers=HTMX)
    assert 'name="contract" value="100" checked' in page.content.decode()
    empty = client.get(url("contract_picker"), {"company": "2"}, headers=HTMX).content.decode()
    assert "No eligible contract." in empty


@pytest.mark.parametrize("name", PICKERS)
def test_a_reader_may_not_map(url, cast, as_user, name):
    assert as_user(cast.reader).get(url(name)).status_code == 403


@pytest.mark.parametrize("name", PICKERS)
def test_nothing_of_another_organization_is_found(url, cast, as_user, name):
    foreign = make_connection(cast.other_csp, "Theirs")
    resellers = make_subscription(make_customer(cast.reseller), make_variant(cast.csp, "Visio"))
    client = as_user(cast.admin)
    assert client.get(url(name, connection=foreign)).status_code == 404
    assert client.get(url(name, subscription=resellers)).status_code == 404
    client.force_login(cast.stranger)
    assert client.get(url(name)).status_code == 404


@pytest.mark.parametrize("state", ["draft", "retired"])
def test_a_connection_that_takes_no_work_is_not_found(url, mapping, cast, as_user, state):
    mapping.connection.state = state
    mapping.connection.save()
    assert as_user(cast.admin).get(url("company_picker")).status_code == 404


@pytest.mark.parametrize(
    "asked",
    [
        {"company": "x", "company-page": "-3"},
        {"company": "9" * 40, "company-page": "9" * 40},
        {"company-q": "y" * 5000},
        {"company-q": "%_\\'\"<script>", "company-left_out": "maybe"},
    ],
)
def test_nonsense_is_as_good_as_nothing(url, cast, as_user, asked):
    for name in PICKERS:
        page = as_user(cast.admin).get(url(name), asked)
        assert page.status_code == 200
        assert "<script>" not in page.content.decode().replace("<script src", "")


def test_only_reading_is_allowed(url, cast, as_user):
    assert as_user(cast.admin).post(url("company_picker")).status_code == 405
