"""Price sheets: offers, variants and prices as Microsoft lists them, stored in portions.

A variant that is made by a price sheet alone has no availability id, so it cannot be bought here; it can be billed.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from itertools import islice

from django.db import transaction

from portal.folding import folded
from portal.models import Offer, OfferVariant, Organization, Promotion, VariantPrice

PORTION = 500


@dataclass(frozen=True, slots=True)
class SheetRow:
    """One line of a price sheet: the price of one unit for one billing period. `valid_to` is the last day."""

    product_id: str
    sku_id: str
    title: str
    description: str
    publisher: str
    category: str
    segment: str
    term: str
    billing: str
    currency: str
    list_price: Decimal
    erp: Decimal
    valid_from: date
    valid_to: date | None = None

    @property
    def offer_key(self) -> tuple[str, str]:
        return self.product_id.casefold(), self.sku_id.casefold()

    @property
    def key(self) -> tuple[str, ...]:
        return (*self.offer_key, self.segment, self.term, self.billing)


@dataclass(frozen=True, slots=True)
class PromotionRow:
    """A promotion: percent off the variants with these keys (product, SKU, term, billing), for orders while it runs."""

    promotion_id: str
    name: str
    percent: Decimal
    starts_on: date
    ends_on: date
    of: tuple[tuple[str, str, str, str], ...]


class PriceBookkeeper:
    """Stores price sheets of one CSP. What the catalogue holds is looked up once."""

    def __init__(self, csp: Organization) -> None:
        self._csp = csp
        offers = Offer.objects.filter(owner=csp)
        self._offers = {(o.product_id.casefold(), o.sku_id.casefold()): o for o in offers}
        self._variants: dict[tuple[str, ...], int] = {}
        fields = ("offer__product_id", "offer__sku_id", "segment", "term", "billing", "pk")
        for product, sku, *plan, pk in OfferVariant.objects.filter(offer__owner=csp).values_list(*fields):
            self._variants[(product.casefold(), sku.casefold(), *plan)] = pk

    def store(self, rows: Iterable[SheetRow]) -> int:
        """How many prices were stored. Each portion is a transaction, so a long sheet holds nobody up."""
        total, source = 0, iter(rows)
        while portion := list(islice(source, PORTION)):
            with transaction.atomic():
                self._store(portion)
            total += len(portion)
        return total

    def _store(self, rows: Sequence[SheetRow]) -> None:
        missing = {row.offer_key: row for row in rows if row.offer_key not in self._offers}
        made = Offer.objects.bulk_create([self._offer(row) for row in missing.values()])
        self._offers |= dict(zip(missing, made, strict=True))
        variants = {row.key: row for row in rows if row.key not in self._variants}
        created = OfferVariant.objects.bulk_create([self._variant(row) for row in variants.values()])
        self._variants |= {key: one.pk for key, one in zip(variants, created, strict=True)}
        prices = {(self._variants[row.key], row.currency, row.valid_from): row for row in rows}
        VariantPrice.objects.bulk_create(
            [
                VariantPrice(
                    variant_id=variant,
                    currency=currency,
                    valid_from=day,
                    valid_to=row.valid_to,
                    list_price=row.list_price,
                    erp=row.erp,
                )
                for (variant, currency, day), row in prices.items()
            ],
            update_conflicts=True,
            unique_fields=["variant", "currency", "valid_from"],
            update_fields=["list_price", "erp", "valid_to"],
        )

    def _offer(self, row: SheetRow) -> Offer:
        return Offer(
            owner=self._csp,
            product_id=row.product_id,
            sku_id=row.sku_id,
            title=row.title[:250],
            description=row.description,
            publisher=row.publisher[:120],
            category=row.category,
        )

    def _variant(self, row: SheetRow) -> OfferVariant:
        offer = self._offers[row.offer_key]
        plan = {"segment": row.segment, "term": row.term, "billing": row.billing}
        variant = OfferVariant(offer=offer, is_purchasable=False, **plan)
        variant.search_text = folded(offer.title, variant.terms, offer.product_id, offer.sku_id)
        return variant


def store_promotions(csp: Organization, rows: Iterable[PromotionRow]) -> int:
    """Microsoft's promotions as they are now; how many. One that ended stays, for those who bought under it."""
    count = 0
    for row in rows:
        with transaction.atomic():
            values = {"name": row.name[:200], "percent": row.percent}
            values |= {"starts_on": row.starts_on, "ends_on": row.ends_on}
            promotion, _ = Promotion.objects.update_or_create(
                owner=csp, promotion_id=row.promotion_id[:120], defaults=values
            )
            promotion.variants.set(list(_variants_of(csp, row)))
        count += 1
    return count


def _variants_of(csp: Organization, row: PromotionRow) -> Iterator[OfferVariant]:
    for product, sku, term, billing in row.of:
        found = OfferVariant.objects.filter(
            offer__owner=csp, offer__product_id__iexact=product, offer__sku_id__iexact=sku, term=term, billing=billing
        )
        yield from found
