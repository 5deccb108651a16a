"""The catalogue as Partner Center tells it: products with their SKUs and these with their availabilities."""

from typing import Any

from ..partner_center import documents
from .catalogue import LEGACY, OFFERS, Offer
from .names import CURRENCIES, SYMBOLS

PRODUCT_TYPES: dict[str, dict[str, Any]] = {
    "licence": {"id": documents.LICENCE, "displayName": documents.LICENCE},
    "trial": {"id": documents.LICENCE, "displayName": documents.LICENCE},
    "azure_plan": {
        "id": documents.AZURE,
        "displayName": documents.AZURE,
        "subType": {"id": "AzurePlan", "displayName": "AzurePlan"},
    },
    "reservation": {
        "id": documents.RESERVATION,
        "displayName": documents.RESERVATION,
        "subType": {"id": "VirtualMachines", "displayName": "VirtualMachines"},
    },
    "perpetual": {
        "id": documents.SOFTWARE,
        "displayName": documents.SOFTWARE,
        "subType": {"id": "Perpetual", "displayName": "Perpetual"},
    },
}
_TERM_NAMES = {"P1M": "One-Month", "P1Y": "One-Year", "P3Y": "Three-Year", "": "One-Time"}
_REFUNDS = {"licence": "P7D", "trial": "P7D", "perpetual": "P30D", "reservation": "P7D", "azure_plan": ""}


def products(country: str) -> list[dict[str, Any]]:
    """Every product, with its `skus` and their `availabilities` nested where the service has only links."""
    by_product: dict[str, list[Offer]] = {}
    for offer in OFFERS:
        by_product.setdefault(offer.product_id, []).append(offer)
    return [_product(offers, country) for offers in by_product.values()]


def legacy_offers() -> list[dict[str, Any]]:
    """Licence offers from before the new commerce: nobody can buy them any more, some customers still have them."""
    return [
        {
            "id": offer.product_id,
            "name": offer.title,
            "isAvailableForPurchase": False,
            "unitType": "Licenses",
            "supportedBillingCycles": [cycle for _, cycle in offer.terms],
            "attributes": {"objectType": "Offer"},
        }
        for offer in LEGACY
    ]


def _product(offers: list[Offer], country: str) -> dict[str, Any]:
    first = offers[0]
    uri = f"/products/{first.product_id}"
    return {
        "id": first.product_id,
        "title": first.title,
        "description": first.title,
        "productType": PRODUCT_TYPES[first.kind],
        "isMicrosoftProduct": True,
        "publisherName": "Microsoft Corporation",
        "skus": [_sku(offer, country) for offer in offers],
        "links": {
            "skus": documents.link(f"{uri}/skus?country={country}"),
            "self": documents.link(f"{uri}?country={country}"),
        },
    }


def _sku(offer: Offer, country: str) -> dict[str, Any]:
    uri = f"/products/{offer.product_id}/skus/{offer.sku_id}"
    return {
        "id": offer.sku_id,
        "productId": offer.product_id,
        "title": offer.title,
        "description": offer.title,
        "minimumQuantity": 1,
        "maximumQuantity": offer.maximum,
        "isTrial": offer.kind == "trial",
        "supportedBillingCycles": sorted({cycle for _, cycle in offer.terms}),
        "purchasePrerequisites": ["AzureSubscriptionRegistration"] if offer.kind == "reservation" else [],
        "dynamicAttributes": {
            "isAddon": offer.addon,
            "provisioningId": offer.provisioning_id,
            "upgradeTargetOffers": [],
        },
        "availabilities": [_availability(offer, country)],
        "links": {
            "availabilities": documents.link(f"{uri}/availabilities?country={country}"),
            "self": documents.link(f"{uri}?country={country}"),
        },
    }


def _availability(offer: Offer, country: str) -> dict[str, Any]:
    currency = CURRENCIES[country]
    uri = f"/products/{offer.product_id}/skus/{offer.sku_id}/availabilities/{offer.availability_id}"
    return {
        "id": offer.availability_id,
        "productId": offer.product_id,
        "skuId": offer.sku_id,
        "catalogItemId": offer.catalog_item_id,
        "defaultCurrency": {"code": currency, "symbol": SYMBOLS[currency]},
        "segment": offer.segment,
        "country": country,
        "isPurchasable": True,
        "isRenewable": offer.kind == "licence",
        "renewalInstructions": [],
        "terms": [_term(offer, term, cycle) for term, cycle in offer.terms],
        "links": {"self": documents.link(f"{uri}?country={country}")},
    }


def _term(offer: Offer, term: str, cycle: str) -> dict[str, Any]:
    refund = _REFUNDS[offer.kind]
    options = [{"sequenceId": 0, "type": "Partial", "expiresAfter": refund}] if refund else []
    return {
        "id": f"{offer.availability_id}-{term or 'once'}-{cycle}".lower(),
        "duration": term,
        "description": f"{_TERM_NAMES[term]} commitment, billed {cycle.replace('_', ' ')}",
        "billingCycle": cycle,
        "cancellationPolicies": [{"refundOptions": options}],
    }
