"""What a subscription's and an order's page show about Autotask."""

import pytest
from django.test import RequestFactory
from django.urls import reverse

from portal.models import Order, OrderLine, Subscription
from syncops.panels import order_panel, subscription_panel, waiting_for_a_person
from tests.cast import make_subscription, make_variant
from tests.syncops.desk import Desk


@pytest.fixture
def request_of(cast):
    def make(user=None):
        request = RequestFactory().get("/")
        request.user = user or cast.admin
        return request

    return make


@pytest.fixture
def order(desk: Desk, cast) -> Order:
    row = Order.objects.create(
        organization=cast.csp, customer=desk.subscription.customer, state="completed", currency="EUR",
        created_by=cast.admin,
    )  # fmt: skip
    add_line(row, desk.subscription)
    return row


def add_line(order: Order, subscription: Subscription) -> OrderLine:
    prices = {"list_price": 4, "erp": 5, "unit_cost": 4, "unit_price": 5}
    return OrderLine.objects.create(
        order=order, variant=subscription.variant, quantity=10, subscription=subscription, **prices
    )


def page(client, user, row):
    client.force_login(user)
    return client.get(row.get_absolute_url()).content.decode()


def test_an_unmapped_subscription_offers_the_sync(desk: Desk, cast, client):
    html = page(client, cast.operations, desk.subscription)
    assert reverse("syncops:sync_to_connection", args=[desk.subscription.pk]) in html
    assert "nobody is billed for it there" in html


def test_who_may_not_map_is_offered_nothing(desk: Desk, cast, client):
    html = page(client, cast.reader, desk.subscription)
    assert reverse("syncops:sync_to_connection", args=[desk.subscription.pk]) not in html
    assert "Your role cannot map subscriptions" in html


def test_without_a_usable_connection_the_page_says_what_to_do(desk: Desk, cast, client):
    desk.connection.state = "draft"
    desk.connection.save()
    assert "Connect Autotask" in page(client, cast.admin, desk.subscription)
    assert "An administrator of Alder Cloud connects Autotask" in page(client, cast.reader, desk.subscription)


def test_a_mapped_subscription_shows_where_it_is_billed_and_how_it_stands(mapped: Desk, cast, client):
    html = page(client, cast.reader, mapped.subscription)
    assert "Microsoft 365 (CSP)" in html
    assert "Synced" in html
    assert f"line #{mapped.line}" in html


def test_work_in_progress_is_live(desk: Desk, cast, client):
    desk.map()
    html = page(client, cast.reader, desk.subscription)
    assert f'hx-get="{reverse("syncops:mapping_state", args=[desk.subscription.pk])}?seen=' in html
    assert "Syncing" in html


def test_a_subscription_of_a_reseller_is_said_to_be_billed_there(desk: Desk, cast, client):
    sold = Subscription.objects.filter(pk=desk.subscription.pk)
    sold.update(organization=cast.reseller)
    html = page(client, cast.admin, desk.subscription)
    assert "Birch IT bills this subscription" in html
    assert "Sync to Connection" not in html


def test_a_subscription_that_ended_has_nothing_to_sync(desk: Desk, request_of):
    desk.subscription.status = "deleted"
    assert subscription_panel(request_of(), desk.subscription).context["over"]


def test_an_order_shows_each_line_with_its_way_to_the_contract(desk: Desk, order, cast, client):
    html = page(client, cast.operations, order)
    assert "Not mapped" in html
    assert reverse("syncops:sync_to_connection", args=[desk.subscription.pk]) in html
    desk.map()
    html = page(client, cast.operations, order)
    assert "Syncing" in html
    assert "Not mapped" not in html


def test_an_order_of_another_organization_shows_nothing(order, cast, request_of):
    assert order_panel(request_of(cast.reseller_admin), order) is None


def test_a_line_whose_order_failed_is_not_offered(desk: Desk, order, request_of):
    Subscription.objects.update(status="deleted")
    assert order_panel(request_of(), order) is None


def test_the_panel_of_a_long_order_takes_as_many_queries_as_that_of_a_short_one(
    desk: Desk, order, cast, request_of, django_assert_max_num_queries
):
    desk.map()
    with django_assert_max_num_queries(7):
        order_panel(request_of(), order)
    for number in range(9):
        add_line(order, make_subscription(desk.subscription.customer, make_variant(cast.csp, f"Offer {number}")))
    with django_assert_max_num_queries(7):
        assert len(order_panel(request_of(), order).context["rows"]) == 10


def test_the_inbox_counts_what_waits_for_a_person(desk: Desk, cast, request_of):
    operation = desk.map()
    assert waiting_for_a_person(request_of()) == 0
    operation.state = "failed"
    operation.save()
    assert waiting_for_a_person(request_of()) == 1
    assert waiting_for_a_person(request_of(cast.stranger)) == 0
