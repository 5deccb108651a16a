"""Between the portal's words and Partner Center's: carts, order lines, subscriptions."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from connections.provider.partner_center.shapes import Order, OrderLine, Subscription, same_id
from portal.provider import LineRequest, OrderRequest, SubscriptionFacts

STATUSES = {
    "none": "pending",
    "pending": "pending",
    "active": "active",
    "suspended": "suspended",
    "expired": "expired",
    "disabled": "disabled",
    "deleted": "deleted",
}
"""Partner Center's status of a subscription, and the portal's."""

PLANNED = ("scheduledNextTermInstructions", "scheduledActions")


@dataclass(frozen=True, slots=True)
class Bought:
    """One line of an order, with what it belongs to."""

    order: Order
    line: OrderLine


def cart_body(request: OrderRequest) -> dict[str, Any]:
    """What creates the cart.

    An Azure plan and perpetual software are bought for once and without a term; both members would be refused.
    """
    body: dict[str, Any] = {"lineItems": [_cart_line(line, request.partner_id) for line in request.lines]}
    if request.partner_id:
        body["partnerOnRecordAttestationAccepted"] = True
    return body


def _cart_line(line: LineRequest, partner_id: str) -> dict[str, Any]:
    body: dict[str, Any] = {
        "catalogItemId": line.catalog_item_id,
        "quantity": line.quantity,
        "billingCycle": billing_cycle(line.billing),
    }
    optional = {
        "termDuration": line.term,
        "friendlyName": line.friendly_name,
        "promotionId": line.promotion_id,
        "partnerIdOnRecord": partner_id,
    }
    return body | {name: value for name, value in optional.items() if value}


def billing_cycle(billing: str) -> str:
    """Microsoft's word for the portal's billing frequency; what is billed by usage is bought once."""
    return "one_time" if billing == "none" else billing


def matched(wanted: Sequence[LineRequest], bought: Iterable[Bought]) -> dict[int, Bought]:
    """Which bought line is which of ours, by our number; a line without a certain partner is left out.

    Microsoft numbers the lines anew in each order, so they are told apart by what was bought: item, term and billing.
    """
    left, found = list(bought), dict[int, Bought]()
    for line in wanted:
        partner = next((one for one in left if _is_same(line, one)), None)
        if partner is not None:
            found[line.number] = partner
            left.remove(partner)
    return found


def _is_same(line: LineRequest, bought: Bought) -> bool:
    """Older orders leave the term or the billing cycle out; what is there must agree."""
    term, cycle = bought.line.term_duration, bought.order.billing_cycle
    same_plan = (not term or term.upper() == line.term.upper()) and (not cycle or cycle == billing_cycle(line.billing))
    return same_plan and same_id(line.catalog_item_id, bought.line.offer_id)


def lines_of(orders: Iterable[Order]) -> list[Bought]:
    return [Bought(order, line) for order in orders for line in order.line_items]


def facts(subscription: Subscription, *, unit_price: Decimal | None = None) -> SubscriptionFacts:
    """The subscription in the portal's words. A status that Microsoft adds later reads as pending: not billable yet."""
    return SubscriptionFacts(
        external_id=subscription.id,
        status=STATUSES.get(subscription.status, "pending"),
        quantity=subscription.quantity,
        started_at=subscription.effective_start_date or subscription.creation_date,
        ends_on=subscription.commitment_end_date,
        auto_renew=subscription.auto_renew_enabled,
        friendly_name=subscription.friendly_name or subscription.offer_name,
        order_external_id=subscription.order_id,
        unit_price=unit_price,
    )


def unit_price(line: OrderLine) -> Decimal | None:
    """The CSP's own price of one unit for one billing period, where the order tells it."""
    return line.pricing.price if line.pricing else None


def with_quantity(resource: Mapping[str, Any], quantity: int) -> dict[str, Any]:
    """The whole resource with another quantity.

    What a change leaves out is lost: without `autoRenewEnabled` renewal is turned off, without
    `scheduledNextTermInstructions` and `nextChargeInstructions` what was planned there is deleted.
    """
    return {**resource, "quantity": quantity}


def planned_for_renewal(resource: Mapping[str, Any]) -> bool:
    """Whether something is planned for the next term; a change of the quantity deletes it."""
    return any(resource.get(name) for name in PLANNED)


def with_planned(resource: Mapping[str, Any], before: Mapping[str, Any]) -> dict[str, Any]:
    """The whole resource with what was planned for the next term before. Only a renewing one can have such a plan."""
    planned = {name: before[name] for name in PLANNED if before.get(name)}
    return {**resource, **planned, "autoRenewEnabled": before.get("autoRenewEnabled", False)}
