"""The resources that Partner Center answers with, in its own shapes.

Ids and dates are text, quantities int. Links are relative and without `/v1`. What a document leaves out differs between
kinds of subscription exactly as in the service: legacy ones have no `productType` and carry an etag, new commerce ones
have none.
"""

import base64
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from . import terms

Document = dict[str, Any]

LICENCE = "OnlineServicesNCE"
AZURE = "Azure"
RESERVATION = "AzureReservations"
SOFTWARE = "Software"
NEVER = "9999-12-14T00:00:00Z"


@dataclass(frozen=True, slots=True)
class Item:
    """One thing that can be bought: a SKU under one availability, with the plans it is sold on."""

    product_id: str
    sku_id: str
    availability_id: str
    title: str
    product_type: Document
    segment: str
    is_trial: bool
    minimum: int
    maximum: int
    plans: tuple[tuple[str, str], ...]

    @property
    def catalog_item_id(self) -> str:
        return f"{self.product_id}:{self.sku_id}:{self.availability_id}"

    @property
    def kind(self) -> str:
        """OnlineServicesNCE, Azure, AzureReservations or Software."""
        return str(self.product_type["id"])


@dataclass(frozen=True, slots=True)
class Purchase:
    """What was agreed on one order line: the item, the plan, how many, and since when.

    `created` is the first purchase, `started` the moment the current term began.
    """

    id: str
    customer_id: str
    order_id: str
    item: Item
    quantity: int
    term: str
    cycle: str
    created: datetime
    started: datetime
    friendly_name: str = ""
    partner_id: str = ""
    promotion_id: str = ""
    custom_end: date | None = None


def link(uri: str, method: str = "GET", headers: Sequence[tuple[str, str]] = ()) -> Document:
    return {"uri": uri, "method": method, "headers": [{"key": key, "value": value} for key, value in headers]}


def collection(items: Iterable[Document], **more: Any) -> Document:
    listed = list(items)
    return {"totalCount": len(listed), "items": listed, **more, "attributes": {"objectType": "Collection"}}


def item_links(product_id: str, sku_id: str, availability_id: str, country: str) -> Document:
    product = f"/products/{product_id}"
    sku = f"{product}/skus/{sku_id}"
    return {
        "product": link(f"{product}?country={country}"),
        "sku": link(f"{sku}?country={country}"),
        "availability": link(f"{sku}/availabilities/{availability_id}?country={country}"),
    }


def subscription(purchase: Purchase, *, status: str, country: str, today: date) -> Document:
    """A new commerce subscription in the given state."""
    item = purchase.item
    is_azure = item.kind == AZURE
    document: Document = {
        "id": purchase.id,
        "offerId": item.catalog_item_id,
        "offerName": item.title,
        "friendlyName": purchase.friendly_name or item.title,
        "productType": dict(item.product_type),
        "quantity": purchase.quantity,
        "unitType": "Usage-based" if is_azure else "Licenses",
        "hasPurchasableAddons": False,
        "creationDate": terms.iso(purchase.created),
        "effectiveStartDate": terms.iso(purchase.started),
        **_dates(purchase, today),
        "status": status,
        "autoRenewEnabled": item.kind == LICENCE and status in ("active", "pending"),
        "isTrial": item.is_trial,
        "billingType": "usage" if is_azure else "license",
        "billingCycle": purchase.cycle,
        "termDuration": purchase.term,
        "renewalTermDuration": "",
        "isMicrosoftProduct": True,
        "partnerId": purchase.partner_id,
        "attentionNeeded": False,
        "actionTaken": False,
        "contractType": "subscription",
        "links": {
            **item_links(item.product_id, item.sku_id, item.availability_id, country),
            "self": link(f"/customers/{purchase.customer_id}/subscriptions/{purchase.id}"),
        },
        "publisherName": "Microsoft Corporation",
        "orderId": purchase.order_id,
        "attributes": {"objectType": "Subscription"},
    }
    if purchase.promotion_id:
        document["promotionId"] = purchase.promotion_id
    if status == "suspended":
        document["suspensionReasons"] = ["Partner"]
    return document


def _dates(purchase: Purchase, today: date) -> Document:
    """An Azure plan has no end."""
    if purchase.item.kind == AZURE:
        return {"commitmentEndDate": NEVER}
    return term_dates(purchase.started, purchase.term, purchase.cycle, today=today, custom_end=purchase.custom_end)


def term_dates(started: datetime, term: str, cycle: str, *, today: date, custom_end: date | None = None) -> Document:
    """What follows from the start of a term: its end, the end of the billing cycle, cancellation and refunds.

    `commitmentEndDate` names the last day itself. Perpetual software (no term) has no end.
    """
    start, dates = started.date(), Document()
    if term:
        end = custom_end or terms.term_end(start, term)
        dates["commitmentEndDate"] = terms.midnight(end)
        dates["commitmentEndDateTime"] = terms.last_second(end)
        if cycle in terms.CYCLE_MONTHS:
            billed = min(end, terms.cycle_end(start, cycle, min(max(today, start), end)))
            dates["billingCycleEndDate"] = terms.midnight(billed)
            dates["billingCycleEndDateTime"] = terms.last_second(billed)
    allowed = terms.iso(started + terms.WINDOW)
    dates["cancellationAllowedUntilDate"] = allowed
    dates["refundOptions"] = [{"type": "Partial", "expiresAt": allowed}]
    return dates


def legacy_subscription(purchase: Purchase, *, status: str, country: str) -> Document:
    """A licence subscription from before the new commerce: an offer id without parts, no `productType`, an etag."""
    item = purchase.item
    end = terms.term_end(purchase.started.date(), purchase.term)
    return {
        "id": purchase.id.upper(),
        "offerId": item.product_id,
        "offerName": item.title,
        "friendlyName": purchase.friendly_name or item.title,
        "quantity": purchase.quantity,
        "unitType": "Licenses",
        "creationDate": terms.iso(purchase.created),
        "effectiveStartDate": terms.midnight(purchase.started.date()),
        "commitmentEndDate": terms.midnight(end),
        "status": status,
        "autoRenewEnabled": status == "active",
        "isTrial": False,
        "billingType": "license",
        "billingCycle": purchase.cycle,
        "partnerId": purchase.partner_id,
        "contractType": "subscription",
        "links": {
            "offer": link(f"/offers/{item.product_id}?country={country}"),
            "self": link(f"/customers/{purchase.customer_id}/subscriptions/{purchase.id.upper()}"),
        },
        "orderId": purchase.order_id,
        "attributes": {"etag": etag(purchase.id, 1), "objectType": "Subscription"},
    }


def etag(subscription_id: str, version: int) -> str:
    """Base64 of the id and a version, as legacy resources carry it."""
    text = json.dumps({"id": subscription_id.lower(), "version": version}, separators=(",", ":"))
    return base64.b64encode(text.encode()).decode()


def refundable(batches: Sequence[tuple[int, datetime]], now: datetime) -> Document | None:
    """The seats that may still be given back: (quantity, allowed until) pairs. None where nothing is left."""
    open_batches = [(quantity, until) for quantity, until in batches if until > now and quantity > 0]
    if not open_batches:
        return None
    return {
        "totalQuantity": sum(quantity for quantity, _ in open_batches),
        "details": [
            {"quantity": quantity, "allowedUntilDateTime": terms.iso(until)} for quantity, until in open_batches
        ],
    }


def order_line(number: int, purchase: Purchase, *, country: str, transaction: str = "New") -> Document:
    item = purchase.item
    line: Document = {
        "lineItemNumber": number,
        "offerId": item.catalog_item_id,
        "subscriptionId": purchase.id,
        "termDuration": purchase.term,
        "transactionType": transaction,
        "friendlyName": purchase.friendly_name or item.title,
        "quantity": purchase.quantity,
        "links": item_links(item.product_id, item.sku_id, item.availability_id, country),
    }
    if not purchase.term:
        del line["termDuration"]
    if purchase.partner_id:
        line["partnerIdOnRecord"] = purchase.partner_id
    if purchase.promotion_id:
        line["promotionId"] = purchase.promotion_id
    return line


def order(
    order_id: str,
    customer_id: str,
    lines: Sequence[Document],
    *,
    cycle: str,
    currency: tuple[str, str],
    created: datetime,
    status: str,
    transaction: str = "UserPurchase",
) -> Document:
    """`currency` is the code with its symbol."""
    own = f"/customers/{customer_id}/orders/{order_id}"
    return {
        "id": order_id,
        "alternateId": order_id,
        "referenceCustomerId": customer_id,
        "billingCycle": cycle,
        "currencyCode": currency[0],
        "currencySymbol": currency[1],
        "lineItems": list(lines),
        "creationDate": terms.iso(created),
        "status": status,
        "transactionType": transaction,
        "links": {
            "self": link(own),
            "provisioningStatus": link(f"{own}/provisioningstatus"),
            "patchOperation": link(own, "PATCH"),
        },
        "client": {},
        "attributes": {"objectType": "Order"},
    }
