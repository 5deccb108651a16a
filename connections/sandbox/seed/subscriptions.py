"""The purchases as Partner Center holds them today: subscriptions, their orders, the Azure entitlements."""

from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any

from ..partner_center import documents, terms
from .catalogue import BY_KEY, Offer
from .identity import guid, order_id, working_hour
from .names import RESELLERS, SYMBOLS, Customer
from .prices import PROMOTION_IDS
from .products import PRODUCT_TYPES
from .purchases import Bought

_PARTNER_IDS = {reseller.key: reseller.mpn for reseller in RESELLERS}
_OVER = ("expired", "disabled")


@dataclass(frozen=True, slots=True)
class Holding:
    """One subscription with the order that bought it and, for an Azure plan, its Azure subscriptions."""

    subscription: dict[str, Any]
    order: dict[str, Any]
    entitlements: tuple[dict[str, Any], ...]


def holding(customer: Customer, number: int, bought: Bought, today: date) -> Holding:
    """The `number`-th purchase of a customer as it stands on `today`."""
    offer = BY_KEY[bought.offer]
    purchase = _purchase(customer, number, bought, offer, today)
    if offer.kind == "legacy":
        subscription = documents.legacy_subscription(purchase, status=bought.status, country=customer.country)
    else:
        subscription = documents.subscription(purchase, status=bought.status, country=customer.country, today=today)
        _add_state(subscription, purchase, bought, today)
    order = documents.order(
        purchase.order_id,
        customer.tenant_id,
        [documents.order_line(0, _first_purchase(purchase, bought), country=customer.country)],
        cycle=bought.cycle,
        currency=(customer.currency, SYMBOLS[customer.currency]),
        created=purchase.created,
        status="pending" if bought.status == "pending" else "completed",
    )
    entitlements = tuple(_entitlements(purchase)) if offer.kind == "azure_plan" else ()
    return Holding(subscription, order, entitlements)


def item(offer: Offer) -> documents.Item:
    """The catalogue item of an offer."""
    return documents.Item(
        product_id=offer.product_id,
        sku_id=offer.sku_id,
        availability_id=offer.availability_id,
        title=offer.title,
        product_type=PRODUCT_TYPES.get(offer.kind, {"id": ""}),
        segment=offer.segment,
        is_trial=offer.kind == "trial",
        minimum=1,
        maximum=offer.maximum,
        plans=offer.terms,
    )


def _purchase(customer: Customer, number: int, bought: Bought, offer: Offer, today: date) -> documents.Purchase:
    name = f"{customer.key}/{number}"
    created, started = _moments(bought, name, today)
    return documents.Purchase(
        id=guid(f"subscription/{name}"),
        customer_id=customer.tenant_id,
        order_id=guid(f"order/{name}").upper() if offer.kind == "legacy" else order_id(name),
        item=item(offer),
        quantity=bought.quantity,
        term=bought.term,
        cycle=bought.cycle,
        created=created,
        started=started,
        friendly_name=bought.nickname,
        partner_id=_PARTNER_IDS.get(customer.reseller, ""),
        promotion_id=PROMOTION_IDS.get(bought.promotion, ""),
    )


def _moments(bought: Bought, name: str, today: date) -> tuple[datetime, datetime]:
    """When it was bought, and when its current (or last) term began."""
    if bought.status == "pending":
        created = terms.at_midnight(today) + timedelta(seconds=20)
        return created, created
    first = today - timedelta(days=bought.age)
    if bought.status in _OVER:
        after = today - timedelta(days=bought.ended - 1)
        months = terms.MONTHS[bought.term]
        lived = max(1, round((bought.age - bought.ended) / (30.4 * months)))
        first, current = terms.add_months(after, -lived * months), terms.add_months(after, -months)
    else:
        current = terms.term_start(first, bought.term, today - timedelta(days=bought.ended)) if bought.term else first
    created = working_hour(first, name)
    if current == first:
        return created, created - timedelta(microseconds=598_318)
    return created, terms.at_midnight(current) + timedelta(minutes=7, microseconds=created.microsecond)


def _first_purchase(purchase: documents.Purchase, bought: Bought) -> documents.Purchase:
    return replace(purchase, quantity=bought.quantity - bought.seats_added[1])


def _add_state(subscription: dict[str, Any], purchase: documents.Purchase, bought: Bought, today: date) -> None:
    if bought.status in ("active", "pending") and not bought.renews:
        subscription["autoRenewEnabled"] = False
    if bought.status == "suspended":
        subscription["refundableQuantity"] = None
    elif bought.status in ("active", "pending") and purchase.item.kind == documents.LICENCE:
        refundable = documents.refundable(_batches(purchase, bought, today), terms.at_midnight(today))
        if refundable:
            subscription["refundableQuantity"] = refundable
    if bought.renew_quantity:
        subscription["scheduledNextTermInstructions"] = _renewal(purchase, bought.renew_quantity)


def _batches(purchase: documents.Purchase, bought: Bought, today: date) -> list[tuple[int, datetime]]:
    days_ago, added = bought.seats_added
    batches = [(bought.quantity - added, purchase.started + terms.WINDOW)]
    if added:
        batches.append((added, working_hour(today - timedelta(days=days_ago), purchase.id) + terms.WINDOW))
    return batches


def _renewal(purchase: documents.Purchase, quantity: int) -> dict[str, Any]:
    return {
        "product": {
            "productId": purchase.item.product_id,
            "skuId": purchase.item.sku_id,
            "availabilityId": purchase.item.availability_id,
            "billingCycle": purchase.cycle,
            "termDuration": purchase.term,
            "promotionId": None,
        },
        "quantity": quantity,
        "customTermEndDate": None,
    }


def _entitlements(purchase: documents.Purchase) -> list[dict[str, Any]]:
    return [
        {
            "id": guid(f"entitlement/{purchase.id}/{name}"),
            "friendlyName": name,
            "status": "active",
            "subscriptionId": purchase.id,
        }
        for name in ("Production", "Development")
    ]
