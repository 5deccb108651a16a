from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from django.utils import timezone

from portal.models import Order, OrderLine, SubscriptionRequest
from portal.needs import needs_of
from tests.cast import TODAY, make_customer, make_subscription, make_variant

NOW = datetime.combine(TODAY, datetime.min.time(), UTC) + timedelta(hours=12)


@pytest.fixture
def contoso(cast):
    return make_customer(cast.csp, "Contoso")


def make_order(customer, person, state="completed", **fields):
    defaults = {"submitted_at": timezone.now(), "organization": customer.organization, "currency": "EUR"}
    return Order.objects.create(customer=customer, created_by=person, state=state, **(defaults | fields))


def test_a_new_portal_says_where_to_begin(cast, as_user):
    assert "Connect Partner Center" in as_user(cast.admin).get("/").content.decode()


def test_who_may_not_connect_is_told_whom_to_ask(cast, as_user):
    page = as_user(cast.reader).get("/").content.decode()
    assert "Ask an administrator" in page
    assert "Connect Partner Center</a>" not in page


def test_without_orders_the_page_leads_to_the_customers(cast, as_user, contoso):
    assert "No orders yet" in as_user(cast.reader).get("/").content.decode()


def test_the_latest_order_comes_first(cast, as_user, contoso):
    first, second = make_order(contoso, cast.admin), make_order(contoso, cast.admin)
    page = as_user(cast.reader).get("/").content.decode()
    assert page.index(second.number) < page.index(first.number)


def test_what_was_bought_is_summed_per_billing_frequency_at_ones_own_prices(cast, as_user, contoso):
    variant = make_variant(cast.csp)
    prices = {"list_price": 4, "erp": 5, "unit_cost": 4}
    mine = make_order(contoso, cast.admin)
    theirs = make_order(make_customer(cast.reseller, "Fabrikam"), cast.reseller_admin)
    old = make_order(contoso, cast.admin, submitted_at=timezone.now() - timedelta(days=40))
    for order, price in ((mine, "4.50"), (theirs, "99"), (old, "77")):
        OrderLine.objects.create(order=order, variant=variant, quantity=10, unit_price=Decimal(price), **prices)
    page = as_user(cast.reader).get("/").content.decode()
    assert "Ordered in 30 days, monthly" in page
    assert "45.00\u00a0EUR" in page
    assert "990.00" not in page


def test_failed_and_stalled_orders_need_a_person(cast, contoso):
    make_order(contoso, cast.admin, "failed", finished_at=NOW - timedelta(days=1), advice="Choose another offer.")
    make_order(contoso, cast.admin, "provisioning", due_at=None)
    make_order(contoso, cast.admin, "provisioning", due_at=NOW)
    make_order(contoso, cast.admin, "failed", finished_at=NOW - timedelta(days=60))
    needs = needs_of(cast.reader, NOW)
    assert [need.text.split(": ")[-1].split("Contoso ")[-1] for need in needs] == ["stopped on its way", "failed"]
    assert needs[1].detail == "Choose another offer."


def test_a_refused_change_needs_a_person(cast, contoso):
    SubscriptionRequest.objects.create(
        subscription=make_subscription(contoso, make_variant(cast.csp)),
        kind="quantity",
        wanted={"quantity": 3},
        state="failed",
        advice="The window is over.",
        actor=cast.admin,
        requested_at=NOW,
        finished_at=NOW,
    )
    assert [need.detail for need in needs_of(cast.reader, NOW)] == ["The window is over."]


def test_a_subscription_that_will_not_renew_is_announced(cast, contoso):
    variant = make_variant(cast.csp)
    make_subscription(contoso, variant, auto_renew=False, ends_on=TODAY + timedelta(days=1), friendly_name="Soon")
    make_subscription(contoso, variant, auto_renew=False, ends_on=TODAY + timedelta(days=60), friendly_name="Later")
    make_subscription(contoso, variant, auto_renew=True, ends_on=TODAY + timedelta(days=1), friendly_name="Renews")
    assert [need.text for need in needs_of(cast.reader, NOW)] == ["Soon (Contoso) ends tomorrow"]


def test_nobody_is_bothered_with_another_tenants_needs(cast, contoso):
    make_order(contoso, cast.admin, "failed", finished_at=NOW)
    assert needs_of(cast.stranger, NOW) == []
