import itertools

import pytest

from tests.cast import make_customer, make_subscription, make_variant
from tests.queries import assert_same_queries


@pytest.fixture
def contoso(cast):
    return make_customer(cast.csp, "Contoso", domain="contoso.example", search_text="contoso contoso.example")


def test_the_list_shows_ones_own_customers_and_those_of_ones_resellers(cast, as_user, contoso):
    make_customer(cast.reseller, "Fabrikam")
    make_customer(cast.other_csp, "Strangers' customer")
    page = as_user(cast.reader).get("/customers/").content.decode()
    assert "Contoso" in page
    assert "Fabrikam" in page
    assert "Strangers" not in page


def test_a_reseller_sees_its_own_customers_alone_and_is_not_asked_whose(cast, as_user, contoso):
    make_customer(cast.reseller, "Fabrikam")
    page = as_user(cast.reseller_admin).get("/customers/").content.decode()
    assert "Fabrikam" in page
    assert "Contoso" not in page
    assert "Sold by" not in page


def test_searching_finds_every_word_anywhere(cast, as_user, contoso):
    make_customer(cast.csp, "Contoso Sister")
    page = as_user(cast.reader).get("/customers/?q=EXAMPLE+conto").content.decode()
    assert "contoso.example" in page
    assert "Sister" not in page


def test_the_list_can_be_narrowed_to_one_organization(cast, as_user, contoso):
    make_customer(cast.reseller, "Fabrikam")
    page = as_user(cast.reader).get(f"/customers/?organization={cast.reseller.pk}").content.decode()
    assert "Fabrikam" in page
    assert "Contoso" not in page


def test_an_organization_of_another_tenant_is_no_choice(cast, as_user, contoso):
    page = as_user(cast.reader).get(f"/customers/?organization={cast.other_csp.pk}").content.decode()
    assert "Select a valid choice" in page


def test_htmx_gets_the_table_alone(cast, as_user, contoso):
    response = as_user(cast.reader).get("/customers/", headers={"HX-Request": "true"})
    page = response.content.decode()
    assert page.startswith('<div id="table"')
    assert "<html" not in page
    assert "HX-Request" in response.headers["Vary"]


def test_an_empty_list_says_what_to_do_next(cast, as_user):
    assert "No customers yet" in as_user(cast.reader).get("/customers/").content.decode()


def test_a_search_without_a_result_offers_the_way_back(cast, as_user, contoso):
    page = as_user(cast.reader).get("/customers/?q=zzz").content.decode()
    assert "No customer matches" in page
    assert "Show all customers" in page


def test_the_list_asks_the_same_for_ten_rows_and_twenty(cast, as_user):
    numbers = itertools.count()
    variant = make_variant(cast.csp)

    def make_ten():
        for _ in range(10):
            make_subscription(make_customer(cast.csp, f"Customer {next(numbers)}"), variant)

    assert_same_queries(as_user(cast.reader), "/customers/", make_ten)


def test_a_customer_page_shows_subscriptions_and_the_way_to_the_catalogue(cast, as_user, contoso):
    make_subscription(contoso, make_variant(cast.csp), quantity=12)
    page = as_user(cast.operations).get(f"/customers/{contoso.pk}/").content.decode()
    assert "Microsoft 365 Business Basic" in page
    assert f"/customers/{contoso.pk}/catalog/" in page


def test_a_reader_is_not_offered_what_the_role_does_not_allow(cast, as_user, contoso):
    page = as_user(cast.reader).get(f"/customers/{contoso.pk}/").content.decode()
    assert "Add subscription" not in page
    assert "Your role does not allow ordering" in page
    assert "Audit log of this customer" not in page


def test_a_customer_of_another_tenant_is_not_there(cast, as_user, contoso):
    assert as_user(cast.stranger).get(f"/customers/{contoso.pk}/").status_code == 404


def test_a_customer_page_asks_the_same_for_ten_subscriptions_and_twenty(cast, as_user, contoso):
    variant = make_variant(cast.csp)
    url = f"/customers/{contoso.pk}/"
    assert_same_queries(as_user(cast.reader), url, lambda: [make_subscription(contoso, variant) for _ in range(10)])
