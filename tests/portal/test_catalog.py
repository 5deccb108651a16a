"""The catalogue: searching it, and its prices."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.urls import reverse
from django.utils import timezone

from portal.models import MarginRule, Promotion
from tests.cast import make_customer, make_variant

HTMX = {"HX-Request": "true"}


@pytest.fixture
def customer(cast):
    return make_customer(cast.csp)


def catalog(client, customer, **query):
    headers = query.pop("headers", {})
    return client.get(reverse("portal:catalog", args=[customer.pk]), query, headers=headers)


def titles(answer) -> list[str]:
    return [variant.offer.title for variant in answer.context["page"].rows]


def add(client, customer, variant, quantity="5"):
    return client.post(reverse("portal:cart_add", args=[customer.pk]), {"variant": variant.pk, "quantity": quantity})


def test_the_catalogue_shows_what_can_be_bought_with_its_price(cast, as_user, customer):
    make_variant(cast.csp, "Business Basic", erp=Decimal("5.60"))
    make_variant(cast.csp, "Gone", is_purchasable=False)
    make_variant(cast.other_csp, "Of a stranger")
    answer = catalog(as_user(cast.operations), customer)
    assert titles(answer) == ["Business Basic"]
    assert "5.60\xa0EUR" in answer.content.decode()


def test_words_and_filters_narrow_it_and_htmx_gets_the_table_alone(cast, as_user, customer):
    make_variant(cast.csp, "Business Basic", term="P1M")
    make_variant(cast.csp, "Business Premium")
    make_variant(cast.csp, "Windows Server", category="perpetual", term="", billing="one_time")
    client = as_user(cast.operations)
    assert titles(catalog(client, customer, q="premium business")) == ["Business Premium"]
    assert titles(catalog(client, customer, term="P1M")) == ["Business Basic"]
    assert titles(catalog(client, customer, category="perpetual")) == ["Windows Server"]
    assert titles(catalog(client, customer, billing="monthly")) == ["Business Basic", "Business Premium"]
    fragment = catalog(client, customer, q="nothing", headers=HTMX).content.decode()
    assert "Nothing in the catalogue matches" in fragment
    assert "<html" not in fragment


def test_it_is_paged_by_key_in_the_order_of_names(cast, as_user, customer, monkeypatch):
    for number in range(53):
        make_variant(cast.csp, f"Offer {number:02}")
    client = as_user(cast.operations)
    first = catalog(client, customer)
    second = catalog(client, customer, after=first.context["page"].next)
    assert len(titles(first)) == 50
    assert titles(second) == ["Offer 50", "Offer 51", "Offer 52"]


def test_ten_offers_ask_as_many_questions_as_twenty(cast, as_user, customer, django_assert_max_num_queries):
    client = as_user(cast.operations)
    catalog(client, customer)
    counts = []
    for batch in range(2):
        for number in range(10):
            make_variant(cast.csp, f"Offer {batch}{number}")
        with django_assert_max_num_queries(30) as captured:
            catalog(client, customer)
        counts.append(len(captured))
    assert counts[0] == counts[1]


def test_prices_carry_margins_and_running_promotions(cast, as_user, customer):
    variant = make_variant(cast.csp, list_price=Decimal("8.00"), erp=Decimal("10.00"))
    MarginRule.objects.create(organization=cast.csp, kind="markup", percent=Decimal(15))
    today = timezone.now().date()
    promotion = Promotion.objects.create(
        owner=cast.csp,
        promotion_id="P1",
        name="Spring",
        percent=Decimal(10),
        starts_on=today - timedelta(days=2),
        ends_on=today + timedelta(days=2),
    )
    promotion.variants.add(variant)
    expired = Promotion.objects.create(
        owner=cast.csp,
        promotion_id="P0",
        name="Old",
        percent=Decimal(50),
        starts_on=date(2020, 1, 1),
        ends_on=date(2020, 2, 1),
    )
    expired.variants.add(variant)
    price = catalog(as_user(cast.operations), customer).context["page"].rows[0].price
    assert (price.unit_cost, price.unit_price) == (Decimal("7.20"), Decimal("8.28"))
    assert price.promotion.name == "Spring"


def test_a_reader_and_a_passer_by_do_not_order(cast, as_user, customer, client):
    assert catalog(client, customer).status_code == 302
    assert catalog(as_user(cast.reader), customer).status_code == 403


def test_a_csp_sees_what_its_reseller_pays_and_not_what_that_one_charges(cast, as_user):
    MarginRule.objects.create(organization=cast.csp, audience="resellers", kind="markup", percent=Decimal(10))
    MarginRule.objects.create(organization=cast.reseller, kind="markup", percent=Decimal(50))
    make_variant(cast.csp)
    customer = make_customer(cast.reseller)
    by_csp = catalog(as_user(cast.operations), customer).content.decode()
    assert "4.40\xa0EUR" in by_csp
    assert "6.60\xa0EUR" not in by_csp
    assert "6.60\xa0EUR" in catalog(as_user(cast.reseller_admin), customer).content.decode()
