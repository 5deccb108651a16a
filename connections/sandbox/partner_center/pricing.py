"""Price sheets, promotions, and the price of a line in a cart."""

import csv
import gzip
import io
import re
from collections.abc import Mapping
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from ..http import Request, Response
from . import documents, terms
from .catalogue import Catalogue
from .errors import refused
from .ledger import Ledger

Document = dict[str, Any]

PLAN_NAMES = {"monthly": "Monthly", "annual": "Annual", "triennial": "Triennial", "one_time": "OneTime"}
_CENT = Decimal("0.01")


class Pricing:
    """What things cost the partner, by market."""

    def __init__(self, ledger: Ledger, catalogue: Catalogue) -> None:
        self._ledger = ledger
        self._catalogue = catalogue

    def price_sheet(self, request: Request, options: str) -> Response:
        """GET pricesheets(Market='NL',PricesheetView='updatedlicensebased')/$value: CSV, gzipped where accepted."""
        chosen = {name.lower(): value for name, value in re.findall(r"(\w+)\s*=\s*'([^']*)'", options)}
        market = chosen.get("market", "").upper()
        rows = self._rows(market, chosen.get("pricesheetview", "").lower())
        if request.query.get("timeline", "current").lower() == "future":
            rows = []
        out = io.StringIO()
        writer = csv.DictWriter(out, fieldnames=self._ledger.store.setting("price_columns"))
        writer.writeheader()
        writer.writerows(row | {"Market": market} for row in rows)
        body = out.getvalue().encode("utf-8-sig")
        if "gzip" in str(request.headers.get("Accept-Encoding") or ""):
            return Response(200, gzip.compress(body), {"Content-Encoding": "gzip"}, content_type="text/csv")
        return Response(200, body, content_type="text/csv")

    def promotions(self, request: Request) -> Response:
        """GET /v1/productpromotions?country=&segment="""
        self._catalogue.market(request.query.get("country", ""))
        wanted = request.query.get("segment", "commercial").lower() == "commercial"
        return Response(body=documents.collection(self._ledger.all("promotion") if wanted else []))

    def promotion(self, request: Request, promotion: str) -> Response:
        self._catalogue.market(request.query.get("country", ""))
        found = self._ledger.get("promotion", promotion)
        if found is None:
            raise refused(404, 1000)
        return Response(body=found)

    def quote(
        self, item: documents.Item, term: str, cycle: str, quantity: int, country: str, promotion_id: str = ""
    ) -> Document | None:
        """The `pricing` of a line: per seat and billing period, and for the whole commitment. None: nothing listed."""
        row = self._row(item, term, cycle, country)
        if row is None:
            return None
        listed = Decimal(row["UnitPrice"])
        share = 1 - self._discount(item, term, cycle, promotion_id)
        price = (listed * share).quantize(_CENT, ROUND_HALF_UP)
        return {
            "listPrice": listed,
            "discountedPrice": price,
            "proratedPrice": price,
            "price": price,
            "extendedPrice": price * quantity * terms.periods(term, cycle),
        }

    def promotion_fits(self, item: documents.Item, term: str, cycle: str, promotion_id: str) -> bool:
        """Whether that promotion holds today for a purchase of this plan."""
        promotion = self._ledger.get("promotion", promotion_id)
        if promotion is None:
            return False
        now = self._ledger.clock.now()
        holds = terms.moment_of(promotion["startDate"]) <= now <= terms.moment_of(promotion["endDate"])
        return holds and _policy(promotion, item, term, cycle) is not None

    def _discount(self, item: documents.Item, term: str, cycle: str, promotion_id: str) -> Decimal:
        promotion = self._ledger.get("promotion", promotion_id) if promotion_id else None
        policy = _policy(promotion, item, term, cycle) if promotion else None
        return Decimal(policy["value"]) if policy else Decimal(0)

    def _row(self, item: documents.Item, term: str, cycle: str, country: str) -> dict[str, str] | None:
        wanted = (item.product_id, item.sku_id, term or "NoTerm", PLAN_NAMES[cycle])
        for view in self._ledger.store.setting("price_views"):
            for row in self._rows(country, view):
                if (row["ProductId"], row["SkuId"], row["TermDuration"], row["BillingPlan"]) == wanted:
                    return row
        return None

    def _rows(self, market: str, view: str) -> list[dict[str, str]]:
        """Markets of one currency share their sheet."""
        currency = self._catalogue.market(market)["currency"]
        found = self._ledger.get("price_sheet", f"{currency}/{view}")
        if found is None:
            raise refused(400, 800002)
        rows: list[dict[str, str]] = found["rows"]
        return rows


def _policy(promotion: Mapping[str, Any], item: documents.Item, term: str, cycle: str) -> Document | None:
    for required in promotion["requiredProducts"]:
        plan = (required["term"]["duration"], required["term"]["billingCycle"].lower())
        if (required["productId"], required["skuId"]) == (item.product_id, item.sku_id) and plan == (term, cycle):
            policy: Document = required["pricingPolicies"][0]
            return policy
    return None
