"""The lists of customers and offers: what each is mapped to, what is hidden, and who may look."""

import pytest
from django.db import connection as database
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from mappings.models import Suggestion
from tests.cast import make_customer, make_subscription, make_variant
from tests.fake_psa import a_company, a_service
from tests.mappings.conftest import NOW
from tests.mappings.mirror import make_connection

HTMX = {"HX-Request": "true"}


def suggest(connection, remote_id=5, state="open", **ours):
    fields = {"remote_name": "Contoso NV", "score": 96, "why": "Same name but for the legal form", "found_at": NOW}
    return Suggestion.objects.create(connection=connection, remote_id=remote_id, state=state, **fields, **ours)


@pytest.fixture
def page(mapping, cast, as_user):
    def fetch(noun="customer", user=cast.operations, connection=mapping.connection, headers=None, **query):
        url = reverse(f"mappings:{noun}_mapping", args=[connection.pk])
        return as_user(user).get(url, query, headers=headers)

    return fetch


def names(answer):
    return [row.name for row in answer.context["rows"]]


def test_the_customers_are_listed_with_their_state_and_the_progress(page, mapping, cast):
    from mappings.actions import map_customer

    map_customer(customer=make_customer(cast.csp, "Fabrikam"), company=a_company(2, "Fabrikam NV"), **mapping.common)
    suggest(mapping.connection, customer=mapping.customer)
    answer = page()
    html = answer.content.decode()
    assert [(row.name, row.state) for row in answer.context["rows"]] == [
        ("Contoso", "suggested"),
        ("Fabrikam", "mapped"),
    ]
    assert "<strong>1 of 2</strong> customers mapped, 1 to go." in html
    assert "Same name but for the legal form, 96" in html


def test_a_state_in_the_address_narrows_the_list(page, mapping, cast):
    conflict, other = make_customer(cast.csp, "Two of them"), make_customer(cast.csp, "Zebra")
    suggest(mapping.connection, customer=mapping.customer)
    suggest(mapping.connection, 6, "conflict", customer=conflict)
    suggest(mapping.connection, 7, "rejected", customer=other)
    assert names(page(state="suggested")) == ["Contoso"]
    assert names(page(state="conflict")) == ["Two of them"]
    assert names(page(state="not_mapped")) == ["Zebra"]
    assert names(page(state="mapped")) == []


def test_searching_finds_any_part_of_the_name_and_answers_with_the_table(page, mapping, cast):
    make_customer(cast.csp, "Müller & Söhne")
    answer = page(q="sohne", headers=HTMX)
    assert names(answer) == ["Müller & Söhne"]
    assert "<html" not in answer.content.decode()


def test_mapped_offers_are_hidden_with_their_count_until_asked_for(page, mapping, cast):
    from mappings.actions import map_offer

    map_offer(variant=mapping.variant, service=a_service(), **mapping.common)
    hidden = page("offer")
    assert names(hidden) == []
    assert "1 mapped one is hidden." in hidden.content.decode()
    assert "Every offer is mapped" in hidden.content.decode()
    assert names(page("offer", hide="no")) == names(page("offer", state="mapped")) == ["Microsoft 365 Business Basic"]


def test_offers_nobody_bought_are_not_listed_and_the_unmappable_only_with_their_reason(page, mapping, cast):
    make_variant(cast.csp, "Nobody's")
    legacy = make_variant(cast.csp, "Old licence", category="legacy")
    azure = make_variant(cast.csp, "Azure plan", category="azure_plan", billing="none", term="")
    make_subscription(mapping.customer, legacy)
    make_subscription(mapping.customer, azure)
    assert names(page("offer")) == ["Azure plan", "Microsoft 365 Business Basic"]
    left_out = page("offer", state="left_out")
    assert names(left_out) == ["Old licence"]
    assert "Migrate the subscription to new commerce first" in left_out.content.decode()


def test_a_csp_maps_its_own_customers_and_a_reseller_its_own(page, mapping, cast):
    theirs = make_customer(cast.reseller, "Through the reseller")
    make_subscription(theirs, make_variant(cast.csp, "Visio"))
    assert names(page()) == ["Contoso"]
    assert names(page("offer")) == ["Microsoft 365 Business Basic"]
    own = make_connection(cast.reseller, "Theirs")
    assert names(page(user=cast.reseller_admin, connection=own)) == ["Through the reseller"]
    assert page(connection=own).status_code == page(user=cast.reseller_admin).status_code == 404


@pytest.mark.parametrize("noun", ["customer", "offer"])
def test_a_reader_and_a_stranger_see_nothing(page, cast, noun):
    assert page(noun, user=cast.reader).status_code == 403
    assert page(noun, user=cast.stranger).status_code == 404


@pytest.mark.parametrize("noun", ["customer", "offer"])
def test_the_list_takes_as_many_queries_for_ten_rows_as_for_twenty_and_few(mapping, cast, as_user, noun):
    client, counts = as_user(cast.operations), []
    url = reverse(f"mappings:{noun}_mapping", args=[mapping.connection.pk])
    for batch in range(2):
        for number in range(10):
            customer = make_customer(cast.csp, f"Customer {batch} {number}")
            variant = make_variant(cast.csp, f"Offer {batch} {number}")
            make_subscription(customer, variant)
            ours = {"customer": customer} if noun == "customer" else {"variant": variant}
            suggest(mapping.connection, **ours)
        with CaptureQueriesContext(database) as queries:
            client.get(url)
        counts.append(len(queries))
    assert counts[0] == counts[1] <= 12


def test_the_first_page_of_mappings_opens_the_only_connection_and_lists_several(mapping, cast, as_user):
    client, url = as_user(cast.operations), reverse("mappings:mapping_home")
    assert client.get(url).url == reverse("mappings:customer_mapping", args=[mapping.connection.pk])
    make_connection(cast.csp, "Second")
    assert "Second" in client.get(url).content.decode()
