"""Carts: lines with their prices and faults, and the checkout that turns them into orders."""

import uuid
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from ..http import Request, Response
from . import documents, terms
from .audit import Audit
from .catalogue import Catalogue
from .customers import Customers
from .errors import DESCRIPTIONS, refused
from .ledger import Ledger
from .orders import Orders
from .pricing import Pricing

Document = dict[str, Any]

CART_LIFE = timedelta(days=7)
NOT_ELIGIBLE = 2085
UNKNOWN_ITEM, INVALID_INPUT = 10001, 10010
_PASSED_ON = (
    "friendlyName", "partnerIdOnRecord", "additionalPartnerIdsOnRecord", "promotionId", "customTermEndDate",
    "renewsTo", "participants", "attestationAccepted", "addonItems",
)  # fmt: skip
_NAMES = ("catalogItemId", "quantity", "billingCycle", "termDuration", "provisioningContext", *_PASSED_ON)
_SPELLING = {name.lower(): name for name in _NAMES}


class Carts:
    """The carts of all customers."""

    def __init__(
        self, ledger: Ledger, customers: Customers, catalogue: Catalogue, pricing: Pricing, orders: Orders, audit: Audit
    ) -> None:
        self._ledger = ledger
        self._customers = customers
        self._catalogue = catalogue
        self._pricing = pricing
        self._orders = orders
        self._audit = audit

    def create(self, request: Request, customer: str, caller: Mapping[str, Any]) -> Response:
        """201 with the cart; faults of a line are told in the line."""
        owner = self._customers.find(customer)
        now = self._ledger.clock.now()
        cart_id = str(uuid.uuid4())
        document: Document = {
            "id": cart_id,
            "creationTimestamp": terms.iso(now),
            "lastModifiedTimestamp": terms.iso(now),
            "expirationTimestamp": terms.iso(now + CART_LIFE),
            "lastModifiedUser": str(caller.get("upn") or caller.get("appid", "")),
            "status": "Active",
            "lineItems": self._lines(request, owner),
            "links": {"self": documents.link(f"/customers/{owner['id']}/carts/{cart_id}")},
            "attributes": {"objectType": "Cart"},
        }
        self._save(document, owner)
        self._record("create_cart", document, owner, caller)
        return Response(201, document, {"Location": f"/customers/{owner['id']}/carts/{cart_id}"})

    def get(self, request: Request, customer: str, cart: str) -> Response:
        return Response(body=self._find(self._customers.find(customer), cart))

    def replace(self, request: Request, customer: str, cart: str, caller: Mapping[str, Any]) -> Response:
        """PUT: the lines of the body in place of those there are."""
        owner = self._customers.find(customer)
        document = self._find(owner, cart)
        if document["status"] != "Active":
            raise refused(400, 800065, cart)
        document["lineItems"] = self._lines(request, owner)
        document["lastModifiedTimestamp"] = terms.iso(self._ledger.clock.now())
        self._save(document, owner)
        self._record("update_cart", document, owner, caller)
        return Response(body=document)

    def checkout(self, request: Request, customer: str, cart: str, caller: Mapping[str, Any]) -> Response:
        """201 with `orders`, one per order group, and with `orderErrors` for groups that failed: both may be there."""
        owner = self._customers.find(customer)
        document = self._find(owner, cart)
        self._refuse_checkout(document, owner, cart)
        orders, errors = [], []
        for group, lines in _groups(document["lineItems"]).items():
            failure = next((found for line in lines if (found := self._failure(line, owner))), None)
            if failure is not None:
                errors.append({"orderGroupId": group} | failure)
                continue
            orders.append(self._orders.place(owner, lines, caller))
        document["status"] = "Submitted"
        self._save(document, owner)
        body: Document = {"orders": orders}
        if errors:
            body["orderErrors"] = errors
        return Response(201, body | {"attributes": {"objectType": "CartCheckoutResult"}})

    def _refuse_checkout(self, document: Document, owner: Document, cart: str) -> None:
        if document["status"] != "Active":
            raise refused(400, 800065, cart)
        if owner["id"] in self._ledger.modes["no_agreement"]:
            raise refused(403, 13605)
        if not document["lineItems"] or any("error" in line for line in document["lineItems"]):
            raise refused(400, 800009)
        if any(self._catalogue.item(line["catalogItemId"]) is None for line in document["lineItems"]):
            raise refused(404, 400019)

    def _lines(self, request: Request, owner: Document) -> list[Document]:
        try:
            body = {str(name).lower(): value for name, value in (request.json() or {}).items()}
        except (ValueError, AttributeError) as error:
            raise refused(400, 800002) from error
        sent = body.get("lineitems")
        if not isinstance(sent, list) or not all(isinstance(line, dict) for line in sent):
            raise refused(400, 800002)
        lines = [{_SPELLING.get(name.lower(), name): value for name, value in line.items()} for line in sent]
        for line in lines:
            partner = str(line.get("partnerIdOnRecord") or "")
            self._customers.check_partner_on_record(partner)
            if partner and body.get("partneronrecordattestationaccepted") is not True:
                raise refused(400, 900206)
        return _grouped([self._line(number, line, owner) for number, line in enumerate(lines)])

    def _line(self, number: int, sent: Mapping[str, Any], owner: Document) -> Document:
        country = self._customers.country(owner)
        term, cycle = str(sent.get("termDuration") or "").upper(), str(sent.get("billingCycle") or "").lower()
        line: Document = {
            "id": number,
            "catalogItemId": str(sent.get("catalogItemId") or ""),
            "quantity": sent.get("quantity"),
            "currencyCode": self._catalogue.market(country)["currency"],
            "billingCycle": cycle,
            "termDuration": term,
            "provisioningContext": sent.get("provisioningContext") or {},
            **{name: sent[name] for name in _PASSED_ON if sent.get(name) is not None},
        }
        if not term:
            del line["termDuration"]
        item = self._catalogue.item(line["catalogItemId"])
        fault = self._fault(item, line, term, cycle)
        if item is None or fault:
            return line | {"error": fault}
        quote = self._pricing.quote(item, term, cycle, line["quantity"], country, line.get("promotionId", ""))
        return line | {"productKind": item.kind} | ({"pricing": quote} if quote else {})

    def _fault(self, item: documents.Item | None, line: Mapping[str, Any], term: str, cycle: str) -> Document | None:
        if item is None:
            return {"errorCode": UNKNOWN_ITEM, "errorDescription": "The catalog item id is not valid."}
        quantity = line["quantity"]
        if (term, cycle) not in item.plans:
            text = "The term duration and billing cycle are not available for this catalog item."
        elif isinstance(quantity, bool) or not isinstance(quantity, int):
            text = "The quantity is not a whole number."
        elif not item.minimum <= quantity <= item.maximum:
            text = f"The quantity is not between {item.minimum} and {item.maximum}."
        elif "customTermEndDate" in line and not self._is_end_date(line["customTermEndDate"], term):
            text = "The custom term end date is not within the term."
        elif "promotionId" in line and not self._pricing.promotion_fits(item, term, cycle, line["promotionId"]):
            text = "The promotion is not valid for this catalog item."
        else:
            return None
        return {"errorCode": INVALID_INPUT, "errorDescription": text}

    def _is_end_date(self, text: Any, term: str) -> bool:
        """Whether a term of that length may be cut there."""
        today = self._ledger.clock.today()
        try:
            return bool(term) and today <= terms.day_of(str(text)) <= terms.term_end(today, term)
        except ValueError:
            return False

    def _failure(self, line: Mapping[str, Any], owner: Document) -> Document | None:
        """Why the order of this line fails at checkout: switched on, or not sold to this kind of customer."""
        product = line["catalogItemId"].partition(":")[0]
        wanted: dict[str, int] = self._ledger.modes["checkout_failures"]
        code = wanted.get(line["catalogItemId"]) or wanted.get(product)
        item = self._catalogue.item(line["catalogItemId"])
        segments = ("commercial", *self._customers.segments(owner))
        if code is None and item is not None and item.segment not in segments:
            code = NOT_ELIGIBLE
        if code is None:
            return None
        texts = {number: text for (_status, number), text in DESCRIPTIONS.items()}
        return {"code": code, "description": texts.get(int(code), "The order could not be placed.")}

    def _find(self, owner: Document, cart: str) -> Document:
        stored = self._ledger.get("cart", cart)
        is_open = stored is not None and terms.moment_of(stored["expirationTimestamp"]) > self._ledger.clock.now()
        if stored is None or not is_open or f"/{owner['id']}/" not in stored["links"]["self"]["uri"]:
            raise refused(404, 800008)
        return stored

    def _save(self, document: Document, owner: Document) -> None:
        self._ledger.put("cart", document["id"], document, parent=owner["id"])

    def _record(self, operation: str, document: Document, owner: Document, caller: Mapping[str, Any]) -> None:
        self._audit.record(operation, "cart", document, customer=owner, caller=caller)


def _grouped(lines: list[Document]) -> list[Document]:
    """Lines of one kind and billing cycle share an order."""
    groups: dict[tuple[str, str], str] = {}
    for line in lines:
        key = (line.pop("productKind", ""), line["billingCycle"])
        line["orderGroup"] = groups.setdefault(key, str(len(groups)))
    return lines


def _groups(lines: list[Document]) -> dict[str, list[Document]]:
    found: dict[str, list[Document]] = {}
    for line in lines:
        found.setdefault(line["orderGroup"], []).append(line)
    return found
