"""Orders for the stand-in's customer, and what its ledger holds of them."""

import uuid

from connections.sandbox.seed.catalogue import BY_KEY as OFFERS
from portal.provider import LineRequest, OrderRequest
from tests.connections.sandbox.partner_center_api import NOORDZEE


def line(number, offer, quantity=1, term="P1Y", billing="monthly", **more):
    return LineRequest(number, OFFERS[offer].catalog_item_id, quantity, term, billing, **more)


def order(*lines, **more):
    return OrderRequest(NOORDZEE, lines, uuid.uuid4(), **more)


def bought(provider, request):
    cart = provider.create_cart(request, request_id=uuid.uuid4())
    return provider.checkout(request, cart, request_id=uuid.uuid4())


def orders_at(far_side):
    stored = far_side.control(f"orders?customer={NOORDZEE}")["orders"]
    return [each["document"] for each in stored if "visible" in each]
