"""Carts and orders ready made, and a clock that a test turns."""

from datetime import UTC, datetime, timedelta

from portal.actions.carts import add_to_cart, quote
from portal.actions.orders import advance_order, submit_order
from portal.models import Customer, OfferVariant, Order, User
from tests.cast import TODAY, make_customer, make_variant

NOW = datetime(2026, 5, 10, 12, 0, tzinfo=UTC)


def make_cart(user: User, *variants: OfferVariant, customer: Customer | None = None, quantity: int = 10) -> Order:
    customer = customer or make_customer(user.organization)
    lines = [
        add_to_cart(customer, variant, quantity=quantity, user=user, today=TODAY)
        for variant in variants or [make_variant(customer.organization.parent or customer.organization)]
    ]
    return lines[0].order


def make_order(user: User, *variants: OfferVariant, **more) -> Order:
    """A submitted order; its wake-up is in the queue."""
    cart = make_cart(user, *variants, **more)
    submit_order(cart, seen=quote(cart, TODAY).fingerprint, actor=user, now=NOW)
    cart.refresh_from_db()
    return cart


def advance(order: Order, steps: int = 40, *, start: datetime = NOW) -> datetime:
    """Take the order on, at most so many steps, turning the clock to when each is due; the last moment."""
    now = start
    for _ in range(steps):
        order.refresh_from_db()
        if order.due_at is None:
            break
        now = max(now, order.due_at, order.lease_until or now)
        advance_order(order.pk, now)
    order.refresh_from_db()
    return now


def later(**more: float) -> datetime:
    return NOW + timedelta(**more)
