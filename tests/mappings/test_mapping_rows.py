"""One row of a mapping page: picked in its place or on its own page, checked by the server, taken away again."""

import pytest
from django.urls import reverse

from mappings.models import CustomerMapping, OfferMapping, Suggestion
from portal.models import AuditEntry
from tests.cast import make_customer, make_subscription, make_variant
from tests.mappings.mirror import company_row, service_row
from tests.mappings.test_mapping_pages import suggest

HTMX = {"HX-Request": "true"}


@pytest.fixture
def client(mapping, cast, as_user):
    company_row(mapping.connection, 1, "Contoso NV")
    company_row(mapping.connection, 2, "Fabrikam", is_active=False)
    company_row(mapping.connection, 3, "Northwind")
    service_row(mapping.connection, 10)
    service_row(mapping.connection, 11, "Yearly", period="yearly")
    return as_user(cast.operations)


@pytest.fixture
def url(mapping):
    def address(noun="customer", verb="row", pk=None):
        default = mapping.customer.pk if noun == "customer" else mapping.variant.pk
        return reverse(f"mappings:{noun}_{verb}", args=[mapping.connection.pk, pk or default])

    return address


def test_the_picker_opens_in_the_row_and_as_a_page(client, url):
    row = client.get(url(), headers=HTMX).content.decode()
    page = client.get(url()).content.decode()
    assert row.strip().startswith("<tr")
    assert "<html" in page
    for html in (row, page):
        assert "Contoso NV" in html
        assert "Northwind" in html
        assert "Fabrikam" not in html


def test_typing_swaps_the_options_alone(client, url, mapping):
    headers = HTMX | {"HX-Target": f"options-{mapping.customer.pk}"}
    html = client.get(url(), {"company-q": "north"}, headers=headers).content.decode()
    assert html.strip().startswith("<div id=")
    assert "Northwind" in html
    assert "Contoso" not in html


def test_what_was_left_out_says_why(client, url, mapping):
    html = client.get(url(), {"company-left_out": "on"}, headers=HTMX).content.decode()
    assert "Fabrikam is inactive." in html


def test_a_choice_maps_the_row_and_is_audited(client, url, mapping, cast):
    html = client.post(url(), {"company": "1"}, headers=HTMX).content.decode()
    assert "Mapped" in html
    assert CustomerMapping.objects.get().company_name == "Contoso NV"
    assert AuditEntry.objects.get().name == "Create Connection Customer Mapping"
    again = client.post(url(), {"company": "1"})
    assert again.status_code == 302
    assert AuditEntry.objects.count() == 1


def test_without_javascript_the_list_says_what_was_done(client, url):
    answer = client.post(url("offer"), {"service": "10"}, follow=True)
    assert "Microsoft 365 Business Basic · 1 year, monthly is mapped." in answer.content.decode()
    assert OfferMapping.objects.count() == 1


@pytest.mark.parametrize(
    ("noun", "posted", "words"),
    [
        ("customer", {"company": "2"}, "Fabrikam is inactive."),
        ("customer", {"company": "99"}, "The company is no longer in Autotask."),
        ("customer", {"company": "1e5"}, "Nothing was chosen."),
        ("customer", {}, "Nothing was chosen."),
        ("offer", {"service": "11"}, "Yearly has the period type Annually"),
    ],
)
def test_what_is_not_eligible_is_refused_with_the_reason(client, url, noun, posted, words):
    answer = client.post(url(noun), posted, headers=HTMX)
    assert answer.status_code == 422
    assert words.replace("Annually", "Yearly") in answer.content.decode() or words in answer.content.decode()
    assert not CustomerMapping.objects.exists()
    assert not OfferMapping.objects.exists()


def test_a_company_that_another_customer_has_is_refused_by_name(client, url, cast):
    other = make_customer(cast.csp, "Second")
    client.post(url(), {"company": "1"})
    answer = client.post(url(pk=other.pk), {"company": "1"}, headers=HTMX)
    assert answer.status_code == 422
    assert "Contoso NV is mapped to the customer Contoso already." in answer.content.decode()


def test_an_offer_that_can_never_be_mapped_is_refused(client, url, mapping, cast):
    legacy = make_variant(cast.csp, "Old licence", category="legacy")
    make_subscription(mapping.customer, legacy)
    answer = client.post(url("offer", pk=legacy.pk), {"service": "10"}, headers=HTMX)
    assert answer.status_code == 422
    assert "legacy licence offer" in answer.content.decode()


def test_a_mapping_is_taken_away_and_autotask_left_alone(client, url):
    client.post(url(), {"company": "1"})
    html = client.post(url(verb="remove"), headers=HTMX).content.decode()
    assert "Not mapped" in html
    assert not CustomerMapping.objects.exists()
    assert AuditEntry.objects.first().name == "Remove Connection Customer Mapping"
    assert client.post(url(verb="remove"), headers=HTMX).status_code == 200
    assert AuditEntry.objects.count() == 2


@pytest.mark.parametrize("noun", ["customer", "offer"])
def test_what_subscriptions_are_billed_by_stays(client, url, mapping, noun):
    client.post(url(), {"company": "1"})
    client.post(url("offer"), {"service": "10"})
    mapping.map()
    answer = client.post(url(noun, "remove"), headers=HTMX)
    assert answer.status_code == 422
    assert "Remove their subscription mappings first." in answer.content.decode()
    assert CustomerMapping.objects.exists()
    assert OfferMapping.objects.exists()


def test_what_a_person_rejects_is_kept_as_rejected(client, url, mapping, cast):
    suggest(mapping.connection, customer=mapping.customer)
    html = client.post(url(verb="reject"), headers=HTMX).content.decode()
    assert "Not mapped" in html
    rejected = Suggestion.objects.get()
    assert (rejected.state, rejected.decided_by) == ("rejected", cast.operations)
    assert AuditEntry.objects.get().asked["rejected"] == [{"id": 5, "name": "Contoso NV", "score": 96}]
    client.post(url(verb="reject"), headers=HTMX)
    assert AuditEntry.objects.count() == 1


def test_a_customer_of_a_reseller_is_not_found(client, url, cast):
    theirs = make_customer(cast.reseller, "Through the reseller")
    for verb in ("row", "remove", "reject"):
        assert client.post(url(verb=verb, pk=theirs.pk), {"company": "1"}).status_code == 404


def test_mapping_one_takes_the_same_company_from_the_suggestions_of_others(client, url, mapping, cast):
    other = make_customer(cast.csp, "Contoso Two")
    suggest(mapping.connection, 1, customer=other)
    suggest(mapping.connection, 3, customer=mapping.customer)
    suggest(mapping.connection, 1, variant=mapping.variant)
    client.post(url(), {"company": "1"})
    assert [one.variant for one in Suggestion.objects.all()] == [mapping.variant]
