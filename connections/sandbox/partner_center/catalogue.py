"""What is for sale: products, SKUs and availabilities of a country, for everybody or for one customer."""

from collections.abc import Iterable, Iterator
from typing import Any

from ..http import Request, Response
from . import documents
from .customers import Customers
from .errors import refused
from .ledger import Ledger

Document = dict[str, Any]

VIEWS = {
    "onlineservices": documents.LICENCE,
    "microsoftazure": documents.AZURE,
    "azure": documents.AZURE,
    "azurereservations": documents.RESERVATION,
    "azurereservationsvm": documents.RESERVATION,
    "software": documents.SOFTWARE,
    "softwareperpetual": documents.SOFTWARE,
}
EMPTY_VIEWS = (
    "azurereservationssql",
    "azurereservationscosmosdb",
    "softwaresubscriptions",
    "softwaresuselinux",
    "specializedoffers",
    "marketplacesaas",
)
SEGMENTS = ("commercial", "education", "government", "nonprofit")


class Catalogue:
    """Products with their SKUs and availabilities. Handlers serve the same tree with and without a customer."""

    def __init__(self, ledger: Ledger, customers: Customers) -> None:
        self._ledger = ledger
        self._customers = customers

    def products(self, request: Request, customer: str = "") -> Response:
        """GET products?country=&targetView=&targetSegment="""
        kind, segments = self._kind(request), self._segments(request, customer)
        country = self._country(request, customer)
        listed = [
            _without(product, "skus")
            for product in self._all(country)
            if product["productType"]["id"] == kind and _skus(product, segments)
        ]
        self_link = documents.link(f"/products?country={country}&targetView={request.query['targetview']}")
        return Response(body=documents.collection(listed, links={"self": self_link}))

    def product(self, request: Request, product: str, customer: str = "") -> Response:
        return Response(body=_without(self._product(request, product, customer), "skus"))

    def skus(self, request: Request, product: str, customer: str = "") -> Response:
        found = _skus(self._product(request, product, customer), self._segments(request, customer))
        return Response(body=documents.collection(_without(sku, "availabilities") for sku in found))

    def sku(self, request: Request, product: str, sku: str, customer: str = "") -> Response:
        return Response(body=_without(self._sku(request, product, sku, customer), "availabilities"))

    def availabilities(self, request: Request, product: str, sku: str, customer: str = "") -> Response:
        return Response(body=documents.collection(self._sku(request, product, sku, customer)["availabilities"]))

    def availability(self, request: Request, product: str, sku: str, availability: str, customer: str = "") -> Response:
        for found in self._sku(request, product, sku, customer)["availabilities"]:
            if found["id"].lower() == availability.lower():
                return Response(body=found)
        raise refused(404, 400019)

    def item(self, catalog_item_id: str) -> documents.Item | None:
        """What `productId:skuId:availabilityId` names, None where there is no such thing (any more)."""
        product_id, _, rest = catalog_item_id.partition(":")
        product = self._ledger.get("product", product_id)
        for sku in product["skus"] if product else ():
            for availability in sku["availabilities"]:
                if rest.lower() == f"{sku['id']}:{availability['id']}".lower():
                    return _item(product, sku, availability) if product else None
        return None

    def sku_document(self, product_id: str, sku_id: str) -> Document | None:
        product = self._ledger.get("product", product_id)
        return next((sku for sku in product["skus"] if sku["id"] == sku_id), None) if product else None

    def market(self, country: str) -> Document:
        """{"currency", "symbol"} of a country; refused where nothing is sold."""
        markets: dict[str, Document] = self._ledger.store.setting("markets", {})
        if country.upper() not in markets:
            raise refused(400, 800002)
        return markets[country.upper()]

    def retire(self, availability: str, successor: str) -> None:
        """Give an availability a new id, as the service does from time to time."""
        for product in self._ledger.all("product"):
            for found in _availabilities(product):
                if found["id"].lower() == availability.lower():
                    found["id"] = successor
                    found["catalogItemId"] = f"{found['productId']}:{found['skuId']}:{successor}"
                    self._ledger.put("product", product["id"], product)
                    return
        raise LookupError(f"no availability {availability}")

    def _all(self, country: str) -> list[Document]:
        market = self.market(country)
        return [_in_country(product, country, market) for product in self._ledger.all("product")]

    def _product(self, request: Request, product_id: str, customer: str) -> Document:
        segments = self._segments(request, customer)
        for product in self._all(self._country(request, customer)):
            if product["id"].lower() == product_id.lower() and _skus(product, segments):
                return product
        raise refused(404, 400013)

    def _sku(self, request: Request, product_id: str, sku_id: str, customer: str) -> Document:
        product = self._product(request, product_id, customer)
        for sku in _skus(product, self._segments(request, customer)):
            if sku["id"].lower() == sku_id.lower():
                return sku
        raise refused(404, 400018)

    def _country(self, request: Request, customer: str) -> str:
        """Asked for in the query, or the customer's own; without a customer it has to be asked for."""
        if customer:
            return self._customers.country(self._customers.find(customer))
        return request.query.get("country", "").upper()

    def _kind(self, request: Request) -> str:
        view = request.query.get("targetview", "").lower()
        if view not in VIEWS and view not in EMPTY_VIEWS:
            raise refused(403, 400036)
        return VIEWS.get(view, "")

    def _segments(self, request: Request, customer: str) -> tuple[str, ...]:
        asked = request.query.get("targetsegment", "").lower()
        if asked and asked not in SEGMENTS:
            raise refused(403, 400030)
        if customer:
            qualified = self._customers.segments(self._customers.find(customer))
            allowed = tuple(segment for segment in ("commercial", *qualified) if segment in SEGMENTS)
        else:
            allowed = SEGMENTS
        return tuple(segment for segment in allowed if asked in ("", segment))


def _skus(product: Document, segments: Iterable[str]) -> list[Document]:
    """Those SKUs of a product that are sold to one of the segments."""
    wanted = set(segments)
    return [sku for sku in product["skus"] if any(each["segment"] in wanted for each in sku["availabilities"])]


def _availabilities(product: Document) -> Iterator[Document]:
    for sku in product["skus"]:
        yield from sku["availabilities"]


def _without(document: Document, name: str) -> Document:
    return {key: value for key, value in document.items() if key != name}


def _in_country(product: Document, country: str, market: Document) -> Document:
    """The product with the links and the currency of a country."""
    for availability in _availabilities(product):
        availability["country"] = country
        availability["defaultCurrency"] = {"code": market["currency"], "symbol": market["symbol"]}
    for owner in (product, *product["skus"], *_availabilities(product)):
        for target in owner["links"].values():
            target["uri"] = f"{target['uri'].partition('?')[0]}?country={country}"
    return product


def _item(product: Document, sku: Document, availability: Document) -> documents.Item:
    return documents.Item(
        product_id=product["id"],
        sku_id=sku["id"],
        availability_id=availability["id"],
        title=sku["title"],
        product_type=product["productType"],
        segment=availability["segment"],
        is_trial=sku["isTrial"],
        minimum=sku["minimumQuantity"],
        maximum=sku["maximumQuantity"],
        plans=tuple((term["duration"], term["billingCycle"]) for term in availability["terms"]),
    )
