"""The cart page and the confirm page."""

from decimal import Decimal

import pytest
from django.urls import reverse

from portal.models import MarginRule, Order, OrderLine, Subscription, VariantPrice
from tests.cast import make_customer, make_user, make_variant
from tests.portal.purchases import make_cart

HTMX = {"HX-Request": "true"}


@pytest.fixture
def cart(cast) -> Order:
    return make_cart(
        cast.operations,
        make_variant(cast.csp, "Monthly"),
        make_variant(cast.csp, "Yearly", billing="annual", erp=Decimal("60.00")),
    )


def address(name: str, pk: int) -> str:
    return reverse(f"portal:{name}", args=[pk])


def change(client, line: OrderLine, quantity: str, **headers):
    return client.post(address("cart_line", line.pk), {f"line-{line.pk}-quantity": quantity}, headers=headers)


def test_the_cart_shows_its_lines_and_its_totals_by_period(cast, as_user, cart):
    answer = as_user(cast.operations).get(address("cart", cart.pk))
    assert answer.context["quote"].totals == [("per month", Decimal("50.00")), ("per year", Decimal("600.00"))]
    assert "Submit Order" in answer.content.decode()


def test_a_changed_quantity_changes_the_totals_in_place(cast, as_user, cart):
    line = cart.lines.first()
    fragment = change(as_user(cast.operations), line, "12", **HTMX).content.decode()
    assert "60.00\xa0EUR per month" in fragment
    assert "<html" not in fragment


def test_without_javascript_a_change_leads_back_to_the_cart(cast, as_user, cart):
    client, line = as_user(cast.operations), cart.lines.first()
    assert change(client, line, "12").url == address("cart", cart.pk)
    assert client.post(address("cart_line", line.pk), {"remove": "1"}).url == address("cart", cart.pk)
    assert cart.lines.count() == 1


@pytest.mark.parametrize("typed", ["0", "10000001", "many", ""])
def test_a_quantity_out_of_range_is_422_with_what_was_typed(cast, as_user, cart, typed):
    first, second = cart.lines.order_by("pk")
    answer = change(as_user(cast.operations), first, typed)
    assert answer.status_code == 422
    rows = {row["quoted"].line.pk: row["form"]["quantity"] for row in answer.context["rows"]}
    assert rows[first.pk].value() == typed
    assert rows[first.pk].errors
    assert rows[second.pk].value() == 10
    assert not OrderLine.objects.exclude(quantity=10).exists()


def test_an_emptied_cart_says_what_to_do_and_cannot_be_submitted(cast, as_user, cart):
    client = as_user(cast.operations)
    cart.lines.all().delete()
    assert "The cart is empty" in client.get(address("cart", cart.pk)).content.decode()
    assert client.get(address("order_submit", cart.pk)).url == address("cart", cart.pk)


def test_the_confirm_page_names_what_is_bought_and_what_it_binds_to(cast, as_user, cart):
    answer = as_user(cast.operations).get(address("order_submit", cart.pk))
    page = answer.content.decode()
    assert answer.context["quote"].commitment == Decimal("50.00") * 12 + Decimal("600.00")
    assert "within 7 days of the purchase" in page
    assert "1,200.00\xa0EUR" in page


def test_two_clicks_on_submit_make_one_order_and_lead_to_it(cast, as_user, cart):
    client = as_user(cast.operations)
    seen = {"seen": client.get(address("order_submit", cart.pk)).context["quote"].fingerprint}
    answers = [client.post(address("order_submit", cart.pk), seen) for _ in range(2)]
    assert [answer.url for answer in answers] == [address("order_detail", cart.pk)] * 2
    assert Order.objects.count() == 1
    assert Subscription.objects.count() == 2
    assert client.get(address("cart", cart.pk)).url == address("order_detail", cart.pk)


def test_a_price_that_changed_is_shown_again_before_anything_is_bought(cast, as_user, cart):
    client = as_user(cast.operations)
    seen = client.get(address("order_submit", cart.pk)).context["quote"].fingerprint
    VariantPrice.objects.update(erp=Decimal("7.00"))
    answer = client.post(address("order_submit", cart.pk), {"seen": seen})
    assert answer.status_code == 422
    assert "Nothing was bought." in answer.content.decode()
    assert answer.context["quote"].totals[0] == ("per month", Decimal("70.00"))
    assert Order.objects.get().state == "cart"


def test_a_submitted_carts_lines_do_not_change_any_more(cast, as_user, cart):
    client, line = as_user(cast.operations), cart.lines.first()
    quoted = client.get(address("order_submit", cart.pk)).context["quote"]
    client.post(address("order_submit", cart.pk), {"seen": quoted.fingerprint})
    assert change(client, line, "99").status_code == 404
    assert not OrderLine.objects.exclude(quantity=10).exists()


def test_a_cart_is_its_owners_alone(cast, as_user, cart):
    colleague = make_user("second@alder.example", cast.csp, "operations")
    for person in (cast.stranger, cast.reseller_admin, colleague):
        client = as_user(person)
        assert client.get(address("cart", cart.pk)).status_code == 404
        assert client.get(address("order_submit", cart.pk)).status_code == 404
        assert client.post(address("order_submit", cart.pk), {"seen": ""}).status_code == 404
        assert change(client, cart.lines.first(), "1").status_code == 404
    assert as_user(cast.reader).get(address("cart", cart.pk)).status_code == 403


def test_what_is_not_sold_any_more_is_marked_and_stops_the_order(cast, as_user, cart):
    line = cart.lines.select_related("variant").first()
    line.variant.is_purchasable = False
    line.variant.save()
    page = as_user(cast.operations).get(address("cart", cart.pk)).content.decode()
    assert "Microsoft does not sell this any more." in page
    assert "Mend or remove what is marked" in page


def test_a_csp_buying_for_its_resellers_customer_sees_what_the_reseller_pays(cast, as_user):
    MarginRule.objects.create(organization=cast.csp, audience="resellers", kind="markup", percent=Decimal(10))
    variant, customer = make_variant(cast.csp), make_customer(cast.reseller)
    cart = make_cart(cast.operations, variant, customer=customer)
    answer = as_user(cast.operations).get(address("cart", cart.pk))
    assert answer.context["quote"].totals == [("per month", Decimal("44.00"))]
    assert "Birch IT pays" in answer.content.decode()
