"""Control endpoints of the Partner Center stand-in: what people do in the portal, and what tests want to see.

GET  subscriptions/{id}                    the subscription with what the service knows besides
POST subscriptions/{id}   {"quantity"?, "status"?, "friendlyName"?, …}     a change that a person makes in the portal
GET  orders?customer=ID                    orders as stored, of one customer or all; with the moments they appear
GET  audit?customer=ID                     audit records, oldest first
POST entitlements/{id}    {"status": "active" | "inactive"}
POST availabilities/{id}  {"id": NEW}      an availability gets a new id: carts with the old one fail with 400019
POST tokens               {"revoke": "refresh" | "access"}
GET, POST modes           {name: value}    see modes.py: provisioning delay, slow changes, byte order marks, …
POST reset                {"today"?}       everything as it was when the ledger was new
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING, Any

from ..http import Refused, Request, Response, Router
from . import terms
from .subscription import Subscription

if TYPE_CHECKING:
    from .server import PartnerCenterServer

PERSON = {"upn": "portal.user@partner.example"}


class Control:
    """Handlers of the control endpoints."""

    def __init__(self, server: "PartnerCenterServer") -> None:
        self.server = server

    def add_to(self, router: Router) -> None:
        routes: dict[tuple[str, str], Callable[..., Any]] = {
            ("GET", "subscriptions/{key}"): self.subscription,
            ("POST", "subscriptions/{key}"): self.change,
            ("GET", "orders"): self.orders,
            ("GET", "audit"): self.audit,
            ("POST", "entitlements/{key}"): self.entitlement,
            ("POST", "availabilities/{key}"): self.availability,
            ("POST", "tokens"): self.tokens,
            ("GET", "modes"): lambda request: self.server.ledger.modes.as_json(),
            ("POST", "modes"): self.modes,
            ("POST", "reset"): self.reset,
        }
        for (method, path), handler in routes.items():
            router.add(method, f"/_control/{path}", _answering(handler))

    def subscription(self, request: Request, key: str) -> Any:
        with self.server.ledger.store.transaction():
            return self._dump(self.server.subscriptions.by_id(key))

    def change(self, request: Request, key: str) -> Any:
        """Applied as told, without the rules that the API has; seats added open a batch of seven days."""
        server, fields = self.server, request.json()
        unknown = set(fields) - {"quantity", "status", "friendlyName", "autoRenewEnabled", "partnerId", "offerName"}
        if unknown:
            raise ValueError(f"cannot change {', '.join(sorted(unknown))}")
        with server.ledger.writing():
            before = server.subscriptions.by_id(key)
            after = _by_hand(before, fields, server)
            server.subscriptions.save(after)
            server.audit.record(
                "update_subscription",
                "subscription",
                after.document,
                old=before.document,
                customer=server.customers.find(before.customer_id),
                caller=PERSON,
            )
        return self._dump(after)

    def orders(self, request: Request) -> Any:
        return {"orders": self.server.ledger.all("order", request.query.get("customer"))}

    def audit(self, request: Request) -> Any:
        return {"records": self.server.ledger.all("audit", request.query.get("customer"))}

    def entitlement(self, request: Request, key: str) -> Any:
        ledger = self.server.ledger
        found = ledger.get("entitlement", key)
        if found is None:
            raise LookupError(f"no entitlement {key}")
        changed = found | {"status": request.json()["status"]}
        with ledger.writing():
            ledger.put("entitlement", key, changed, parent=found["subscriptionId"])
        return changed

    def availability(self, request: Request, key: str) -> Any:
        with self.server.ledger.writing():
            self.server.catalogue.retire(key, str(request.json()["id"]))
        return {}

    def tokens(self, request: Request) -> Any:
        self.server.login.revoke(request.json()["revoke"])
        return {}

    def modes(self, request: Request) -> Any:
        self.server.ledger.modes.change(request.json())
        return self.server.ledger.modes.as_json()

    def reset(self, request: Request) -> Any:
        today = (request.json() or {}).get("today")
        self.server.reset(date.fromisoformat(today) if today else None)
        return {}

    def _dump(self, held: Subscription) -> Any:
        return held.as_json() | {"shown": held.shown(self.server.clock_now())}


def _by_hand(before: Subscription, fields: dict[str, Any], server: "PartnerCenterServer") -> Subscription:
    after = before.changed(**fields)
    more = after.quantity - before.quantity
    if more > 0 and before.is_licence:
        after = replace(after, batches=(*before.batches, (more, server.clock_now() + terms.WINDOW)))
    if after.status == "suspended":
        return after.changed(suspensionReasons=["Partner"], autoRenewEnabled=False)
    return after.changed(suspensionReasons=None)


def _answering(handler: Callable[..., Any]) -> Callable[..., Response]:
    def answer(request: Request, **parameters: str) -> Response:
        try:
            return Response(body=handler(request, **parameters))
        except Refused as refused:
            return refused.response

    return answer
