"""Submitting a cart: once, at the prices that were seen, with everything written in one go."""

from decimal import Decimal

import pytest
from django.core.exceptions import ValidationError
from django_q.models import OrmQ

from portal.actions import orders
from portal.actions.carts import add_to_cart, quote, set_line_quantity
from portal.actions.orders import submit_order
from portal.models import AuditEntry, MarginRule, Order, Subscription
from tests.cast import TODAY, make_customer, make_variant
from tests.portal.purchases import NOW, make_cart, make_order


def submit(cart: Order, user, **more):
    return submit_order(cart, **({"seen": quote(cart, TODAY).fingerprint, "actor": user, "now": NOW} | more))


def test_a_submitted_cart_is_an_order_with_a_pending_subscription_an_audit_entry_and_a_wake_up(cast):
    cart = make_cart(cast.operations)
    assert submit(cart, cast.operations)
    order = Order.objects.get()
    subscription = Subscription.objects.get()
    entry = AuditEntry.objects.get()
    assert (order.state, order.due_at) == ("submitted", NOW)
    assert (subscription.status, subscription.external_id, subscription.created_on) == ("pending", "", TODAY)
    assert (subscription.quantity, subscription.list_price, subscription.erp) == (10, Decimal("4.00"), Decimal("5.00"))
    assert subscription.order_line.order == order
    assert (entry.name, entry.status, entry.correlation_id) == ("Create Order", "in_progress", order.correlation_id)
    assert [message.task["args"] for message in OrmQ.objects.all()] == [(order.pk,)]


def test_the_second_of_two_clicks_changes_nothing(cast):
    cart = make_cart(cast.operations)
    assert submit(cart, cast.operations)
    assert not submit(cart, cast.operations)
    assert (Subscription.objects.count(), AuditEntry.objects.count(), OrmQ.objects.count()) == (1, 1, 1)


def test_a_cart_that_changed_after_it_was_looked_at_is_not_bought(cast):
    cart = make_cart(cast.operations)
    seen = quote(cart, TODAY).fingerprint
    set_line_quantity(cart.lines.get(), 11)
    with pytest.raises(ValidationError, match="changed meanwhile"):
        submit(cart, cast.operations, seen=seen)
    assert Order.objects.get().state == "cart"


def test_a_price_that_changed_after_it_was_looked_at_is_not_charged(cast):
    cart = make_cart(cast.operations)
    seen = quote(cart, TODAY).fingerprint
    MarginRule.objects.create(organization=cast.csp, kind="markup", percent=Decimal(10))
    with pytest.raises(ValidationError, match="changed meanwhile"):
        submit(cart, cast.operations, seen=seen)
    assert not Subscription.objects.exists()


def test_nothing_is_written_where_any_part_of_it_fails(cast, monkeypatch):
    cart = make_cart(cast.operations)
    monkeypatch.setattr(orders, "enqueue", lambda *args: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        submit(cart, cast.operations)
    assert Order.objects.get().state == "cart"
    assert not Subscription.objects.exists()
    assert not AuditEntry.objects.exists()


def test_an_empty_cart_and_one_with_something_unsold_are_refused(cast):
    variant = make_variant(cast.csp)
    cart = make_cart(cast.operations, variant)
    variant.is_purchasable = False
    variant.save()
    with pytest.raises(ValidationError, match="cannot be bought"):
        submit(cart, cast.operations)
    cart.lines.all().delete()
    with pytest.raises(ValidationError, match="cannot be bought"):
        submit(cart, cast.operations)


def test_a_reseller_buys_at_its_own_cost(cast):
    MarginRule.objects.create(organization=cast.csp, audience="resellers", kind="markup", percent=Decimal(10))
    MarginRule.objects.create(organization=cast.reseller, kind="markup", percent=Decimal(10))
    order = make_order(cast.reseller_admin)
    line = order.lines.get()
    assert (line.list_price, line.unit_cost, line.unit_price) == (Decimal("4.00"), Decimal("4.40"), Decimal("4.84"))
    assert line.subscription.organization == cast.reseller


def test_a_new_cart_can_be_begun_once_the_last_one_is_an_order(cast):
    customer, variant = make_customer(cast.csp), make_variant(cast.csp)
    first = make_order(cast.operations, variant, customer=customer)
    line = add_to_cart(customer, variant, quantity=1, user=cast.operations, today=TODAY)
    assert line.order != first
