"""Orders: placing one, finding it a little later, and its provisioning."""

import secrets
import uuid
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from ..http import Request, Response
from . import documents, terms
from .audit import Audit
from .catalogue import Catalogue
from .customers import Customers
from .errors import refused
from .ledger import Ledger
from .subscription import Subscription
from .subscriptions import Subscriptions

Document = dict[str, Any]


class Orders:
    """The orders of all customers. An order is stored with the moments from which it is `visible` and `fulfilled`."""

    def __init__(
        self,
        ledger: Ledger,
        customers: Customers,
        catalogue: Catalogue,
        subscriptions: Subscriptions,
        audit: Audit,
    ) -> None:
        self._ledger = ledger
        self._customers = customers
        self._catalogue = catalogue
        self._subscriptions = subscriptions
        self._audit = audit

    def listed(self, request: Request, customer: str) -> Response:
        owner = self._customers.find(customer)
        found = [
            self._shown(each, request) for each in self._ledger.all("order", owner["id"]) if self._is_visible(each)
        ]
        self_link = documents.link(f"/customers/{owner['id']}/orders")
        return Response(body=documents.collection(found, links={"self": self_link}))

    def get(self, request: Request, customer: str, order: str) -> Response:
        """404 20000 for a while after checkout. Prices only with `include_price=true`."""
        return Response(body=self._shown(self._find(customer, order), request))

    def provisioning_status(self, request: Request, customer: str, order: str) -> Response:
        stored = self._find(customer, order)
        status = "fulfilled" if self._is_fulfilled(stored) else "prefulfillmentPending"
        items = [
            {
                "orderLineItemId": line["lineItemNumber"],
                "lineItemNumber": line["lineItemNumber"],
                "status": status,
                "quantityProvisioningInformation": [{"quantity": line["quantity"], "status": status}],
            }
            for line in stored["document"]["lineItems"]
        ]
        return Response(body=documents.collection(items))

    def place(self, owner: Document, lines: Sequence[Mapping[str, Any]], caller: Mapping[str, Any]) -> Document:
        """Order the lines of one group: a pending order, and a pending subscription for each of its lines."""
        now = self._ledger.clock.now()
        country = self._customers.country(owner)
        market = self._catalogue.market(country)
        order_id = secrets.token_hex(6)
        purchases = [self._purchase(owner, order_id, line, now) for line in lines]
        order = documents.order(
            order_id,
            owner["id"],
            [
                documents.order_line(number, purchase, country=country)
                | ({"pricing": line["pricing"]} if "pricing" in line else {})
                for number, (purchase, line) in enumerate(zip(purchases, lines, strict=True))
            ],
            cycle=purchases[0].cycle,
            currency=(market["currency"], market["symbol"]),
            created=now,
            status="pending",
        )
        order["totalPrice"] = sum(line["pricing"]["extendedPrice"] for line in lines if "pricing" in line)
        visible = now + timedelta(seconds=float(self._ledger.modes["order_visible_after"]))
        fulfilled = now + timedelta(seconds=float(self._ledger.modes["provisioning_delay"]))
        stored = {"document": order, "visible": terms.iso(visible), "fulfilled": terms.iso(fulfilled)}
        self._ledger.put("order", order_id, stored, parent=owner["id"])
        for purchase in purchases:
            self._open(purchase, country, visible=visible, activates=fulfilled)
        self._audit.record(
            "create_order",
            "order",
            order,
            customer=owner,
            caller=caller,
            data=[("OrderId", order_id), ("Quantity-0", str(purchases[0].quantity))],
        )
        return order

    def _purchase(self, owner: Document, order_id: str, line: Mapping[str, Any], now: datetime) -> documents.Purchase:
        item = self._catalogue.item(line["catalogItemId"])
        if item is None:
            raise refused(404, 400019)
        custom_end = line.get("customTermEndDate")
        return documents.Purchase(
            id=str(uuid.uuid4()),
            customer_id=owner["id"],
            order_id=order_id,
            item=item,
            quantity=line["quantity"],
            term=line.get("termDuration", ""),
            cycle=line["billingCycle"],
            created=now,
            started=now,
            friendly_name=line.get("friendlyName", ""),
            partner_id=line.get("partnerIdOnRecord", ""),
            promotion_id=line.get("promotionId", ""),
            custom_end=terms.day_of(custom_end) if custom_end else None,
        )

    def _open(self, purchase: documents.Purchase, country: str, *, visible: datetime, activates: datetime) -> None:
        today = purchase.started.date()
        document = documents.subscription(purchase, status="pending", country=country, today=today)
        is_licence = purchase.item.kind == documents.LICENCE
        self._subscriptions.save(
            Subscription(
                customer_id=purchase.customer_id,
                document=document,
                batches=((purchase.quantity, purchase.started + terms.WINDOW),) if is_licence else (),
                visible=visible,
                activates=activates,
            )
        )
        if purchase.item.kind == documents.AZURE:
            entitlement = {
                "id": str(uuid.uuid4()),
                "friendlyName": "Microsoft Azure",
                "status": "active",
                "subscriptionId": purchase.id,
            }
            self._ledger.put("entitlement", entitlement["id"], entitlement, parent=purchase.id)

    def _find(self, customer: str, order: str) -> Document:
        owner = self._customers.find(customer)
        stored = self._ledger.get("order", order)
        if stored is None or stored["document"]["referenceCustomerId"] != owner["id"] or not self._is_visible(stored):
            raise refused(404, 20000)
        return stored

    def _shown(self, stored: Document, request: Request) -> Document:
        document: Document = dict(stored["document"])
        if self._is_fulfilled(stored) and "fulfilled" in stored:
            document["status"] = "completed"
        if request.query.get("include_price", "").lower() != "true":
            document.pop("totalPrice", None)
            document["lineItems"] = [
                {name: value for name, value in line.items() if name != "pricing"} for line in document["lineItems"]
            ]
        return document

    def _is_visible(self, stored: Document) -> bool:
        return "visible" not in stored or terms.moment_of(stored["visible"]) <= self._ledger.clock.now()

    def _is_fulfilled(self, stored: Document) -> bool:
        if "fulfilled" in stored:
            return terms.moment_of(stored["fulfilled"]) <= self._ledger.clock.now()
        return bool(stored["document"]["status"] == "completed")
