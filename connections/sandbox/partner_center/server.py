"""The Partner Center stand-in: login service, API and price sheets on one address.

{url}/{tenant}/oauth2/token, {url}/{tenant}/oauth2/v2.0/token      the login service
{url}/v1/…                                                        Partner Center
{url}/webhooks/v1/registration                                    where notifications go; {url}/certificates/…
{url}/v1.0/sales/pricesheets(Market='NL',PricesheetView='…')/$value price sheets
"""

from collections.abc import Callable, Mapping
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

from .. import seed
from ..http import Refused, Request, Response, Router
from ..stand_in import CONTROL, StandIn
from ..store import remove
from . import terms, tokens
from .audit import Audit
from .carts import Carts
from .catalogue import Catalogue
from .control import Control
from .customers import Customers
from .errors import error, refused, throttled
from .ledger import Ledger
from .loading import load
from .orders import Orders
from .pricing import Pricing
from .rendering import rendered
from .subscriptions import Subscriptions
from .throttle import Throttle
from .tokens import Login
from .webhooks import CERTIFICATE, Webhooks

WRITES = ("POST", "PUT", "PATCH", "DELETE")


class PartnerCenterServer(StandIn):
    """The stand-in for Partner Center.

    A new ledger in `data_dir` (or a `fresh` one) is filled with what `data` makes of `today`, and its clock starts at
    that date; without `today` it is the real one.
    """

    name = "partner-center-sandbox"

    def __init__(
        self,
        data_dir: Path,
        *,
        port: int = 0,
        record: Path | None = None,
        latency: float = 0.0,
        fresh: bool = False,
        today: date | None = None,
        data: Callable[[date], Mapping[str, Any]] = seed.partner_center_data,
    ) -> None:
        path = data_dir / "partner_center.sqlite3"
        if fresh:
            remove(path)
        self.ledger = Ledger(path)
        super().__init__(port=port, record=record, latency=latency, clock=self.ledger.clock)
        self.login = Login(self.ledger)
        self.webhooks = Webhooks(self.ledger, self.url)
        self.audit = Audit(self.ledger, self.webhooks.changed)
        self.customers = Customers(self.ledger)
        self.catalogue = Catalogue(self.ledger, self.customers)
        self.pricing = Pricing(self.ledger, self.catalogue)
        self.subscriptions = Subscriptions(self.ledger, self.customers, self.catalogue, self.audit)
        self.orders = Orders(self.ledger, self.customers, self.catalogue, self.subscriptions, self.audit)
        self.carts = Carts(self.ledger, self.customers, self.catalogue, self.pricing, self.orders, self.audit)
        self._data = data
        self._throttle = Throttle()
        self._routes = self._router()
        Control(self).add_to(self.control)
        if self.ledger.store.is_new:
            self._load(today)

    def reset(self, today: date | None = None) -> None:
        """Data, modes, tokens, faults and counters as when the ledger was new; the clock is real, or shows `today`."""
        self.faults.clear()
        self.clear_counters()
        self._throttle.clear()
        with self.ledger.store.transaction():
            self.ledger.clear()
            self.ledger.modes.reset()
            self.ledger.clock.control({"real": True})
            self._load(today)

    def _load(self, today: date | None) -> None:
        if today is not None:
            self.ledger.clock.set(today)
        load(self.ledger, self.login, self._data(self.ledger.clock.today()))

    def stop(self) -> None:
        self.webhooks.stop()
        super().stop()
        self.ledger.close()

    def clock_now(self) -> datetime:
        return self.ledger.clock.now()

    def refusal(self, status: int, text: str) -> Response:
        if status == 429:
            return Response(429, throttled(int(text) if text.isdigit() else 1).body)
        return Response(status, error(800003, text))

    def unauthorized(self) -> Response:
        return tokens.unauthorized()

    def exchange(self, request: Request) -> Response:
        response = super().exchange(request)
        if request.path.lower().startswith(CONTROL):
            return response
        if str(request.headers.get("ValidateMfa") or "").lower() == "true":
            claims = self.login.claims_of(request)
            is_compliant = claims is not None and tokens.is_mfa_compliant(claims)
            response.headers["isMfaCompliant"] = str(is_compliant).lower()
        return rendered(response, request, self.ledger.modes)

    def respond(self, request: Request) -> Response:
        handler, parameters, is_known = self._routes.find(request.method, request.path)
        if "tenant" in parameters and handler is not None:
            with self.ledger.store.transaction():
                return handler(request, **parameters)
        if request.path == CERTIFICATE:
            return self.webhooks.certificate(request)
        claims = self.login.check(request)
        wait = self._throttle.waiting(
            parameters.get("customer", "").lower(), float(self.ledger.modes["calls_per_minute"])
        )
        if wait:
            return throttled(wait)
        if handler is None:
            if is_known:
                return Response(405, error(1000, "The requested method is not supported for this resource."))
            raise refused(404, 1000)
        if request.method in WRITES:
            return self._write(request, lambda: handler(request, caller=claims, **parameters))
        if "options" in parameters and tokens.is_app_only(claims):
            raise refused(403, 900329)
        if request.has_fault("stale_read"):
            with self.ledger.as_before_the_last_write():
                return handler(request, **parameters)
        with self.ledger.store.transaction():
            return handler(request, **parameters)

    def _write(self, request: Request, answer: Callable[[], Response]) -> Response:
        """At most once for one MS-RequestId: a repetition gets the stored answer, whatever became of the first one."""
        request_id = str(request.headers.get("MS-RequestId") or "")
        key = f"{request_id} {request.method} {request.path}"
        keep = not request.has_fault("swallow")
        with self.ledger.store.read():
            stored = self._stored_answer(key) if request_id else None
            if stored is not None:
                return stored
            try:
                with self.ledger.writing(keep=keep):
                    response = answer()
            except Refused as refusal:
                response = refusal.response
            if request_id and keep:
                until = self.clock_now() + timedelta(minutes=float(self.ledger.modes["idempotency_minutes"]))
                answered = {"status": response.status, "body": response.body, "headers": response.headers}
                self.ledger.put("answer", key, answered | {"until": terms.iso(until)})
            return response

    def _stored_answer(self, key: str) -> Response | None:
        stored = self.ledger.get("answer", key)
        if stored is None or terms.moment_of(stored["until"]) <= self.clock_now():
            return None
        return Response(stored["status"], stored["body"], stored["headers"])

    def _router(self) -> Router:
        router = Router()
        router.add(
            "POST", "/{tenant}/oauth2/token", lambda request, tenant: self.login.token(request, tenant, v2=False)
        )
        router.add(
            "POST", "/{tenant}/oauth2/v2.0/token", lambda request, tenant: self.login.token(request, tenant, v2=True)
        )
        router.add("GET", "/v1.0/sales/pricesheets({options})/$value", self.pricing.price_sheet)
        router.add("GET", "/v1/customers", self.customers.listed)
        router.add("GET", "/v1/relationships", self.customers.relationships)
        router.add("GET", "/v1/productpromotions", self.pricing.promotions)
        router.add("GET", "/v1/productpromotions/{promotion}", self.pricing.promotion)
        router.add("GET", "/v1/auditrecords", self.audit.listed)
        router.add("GET", "/webhooks/v1/registration/events", self.webhooks.events)
        router.add("GET", "/webhooks/v1/registration", self.webhooks.registration)
        for method in ("POST", "PUT"):
            router.add(method, "/webhooks/v1/registration", self.webhooks.register)
        for base in ("/v1/products", "/v1/customers/{customer}/products"):
            router.add("GET", base, self.catalogue.products)
            router.add("GET", f"{base}/{{product}}", self.catalogue.product)
            router.add("GET", f"{base}/{{product}}/skus", self.catalogue.skus)
            router.add("GET", f"{base}/{{product}}/skus/{{sku}}", self.catalogue.sku)
            availabilities = f"{base}/{{product}}/skus/{{sku}}/availabilities"
            router.add("GET", availabilities, self.catalogue.availabilities)
            router.add("GET", f"{availabilities}/{{availability}}", self.catalogue.availability)
        self._add_customer_routes(router, "/v1/customers/{customer}")
        return router

    def _add_customer_routes(self, router: Router, base: str) -> None:
        router.add("GET", base, self.customers.get)
        router.add("GET", f"{base}/profiles/company", self.customers.company_profile)
        router.add("GET", f"{base}/profiles/billing", self.customers.billing_profile)
        router.add("GET", f"{base}/qualifications", self.customers.qualifications)
        router.add("GET", f"{base}/relationships", self.customers.resellers_of)
        held = f"{base}/subscriptions/{{subscription}}"
        router.add("GET", f"{base}/subscriptions", self.subscriptions.listed)
        router.add("GET", held, self.subscriptions.get)
        router.add("PATCH", held, self.subscriptions.patch)
        router.add("GET", f"{held}/provisioningstatus", self.subscriptions.provisioning_status)
        router.add("GET", f"{held}/azureEntitlements", self.subscriptions.entitlements)
        router.add("GET", f"{held}/azureEntitlements/{{entitlement}}", self.subscriptions.entitlement)
        router.add("GET", f"{base}/orders", self.orders.listed)
        router.add("GET", f"{base}/orders/{{order}}", self.orders.get)
        router.add("GET", f"{base}/orders/{{order}}/provisioningstatus", self.orders.provisioning_status)
        router.add("POST", f"{base}/carts", self.carts.create)
        router.add("GET", f"{base}/carts/{{cart}}", self.carts.get)
        router.add("PUT", f"{base}/carts/{{cart}}", self.carts.replace)
        router.add("POST", f"{base}/carts/{{cart}}/checkout", self.carts.checkout)
