"""The demonstration's offer catalogue: offers, their variants, prices and promotions, as Partner Center has them."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from connections.sandbox.seed import catalogue as sold
from portal.folding import folded
from portal.models import Offer, OfferVariant, Organization, Promotion, VariantPrice

Category, Billing = Offer.Category, OfferVariant.Billing
CATEGORIES = {
    "OnlineServicesNCE": Category.LICENCE,
    "Azure": Category.AZURE_PLAN,
    "AzureReservations": Category.AZURE_RESERVATION,
    "Software": Category.PERPETUAL,
}
BILLING_PLANS = {
    "Monthly": Billing.MONTHLY,
    "Annual": Billing.ANNUAL,
    "Triennial": Billing.TRIENNIAL,
    "OneTime": Billing.ONE_TIME,
}
LEGACY_TERM = OfferVariant.Term.YEAR

Key = tuple[str, str, str, str]
"""A variant by product id, SKU id, term and billing frequency; a SKU is sold in one segment."""


@dataclass(frozen=True, slots=True)
class Catalogue:
    """The variants by key, their prices by variant and currency, and the promotions by Microsoft's id."""

    variants: Mapping[Key, OfferVariant]
    prices: Mapping[tuple[int, str], VariantPrice]
    promotions: Mapping[str, Promotion]

    def variant_of(self, subscription: Mapping[str, Any]) -> OfferVariant:
        """The variant that a subscription of Partner Center is of."""
        product, _, rest = subscription["offerId"].partition(":")
        term = subscription.get("termDuration", LEGACY_TERM)
        return self.variants[product, rest.partition(":")[0], term, _billing(subscription)]


def create_catalogue(csp: Organization, data: Mapping[str, Any], currencies: Iterable[str]) -> Catalogue:
    """Everything that the CSP can sell or has sold, with prices in these currencies."""
    drafts = [*_current(csp, data["catalogue"]["products"]), *_legacy(csp, data["catalogue"]["legacyOffers"])]
    Offer.objects.bulk_create(offer for offer, _ in drafts)
    for offer, each in drafts:
        for variant in each:
            variant.offer = offer  # once more, now that it has its id
            variant.search_text = folded(offer.title, variant.terms, offer.product_id, offer.sku_id)
    variants = [variant for _, each in drafts for variant in each]
    OfferVariant.objects.bulk_create(variants)
    by_key: dict[Key, OfferVariant] = {
        (one.offer.product_id, one.offer.sku_id, one.term, one.billing): one for one in variants
    }
    prices = [*_prices(by_key, data["prices"], set(currencies)), *_legacy_prices(by_key, currencies)]
    VariantPrice.objects.bulk_create(prices)
    return Catalogue(
        by_key,
        {(price.variant_id, price.currency): price for price in prices},
        dict(_promotions(csp, by_key, data["promotions"])),
    )


Draft = tuple[Offer, list[OfferVariant]]


def _current(csp: Organization, products: Iterable[Mapping[str, Any]]) -> Iterator[Draft]:
    for product in products:
        for sku in product["skus"]:
            offer = Offer(
                owner=csp,
                product_id=product["id"],
                sku_id=sku["id"],
                title=sku["title"],
                description=sku["description"],
                publisher=product["publisherName"],
                category=CATEGORIES[product["productType"]["id"]],
                is_trial=sku["isTrial"],
                is_addon=sku["dynamicAttributes"]["isAddon"],
            )
            yield (
                offer,
                [
                    OfferVariant(
                        offer=offer,
                        segment=availability["segment"],
                        term=term["duration"],
                        billing=Billing.NONE if offer.category == Category.AZURE_PLAN else term["billingCycle"],
                        availability_id=availability["id"],
                        minimum_quantity=sku["minimumQuantity"],
                        maximum_quantity=sku["maximumQuantity"],
                        is_purchasable=availability["isPurchasable"],
                    )
                    for availability in sku["availabilities"]
                    for term in availability["terms"]
                ],
            )


def _legacy(csp: Organization, offers: Iterable[Mapping[str, Any]]) -> Iterator[Draft]:
    """Offers from before the new commerce: customers have them, nobody can buy them."""
    for listed in offers:
        offer = Offer(owner=csp, product_id=listed["id"], title=listed["name"], category=Category.LEGACY)
        cycles = listed["supportedBillingCycles"]
        yield offer, [OfferVariant(offer=offer, term=LEGACY_TERM, billing=c, is_purchasable=False) for c in cycles]


def _prices(
    variants: Mapping[Key, OfferVariant], sheets: Mapping[str, Mapping[str, Any]], currencies: set[str]
) -> Iterator[VariantPrice]:
    for views in sheets.values():
        for row in (row for view in views.values() for row in view if row["Currency"] in currencies):
            term = "" if row["TermDuration"] == "NoTerm" else row["TermDuration"]
            variant = variants[row["ProductId"], row["SkuId"], term, BILLING_PLANS[row["BillingPlan"]]]
            yield VariantPrice(
                variant=variant,
                currency=row["Currency"],
                list_price=Decimal(row["UnitPrice"]),
                erp=Decimal(row["ERP Price"]),
                valid_from=date.fromisoformat(row["EffectiveStartDate"][:10]),
            )


def _legacy_prices(variants: Mapping[Key, OfferVariant], currencies: Iterable[str]) -> Iterator[VariantPrice]:
    """Price sheets no longer list them; what a customer pays stays as it was agreed."""
    for offer in sold.LEGACY:
        for term, cycle in offer.terms:
            for currency in currencies:
                amounts = sold.price(offer, term, cycle, currency)
                yield VariantPrice(
                    variant=variants[offer.product_id, "", term, cycle],
                    currency=currency,
                    list_price=amounts.cost,
                    erp=amounts.retail,
                    valid_from=date(2020, 1, 1),
                )


def _promotions(
    csp: Organization, variants: Mapping[Key, OfferVariant], promotions: Iterable[Mapping[str, Any]]
) -> Iterator[tuple[str, Promotion]]:
    for listed in promotions:
        products = listed["requiredProducts"]
        promotion = Promotion.objects.create(
            owner=csp,
            promotion_id=listed["id"],
            name=listed["name"],
            percent=Decimal(products[0]["pricingPolicies"][0]["value"]) * 100,
            starts_on=date.fromisoformat(listed["startDate"][:10]),
            ends_on=date.fromisoformat(listed["endDate"][:10]),
        )
        promotion.variants.add(
            *(
                variants[one["productId"], one["skuId"], one["term"]["duration"], one["term"]["billingCycle"].lower()]
                for one in products
            )
        )
        yield listed["id"], promotion


def _billing(subscription: Mapping[str, Any]) -> str:
    is_usage = subscription["billingType"] == "usage"
    return Billing.NONE if is_usage else str(subscription["billingCycle"])
