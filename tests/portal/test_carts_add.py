"""Putting something from the catalogue into the cart."""

from decimal import Decimal

import pytest
from django.urls import reverse

from portal.models import Order, OrderLine
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


def test_what_has_no_price_in_the_currency_cannot_be_added(cast, as_user, customer):
    variant = make_variant(cast.csp)
    variant.prices.update(currency="USD")
    client = as_user(cast.operations)
    assert "No price in EUR" in catalog(client, customer).content.decode()
    answer = add(client, customer, variant)
    assert answer.status_code == 422
    assert not Order.objects.exists()


def test_an_azure_plan_is_billed_by_usage_and_needs_no_price(cast, as_user, customer):
    plan = make_variant(cast.csp, "Azure plan", category="azure_plan", term="", billing="none", maximum_quantity=1)
    plan.prices.all().delete()
    client = as_user(cast.operations)
    assert "By usage" in catalog(client, customer).content.decode()
    assert add(client, customer, plan, "1").status_code == 302


def test_adding_begins_a_cart_and_leads_to_it(cast, as_user, customer):
    variant = make_variant(cast.csp)
    answer = add(as_user(cast.operations), customer, variant)
    line = OrderLine.objects.get()
    assert answer.url == reverse("portal:cart", args=[line.order_id])
    assert (line.quantity, line.unit_price, line.order.created_by) == (5, Decimal("5.00"), cast.operations)


def test_a_double_click_adds_once_and_another_quantity_is_pointed_to_the_cart(cast, as_user, customer):
    variant, client = make_variant(cast.csp), as_user(cast.operations)
    assert add(client, customer, variant).status_code == 302
    assert add(client, customer, variant).status_code == 302
    answer = add(client, customer, variant, "6")
    assert answer.status_code == 422
    assert "in the cart already" in answer.content.decode()
    assert OrderLine.objects.get().quantity == 5


@pytest.mark.parametrize("typed", ["0", "301", "-1", "12.5", "ten", "", "9" * 5000])
def test_a_quantity_that_microsoft_does_not_sell_comes_back_as_it_was_typed(cast, as_user, customer, typed):
    variant = make_variant(cast.csp, maximum_quantity=300)
    answer = add(as_user(cast.operations), customer, variant, typed)
    assert answer.status_code == 422
    assert answer.context["form"]["quantity"].value() == typed
    assert not OrderLine.objects.exists()


def test_what_belongs_to_another_tenant_is_not_there(cast, as_user, customer):
    client = as_user(cast.operations)
    strange_customer, strange_variant = make_customer(cast.other_csp), make_variant(cast.other_csp, "Strange")
    assert catalog(client, strange_customer).status_code == 404
    assert add(client, strange_customer, make_variant(cast.csp)).status_code == 404
    assert add(client, customer, strange_variant).status_code == 404
    forged = {"variant": "1 or 1", "quantity": "1"}
    assert client.post(reverse("portal:cart_add", args=[customer.pk]), forged).status_code == 404
