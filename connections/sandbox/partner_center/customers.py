"""Customers with continuation paging, one customer, and the indirect resellers."""

import base64
import binascii
import json
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

from ..http import Request, Response
from . import documents, terms
from .errors import refused
from .ledger import Ledger

Document = dict[str, Any]

PAGE = 500
TOKEN_LIFE = timedelta(minutes=10)
_TAIL = ",/+="
"""Continuation tokens may hold these characters, which is why they travel in a header."""


class Customers:
    """The partner's customers and resellers."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    def find(self, customer_id: str) -> Document:
        """The stored customer, refused where the partner has none of that id."""
        customer = self._ledger.get("customer", customer_id)
        if customer is None:
            raise refused(404, 60003)
        return customer

    def country(self, customer: Mapping[str, Any]) -> str:
        return str(customer["companyProfile"]["address"]["country"])

    def listed(self, request: Request) -> Response:
        """GET /v1/customers?size=&filter=, and its next pages by `seekOperation=Next` with the token in a header."""
        size = _size(request.query.get("size"))
        matches = _matcher(request.query.get("filter", ""))
        first = self._first_place(request, size)
        found = [customer for customer in self._ledger.all("customer") if matches(customer)]
        page, rest = found[first : first + size], found[first + size :]
        self_link = documents.link(f"/customers?size={size}")
        links: Document = {"self": self_link}
        body = documents.collection([_short(customer) for customer in page], links=links)
        if rest or (page and self._ledger.modes["paging_end"] == "code_2000"):
            token = self._token(first + size)
            headers = [("MS-ContinuationToken", token)]
            links["next"] = documents.link(f"/customers?size={size}&seekOperation=Next", headers=headers)
            body["continuationToken"] = token
        elif not page and first:
            raise refused(400, 2000)
        return Response(body=body)

    def get(self, request: Request, customer: str) -> Response:
        """GET /v1/customers/{id}"""
        return Response(body=self.find(customer))

    def company_profile(self, request: Request, customer: str) -> Response:
        return Response(body=self.find(customer)["companyProfile"])

    def billing_profile(self, request: Request, customer: str) -> Response:
        return Response(body=self.find(customer)["billingProfile"])

    def qualifications(self, request: Request, customer: str) -> Response:
        """GET /v1/customers/{id}/qualifications: a bare array."""
        return Response(body=[{"qualification": name} for name in self.segments(self.find(customer)) if name != "none"])

    def segments(self, customer: Mapping[str, Any]) -> tuple[str, ...]:
        """`none`, or what the customer is qualified for beside commercial offers: education, government."""
        found = self._ledger.get("qualifications", customer["id"])
        return tuple(found["names"]) if found else ("none",)

    def relationships(self, request: Request) -> Response:
        """GET /v1/relationships?relationship_type=: all resellers; other types are empty for a provider."""
        asked = request.query.get("relationship_type", "").lower()
        if asked not in ("isindirectcloudsolutionproviderof", "isindirectresellerof"):
            raise refused(400, 800002)
        known = self._ledger.all("reseller") if asked == "isindirectcloudsolutionproviderof" else []
        return Response(body=documents.collection(known))

    def resellers_of(self, request: Request, customer: str) -> Response:
        """GET /v1/customers/{id}/relationships: without state and location."""
        partner = self.find(customer).get("associatedPartnerId", "")
        mine = [
            {name: value for name, value in reseller.items() if name not in ("state", "location")}
            for reseller in self._ledger.all("reseller")
            if reseller["id"] == partner
        ]
        return Response(body=documents.collection(mine))

    def check_partner_on_record(self, mpn: str) -> None:
        """Refused where that partner id cannot stand on an order or a subscription."""
        if mpn == self._ledger.store.setting("provider", {}).get("mpnId"):
            raise refused(404, 2072)
        if mpn and mpn not in {reseller["mpnId"] for reseller in self._ledger.all("reseller")}:
            raise refused(400, 800016)

    def _first_place(self, request: Request, size: int) -> int:
        if request.query.get("seekoperation", "").lower() != "next":
            return 0
        token = str(request.headers.get("MS-ContinuationToken") or "")
        if not token.endswith(_TAIL):
            raise refused(400, 800002)
        try:
            place, until = json.loads(base64.b64decode(token.removesuffix(_TAIL), validate=True))
        except (ValueError, binascii.Error) as error:
            raise refused(400, 800002) from error
        if terms.moment_of(until) < self._ledger.clock.now():
            raise refused(400, 800002)
        return int(place)

    def _token(self, place: int) -> str:
        until = terms.iso(self._ledger.clock.now() + TOKEN_LIFE)
        return base64.b64encode(json.dumps([place, until]).encode()).decode() + _TAIL


def _size(text: str | None) -> int:
    if text is None:
        return PAGE
    if not text.isdigit() or not 1 <= int(text) <= PAGE:
        raise refused(400, 800002)
    return int(text)


def _matcher(text: str) -> Callable[[Document], bool]:
    """The `filter` of a list: {"Field", "Value", "Operator": "starts_with"}."""
    if not text:
        return lambda customer: True
    try:
        asked = {name.lower(): str(value).casefold() for name, value in json.loads(text).items()}
    except (ValueError, AttributeError) as error:
        raise refused(400, 800002) from error
    readers: dict[str, Callable[[Document], str]] = {
        "companyname": lambda customer: customer["companyProfile"]["companyName"],
        "domain": lambda customer: customer["companyProfile"]["domain"],
        "indirectreseller": lambda customer: customer.get("associatedPartnerId", ""),
    }
    reader = readers.get(asked.get("field", ""))
    if reader is None:
        raise refused(400, 3000)
    return lambda customer: reader(customer).casefold().startswith(asked.get("value", ""))


def _short(customer: Document) -> Document:
    """A customer as lists show it."""
    profile = customer["companyProfile"]
    return {
        "id": customer["id"],
        "companyProfile": {name: profile[name] for name in ("tenantId", "domain", "companyName", "attributes")},
        "relationshipToPartner": customer["relationshipToPartner"],
        "attributes": customer["attributes"],
    }
