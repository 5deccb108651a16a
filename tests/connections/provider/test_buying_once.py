import uuid

import pytest

from portal.far_side import OutcomeUnknown, Unavailable
from tests.connections.provider.purchases import bought, line, order, orders_at
from tests.connections.sandbox.partner_center_api import NOORDZEE

CARTS = rf"^/v1/customers/{NOORDZEE}/carts"


def test_a_checkout_whose_answer_was_lost_gives_one_order_when_repeated(provider, far_side, request_id):
    request = order(line(0, "m365-basic", 3))
    cart = provider.create_cart(request, request_id=uuid.uuid4())
    far_side.control("faults", {"fault": "drop_after", "method": "POST", "path": f"{CARTS}/[^/]+/checkout"})
    before = len(orders_at(far_side))
    with pytest.raises(OutcomeUnknown):
        provider.checkout(request, cart, request_id=request_id)
    first = provider.checkout(request, cart, request_id=request_id)
    assert provider.checkout(request, cart, request_id=request_id) == first
    assert [placed.external_id for placed in first.orders] == [each["id"] for each in orders_at(far_side)[before:]]


def test_a_cart_whose_answer_was_lost_is_made_once(provider, far_side, request_id):
    request = order(line(0, "m365-basic"))
    far_side.control("faults", {"fault": "drop_after", "method": "POST", "path": f"{CARTS}$"})
    with pytest.raises(OutcomeUnknown):
        provider.create_cart(request, request_id=request_id)
    cart = provider.create_cart(request, request_id=request_id)
    assert provider.create_cart(request, request_id=request_id) == cart


def test_a_repeat_after_microsoft_forgot_the_request_id_finds_the_orders_of_the_cart(provider, far_side, request_id):
    request = order(line(0, "m365-basic", 3), line(1, "visio-2", 2, billing="annual"))
    cart = provider.create_cart(request, request_id=uuid.uuid4())
    first = provider.checkout(request, cart, request_id=request_id)
    far_side.control("modes", {"idempotency_minutes": 0})
    with pytest.raises(OutcomeUnknown, match="cannot be told apart yet"):
        provider.checkout(request, cart, request_id=uuid.uuid4())
    far_side.advance(seconds=5)
    again = provider.checkout(request, cart, request_id=uuid.uuid4())
    assert {placed.external_id: placed.line_numbers for placed in again.orders} == {
        placed.external_id: placed.line_numbers for placed in first.orders
    }


def test_twin_orders_are_never_guessed_between(provider, far_side):
    request = order(line(0, "m365-basic", 3))
    cart = provider.create_cart(request, request_id=uuid.uuid4())
    provider.checkout(request, cart, request_id=uuid.uuid4())
    bought(provider, request)
    far_side.advance(seconds=5)
    with pytest.raises(OutcomeUnknown):
        provider.checkout(request, cart, request_id=uuid.uuid4())


def test_an_order_of_another_quantity_is_not_taken_for_ours(provider, far_side):
    request = order(line(0, "m365-basic", 3))
    cart = provider.create_cart(request, request_id=uuid.uuid4())
    placed = provider.checkout(request, cart, request_id=uuid.uuid4())
    bought(provider, order(line(0, "m365-basic", 4)))
    far_side.advance(seconds=5)
    assert provider.checkout(request, cart, request_id=uuid.uuid4()) == placed


def test_a_throttled_checkout_buys_nothing_and_says_when_to_come_back(provider, far_side, request_id):
    request = order(line(0, "m365-basic"))
    cart = provider.create_cart(request, request_id=uuid.uuid4())
    far_side.control("faults", {"fault": "too_many_retry_after", "method": "POST", "path": CARTS, "text": "57"})
    with pytest.raises(Unavailable) as busy:
        provider.checkout(request, cart, request_id=request_id)
    assert (busy.value.retry_after, orders_at(far_side)) == (57.0, [])
    assert provider.checkout(request, cart, request_id=request_id).orders
