"""Carts: making one, and checking it out."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from uuid import UUID

from connections.provider.partner_center.advice import MEANINGS, Meaning, rejected
from connections.provider.partner_center.client import PartnerCenter, code_of, items_of
from connections.provider.partner_center.shapes import Cart, CheckoutResult, Order, OrderError, shaped
from connections.provider.partner_center.translate import Bought, cart_body, lines_of, matched
from portal.far_side import FarSideError, OutcomeUnknown, Rejected
from portal.provider import Checkout, LineRequest, OrderRequest, PlacedOrder, RefusedLine

ALREADY_SUBMITTED = "400 800065"
CLOCKS = timedelta(minutes=1)
"""How far the moments on a cart and on its orders may be apart the wrong way round."""


def create_cart(client: PartnerCenter, request: OrderRequest, request_id: UUID) -> str:
    """The new cart's id. Faults of a line are told in an answer with status 201; they are Rejected here."""
    path = ("customers", request.customer_external_id, "carts")
    body = cart_body(request)
    reply = client.write("POST", *path, body=body, request_id=request_id, correlation_id=request.correlation_id)
    cart = shaped(Cart, reply.body, written=True)
    faults = [
        f"{line.catalog_item_id} ({line.error.error_code}): {line.error.error_description}"
        for line in cart.line_items
        if line.error and (line.error.error_code or line.error.error_description)
    ]
    if faults:
        raise Rejected(
            "Microsoft refused a line of the cart.",
            "Refresh the catalogue, correct the line and submit the order again.",
            "; ".join(faults),
            {"correlation_id": str(request.correlation_id)},
        )
    return cart.id


def checkout(client: PartnerCenter, request: OrderRequest, cart_id: str, request_id: UUID) -> Checkout:
    """Buy what the cart holds.

    Status 201 does not say that everything was bought: order groups that failed stand in `orderErrors`. A cart that was
    submitted before, under a request id that Microsoft no longer remembers, is joined with the orders it became.
    """
    path = ("customers", request.customer_external_id, "carts", cart_id, "checkout")
    try:
        reply = client.write("POST", *path, body={}, request_id=request_id, correlation_id=request.correlation_id)
    except Rejected as error:
        if code_of(error) == ALREADY_SUBMITTED:
            return _orders_of_cart(client, request, cart_id, error)
        raise
    result = shaped(CheckoutResult, reply.body, written=True)
    if not result.orders and not result.order_errors:
        raise OutcomeUnknown("Partner Center's answer names neither an order nor an error.", raw=str(reply.body)[:400])
    placed = matched(request.lines, lines_of(result.orders))
    refused = _refused_lines(client, request, cart_id, result.order_errors, placed) if result.order_errors else ()
    if not result.orders:
        first = refused[0]  # without an order every line is refused
        raise Rejected(first.message, first.advice, first.raw, {"correlation_id": str(request.correlation_id)})
    return Checkout(_placed(result.orders, placed), refused)


def _refused_lines(
    client: PartnerCenter,
    request: OrderRequest,
    cart_id: str,
    errors: Sequence[OrderError],
    placed: Mapping[int, Bought],
) -> tuple[RefusedLine, ...]:
    """The lines behind `orderErrors`, which name order groups: the cart tells which line is in which group."""
    groups = _groups(client, request, cart_id)
    by_group = {error.order_group_id: error for error in errors}
    failed = {number: by_group[group] for number, group in groups.items() if group in by_group}
    if not failed:
        failed = {line.number: errors[0] for line in request.lines if line.number not in placed}
    return tuple(_refused(line, failed[line.number]) for line in request.lines if line.number in failed)


def _groups(client: PartnerCenter, request: OrderRequest, cart_id: str) -> dict[int, str]:
    """The order group of each of our lines; empty where the cart cannot be read any more."""
    try:
        cart = _cart(client, request, cart_id)
    except FarSideError:
        return {}
    lines = sorted(cart.line_items, key=lambda line: line.id)
    if len(lines) != len(request.lines):
        return {}
    return {line.number: found.order_group for line, found in zip(request.lines, lines, strict=True)}


def _orders_of_cart(client: PartnerCenter, request: OrderRequest, cart_id: str, error: Rejected) -> Checkout:
    """The orders that a submitted cart became: those made since which hold our lines, each of them once."""
    since = _cart(client, request, cart_id).creation_timestamp
    body = client.get("customers", request.customer_external_id, "orders", correlation_id=request.correlation_id)
    orders = [
        order
        for order in (shaped(Order, item) for item in items_of(body))
        if since and order.creation_date and order.creation_date >= since - CLOCKS and _is_ours(request, order)
    ]
    found = matched(request.lines, lines_of(orders))
    if len(found) != len(request.lines) or len(found) != len(lines_of(orders)):
        raise OutcomeUnknown(
            "This cart was submitted before, and its orders cannot be told apart yet.",
            "Look in Partner Center, Customer, Order history, before you order again.",
            error.raw,
            error.context,
        ) from error
    return Checkout(_placed(orders, found))


def _is_ours(request: OrderRequest, order: Order) -> bool:
    """Whether every line of the order is one of ours, with our quantity."""
    found = matched(request.lines, lines_of([order]))
    quantities = {line.number: line.quantity for line in request.lines}
    same = all(quantities[number] == bought.line.quantity for number, bought in found.items())
    return same and len(found) == len(order.line_items)


def _cart(client: PartnerCenter, request: OrderRequest, cart_id: str) -> Cart:
    path = ("customers", request.customer_external_id, "carts", cart_id)
    return shaped(Cart, client.get(*path, correlation_id=request.correlation_id))


def _placed(orders: Sequence[Order], found: Mapping[int, Bought]) -> tuple[PlacedOrder, ...]:
    return tuple(
        PlacedOrder(order.id, tuple(sorted(number for number, bought in found.items() if bought.order is order)))
        for order in orders
    )


def _refused(line: LineRequest, error: OrderError) -> RefusedLine:
    known = _meaning(error.code)
    return RefusedLine(line.number, known.message, known.advice, f"code {error.code}: {error.description}")


def _meaning(code: str) -> Meaning:
    """What a code in `orderErrors` means; it comes there without a status."""
    for status in (403, 400, 404, 409):
        if (status, code) in MEANINGS:
            return MEANINGS[status, code]
    return rejected("Microsoft refused this line of the order.", "Look at what Microsoft said, and order it again.")
