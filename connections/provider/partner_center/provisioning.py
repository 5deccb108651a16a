"""How far the lines of an order are."""

from collections.abc import Mapping, Sequence

from connections.provider.partner_center.client import PartnerCenter, code_of, items_of
from connections.provider.partner_center.shapes import (
    LineProvisioning,
    Order,
    Subscription,
    SubscriptionProvisioning,
    same_id,
    shaped,
)
from connections.provider.partner_center.translate import Bought, facts, lines_of, matched, unit_price
from portal.far_side import Unavailable
from portal.provider import OrderRequest, ProvisionedLine

NOT_YET = frozenset({"404 20000", "404 800007"})
ENDED_ORDERS = frozenset({"cancelled", "error", "po review rejected"})
IN_USE = frozenset({"active", "suspended"})


def order_state(client: PartnerCenter, request: OrderRequest, order_ids: Sequence[str]) -> tuple[ProvisionedLine, ...]:
    """How far each line is. What cannot be read yet, and a line that no order holds for certain, is pending."""
    reader = _Reader(client, request)
    orders = [order for order_id in order_ids if (order := reader.order(order_id)) is not None]
    found = matched(request.lines, lines_of(orders))
    states: dict[int, ProvisionedLine] = {}
    for order in orders:
        mine = {number: bought for number, bought in found.items() if bought.order is order}
        if mine:
            states |= _states(reader, order, mine)
    return tuple(states.get(line.number) or ProvisionedLine(line.number, "pending") for line in request.lines)


class _Reader:
    """What Microsoft says about one customer's orders."""

    def __init__(self, client: PartnerCenter, request: OrderRequest) -> None:
        self._client, self._correlation_id = client, request.correlation_id
        self._customer = ("customers", request.customer_external_id)

    def order(self, order_id: str) -> Order | None:
        """The order with its prices; None where Microsoft does not show it yet (404 20000 for up to 15 minutes)."""
        body = self._get_or_none("orders", order_id, params={"include_price": "true"})
        return None if body is None else shaped(Order, body)

    def fulfilled(self, order: Order) -> frozenset[int] | None:
        """The numbers of the order's fulfilled lines; None where a completed order has nothing to tell about them."""
        body = self._get_or_none("orders", order.id, "provisioningstatus")
        if body is None:
            return None if order.status == "completed" else frozenset()
        lines = [shaped(LineProvisioning, item) for item in items_of(body)]
        return frozenset(line.line_item_number for line in lines if line.status == "fulfilled")

    def subscriptions(self, order: Order) -> list[Subscription]:
        body = self._get_or_none("subscriptions", params={"order_id": order.id})
        return [shaped(Subscription, item) for item in items_of(body)]

    def has_failed(self, subscription: Subscription) -> bool:
        """Whether provisioning it failed; Microsoft refreshes this every 15 minutes, and has nothing to tell before."""
        body = self._get_or_none("subscriptions", subscription.id, "provisioningstatus")
        return body is not None and shaped(SubscriptionProvisioning, body).status == "failed"

    def _get_or_none(self, *path: str, params: Mapping[str, str] | None = None) -> object:
        try:
            return self._client.get(*self._customer, *path, params=params, correlation_id=self._correlation_id)
        except Unavailable as error:
            if code_of(error) in NOT_YET:
                return None
            raise


def _states(reader: _Reader, order: Order, mine: Mapping[int, Bought]) -> dict[int, ProvisionedLine]:
    if order.status in ENDED_ORDERS:
        return {number: _ended(number, order) for number in mine}
    fulfilled = reader.fulfilled(order)
    ready = {n: bought for n, bought in mine.items() if fulfilled is None or bought.line.line_item_number in fulfilled}
    pending = {number: ProvisionedLine(number, "pending", order_external_id=order.id) for number in mine}
    if not ready:
        return pending
    held = reader.subscriptions(order)
    return pending | {number: _state(reader, number, bought, held) for number, bought in ready.items()}


def _state(reader: _Reader, number: int, bought: Bought, held: Sequence[Subscription]) -> ProvisionedLine:
    """A fulfilled line is done once its subscription is there and in use."""
    order_id, subscription = bought.order.id, _of_line(bought, held)
    if subscription is None:
        return ProvisionedLine(number, "pending", order_external_id=order_id)
    shown = facts(subscription, unit_price=unit_price(bought.line))
    if subscription.status in IN_USE:
        return ProvisionedLine(number, "completed", shown, order_id)
    if shown.status == "pending" and not reader.has_failed(subscription):
        return ProvisionedLine(number, "pending", order_external_id=order_id)
    return ProvisionedLine(
        number,
        "failed",
        order_external_id=order_id,
        message="Microsoft took the order, but the subscription did not come into use.",
        advice="Look at the subscription in Partner Center, and order it again where it is gone.",
        raw=f"subscription {subscription.id} is {subscription.status}",
    )


def _of_line(bought: Bought, held: Sequence[Subscription]) -> Subscription | None:
    """The subscription of an order line: by the id on the line, which may be missing, else by what was bought."""
    if bought.line.subscription_id:
        return next((one for one in held if same_id(one.id, bought.line.subscription_id)), None)
    fitting = [one for one in held if same_id(one.offer_id, bought.line.offer_id)]
    return fitting[0] if len(fitting) == 1 else None


def _ended(number: int, order: Order) -> ProvisionedLine:
    return ProvisionedLine(
        number,
        "failed",
        order_external_id=order.id,
        message=f"Microsoft ended the order: {order.status}.",
        advice="Look at the order in Partner Center: Customer, Order history.",
        raw=f"order {order.id} is {order.status}",
    )
