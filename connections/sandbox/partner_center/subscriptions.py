"""Subscriptions: lists, one, its provisioning, changes, and the Azure subscriptions under an Azure plan."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from ..http import Request, Response
from . import documents, lifecycle, subscription, terms
from .audit import Audit
from .catalogue import Catalogue
from .changes import Surroundings, patched, spelled
from .customers import Customers
from .errors import refused
from .ledger import Ledger
from .subscription import Pending, Subscription

Document = dict[str, Any]


class Subscriptions:
    """What customers hold. Whoever reads one first brings it up to the present."""

    def __init__(self, ledger: Ledger, customers: Customers, catalogue: Catalogue, audit: Audit) -> None:
        self._ledger = ledger
        self._customers = customers
        self._catalogue = catalogue
        self._audit = audit

    def listed(self, request: Request, customer: str) -> Response:
        """GET subscriptions, of one order with `order_id`, of one reseller with `mpn_id`: all states, one body."""
        order, mpn = request.query.get("order_id"), request.query.get("mpn_id")
        found = [
            held.shown(self._now())
            for held in self.of(self._customers.find(customer)["id"])
            if (order is None or held.document.get("orderId", "").lower() == order.lower())
            and (mpn is None or held.document.get("partnerId", "") == mpn)
        ]
        self_link = documents.link(f"/customers/{customer}/subscriptions")
        return Response(body=documents.collection(found, links={"self": self_link}))

    def get(self, request: Request, customer: str, subscription: str) -> Response:
        return Response(body=self.find(customer, subscription).shown(self._now()))

    def provisioning_status(self, request: Request, customer: str, subscription: str) -> Response:
        """404 800007 until there is something to tell."""
        held = self.find(customer, subscription)
        if held.status == "pending":
            raise refused(404, 800007)
        product, _, rest = str(held.document["offerId"]).partition(":")
        sku = self._catalogue.sku_document(product, rest.partition(":")[0])
        sku_id = sku["dynamicAttributes"]["provisioningId"] if sku else held.document["offerId"]
        body = {
            "skuId": sku_id.upper(),
            "status": "success",
            "quantity": held.quantity,
            "endDate": held.document.get("commitmentEndDate", documents.NEVER),
            "attributes": {"objectType": "SubscriptionProvisioningStatus"},
        }
        return Response(body=body)

    def patch(self, request: Request, customer: str, subscription: str, caller: Mapping[str, Any]) -> Response:
        """200 with the changed resource, or 202 with its address where changes are slow."""
        held = self.find(customer, subscription)
        body = spelled(_object(request))
        if held.pending is not None:
            raise refused(409, int(self._ledger.modes["pending_code"]))
        _check_etag(held, request, body)
        if body.get("partnerId", held.document.get("partnerId")) != held.document.get("partnerId"):
            self._customers.check_partner_on_record(str(body["partnerId"] or ""))
        after = patched(held, body, self._surroundings(held))
        self._record(held, after, caller)
        delay = float(self._ledger.modes["slow_patch"])
        if delay > 0:
            due = self._now() + timedelta(seconds=delay)
            waiting = replace(held, pending=Pending(due, after.document, after.batches), updates=after.updates)
            self.save(waiting)
            return Response(202, headers={"Location": f"/customers/{held.customer_id}/subscriptions/{held.id}"})
        self.save(after)
        return Response(body=after.shown(self._now()))

    def entitlements(self, request: Request, customer: str, subscription: str) -> Response:
        held = self.find(customer, subscription)
        return Response(body=documents.collection(self._ledger.all("entitlement", held.id)))

    def entitlement(self, request: Request, customer: str, subscription: str, entitlement: str) -> Response:
        held = self.find(customer, subscription)
        for found in self._ledger.all("entitlement", held.id):
            if found["id"].lower() == entitlement.lower():
                return Response(body=found)
        raise refused(404, 800111)

    def find(self, customer: str, subscription_id: str) -> Subscription:
        """The subscription at this moment; refused where that customer has none of that id yet."""
        owner = self._customers.find(customer)
        stored = self._ledger.get("subscription", subscription_id)
        if stored is None or stored["customer_id"] != owner["id"]:
            raise refused(404, 20003, subscription_id)
        held = self._settled(subscription.from_json(stored))
        if held.visible and held.visible > self._now():
            raise refused(404, 20003, subscription_id)
        return held

    def of(self, customer_id: str) -> list[Subscription]:
        """Everything that customer holds and that can be seen."""
        now = self._now()
        stored = self._ledger.all("subscription", customer_id)
        held = [self._settled(subscription.from_json(each)) for each in stored]
        return [each for each in held if not each.visible or each.visible <= now]

    def save(self, held: Subscription) -> None:
        self._ledger.put("subscription", held.id, held.as_json(), parent=held.customer_id)

    def by_id(self, subscription_id: str) -> Subscription:
        """Whoever's it is; LookupError where there is none."""
        stored = self._ledger.get("subscription", subscription_id)
        if stored is None:
            raise LookupError(f"no subscription {subscription_id}")
        return self._settled(subscription.from_json(stored))

    def _settled(self, held: Subscription) -> Subscription:
        after = lifecycle.settled(held, self._now())
        if after != held:
            self.save(after)
            if held.pending is None and _started(after) != _started(held):
                self._add_renewal_order(after)
        return after

    def _add_renewal_order(self, held: Subscription) -> None:
        customer = self._customers.find(held.customer_id)
        country = self._customers.country(customer)
        market = self._catalogue.market(country)
        started = _started(held)
        line = {
            "lineItemNumber": 0,
            "offerId": held.document["offerId"],
            "subscriptionId": held.id,
            "termDuration": held.document["termDuration"],
            "transactionType": "Renew",
            "friendlyName": held.document["friendlyName"],
            "quantity": held.quantity,
            "links": {name: value for name, value in held.document["links"].items() if name != "self"},
        }
        order_id = f"{held.id.replace('-', '')[:4]}{int(started.timestamp()):x}".ljust(12, "0")[:12]
        order = documents.order(
            order_id,
            held.customer_id,
            [line],
            cycle=held.document["billingCycle"],
            currency=(market["currency"], market["symbol"]),
            created=started,
            status="completed",
            transaction="SystemBilling",
        )
        self._ledger.put("order", order_id, {"document": order}, parent=held.customer_id)

    def _surroundings(self, held: Subscription) -> Surroundings:
        entitlements = self._ledger.all("entitlement", held.id)
        return Surroundings(
            now=self._now(),
            item=self._catalogue.item(str(held.document["offerId"])),
            has_active_entitlements=any(each["status"] == "active" for each in entitlements),
            end_dates=frozenset(
                terms.day_of(other.document["commitmentEndDate"])
                for other in self.of(held.customer_id)
                if other.is_licence and other.status == "active" and not other.document["isTrial"]
            ),
        )

    def _record(self, before: Subscription, after: Subscription, caller: Mapping[str, Any]) -> None:
        self._audit.record(
            "update_subscription",
            "subscription",
            after.document,
            old=before.document,
            customer=self._customers.find(before.customer_id),
            caller=caller,
            data=[("SubscriptionId", before.id), ("Quantity", str(after.quantity)), ("Status", after.status)],
        )

    def _now(self) -> datetime:
        return self._ledger.clock.now()


def _started(held: Subscription) -> datetime:
    return terms.moment_of(held.document["effectiveStartDate"])


def _object(request: Request) -> Mapping[str, Any]:
    """The body as a JSON object."""
    try:
        body = request.json()
    except ValueError as error:
        raise refused(400, 800002) from error
    if not isinstance(body, dict):
        raise refused(400, 800002)
    return body


def _check_etag(held: Subscription, request: Request, body: Mapping[str, Any]) -> None:
    """Legacy subscriptions are written with the etag that was read, in If-Match or in the body."""
    if held.kind != "legacy":
        return
    sent = request.headers.get("If-Match") or (body.get("attributes") or {}).get("etag") or ""
    if str(sent).strip('"') != held.document["attributes"]["etag"]:
        raise refused(400, 2055)
