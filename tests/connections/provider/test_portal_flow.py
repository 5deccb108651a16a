"""The portal's own actions, down to Partner Center's ledger."""

import pytest

from portal.actions.orders import advance_order
from portal.actions.subscription_requests import run_request
from portal.actions.subscriptions import request_quantity
from portal.models import AuditEntry, Order, OrderLine, Subscription
from tests.cast import make_customer, make_variant
from tests.connections.sandbox.partner_center_api import NOORDZEE
from tests.portal.purchases import NOW, later, make_order


@pytest.fixture(autouse=True)
def nobody_listens(settings):
    settings.PORTAL_CHANGE_LISTENERS = []


@pytest.fixture
def order(cast):
    customer = make_customer(cast.csp, "Noordzee Logistics", external_id=NOORDZEE)
    basic = make_variant(cast.csp, product_id="CFQ7TTC0LH18", availability_id="CFQ7TTC0876Z")
    phone = make_variant(
        cast.csp, "Teams Phone", product_id="CFQ7TTC0LH0S", availability_id="CFQ7TTC04BVS", billing="annual"
    )
    return make_order(cast.admin, basic, phone, customer=customer)


def take_on(order, far_side, steps=8):
    for _ in range(steps):
        order.refresh_from_db()
        if order.state in Order.FINAL:
            return
        advance_order(order.pk, order.due_at)
        far_side.advance(seconds=1)
    order.refresh_from_db()


def test_an_order_becomes_subscriptions_and_a_change_of_seats_reaches_microsoft(order, connection, far_side):
    take_on(order, far_side)
    assert (order.state, order.error) == ("completed", "")
    assert AuditEntry.objects.filter(name="Create Order", status="succeeded").exists()
    first, second = Subscription.objects.order_by("pk")
    assert (first.status, second.status) == ("active", "active")
    request = request_quantity(first, quantity=14, actor=order.created_by, now=later(minutes=1))
    assert run_request(request.pk, later(minutes=1))
    first.refresh_from_db()
    shown = far_side.control(f"subscriptions/{first.external_id}")["shown"]
    assert (first.quantity, shown["quantity"]) == (14, 14)


def test_a_refused_line_fails_alone(order, connection, far_side):
    far_side.control("modes", {"checkout_failures": {"CFQ7TTC0LH0S": 2085}})
    take_on(order, far_side)
    assert order.state == "partly_failed"
    assert [bool(line.error) for line in OrderLine.objects.order_by("pk")] == [False, True]


def test_a_lost_answer_after_the_checkout_still_gives_one_order(order, connection, far_side):
    far_side.control("faults", {"fault": "drop_after", "method": "POST", "path": "/checkout$"})
    take_on(order, far_side, steps=12)
    placed = [each for each in far_side.control(f"orders?customer={NOORDZEE}")["orders"] if "visible" in each]
    assert (order.state, len(placed)) == ("completed", 2)


def test_an_order_without_a_connection_fails_with_the_way_out(order):
    advance_order(order.pk, NOW)
    order.refresh_from_db()
    assert order.state == "failed"
    assert "Connect Partner Center first" in order.advice
