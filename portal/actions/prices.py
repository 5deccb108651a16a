"""Prices of subscriptions and of what can be bought: the rows that the pricing rules need, loaded in few queries."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from django.db.models import Q
from django.utils import timezone

from portal.models import (
    Customer,
    MarginRule,
    MarginSettings,
    Offer,
    OfferVariant,
    Organization,
    Promotion,
    Subscription,
    VariantPrice,
)
from portal.pricing import (
    Buyer,
    Priced,
    PromotionTerms,
    Rule,
    Seller,
    Sheet,
    Terms,
    needs_erp,
    rule_for,
    sell,
    sell_through,
)

USAGE_BASED = (Offer.Category.AZURE_PLAN,)


@dataclass(frozen=True, slots=True)
class Usage:
    """What usage costs the organization and what its customer pays, rounded to the currency; `rule` in words."""

    cost: Decimal
    price: Decimal
    rule: str


@dataclass(frozen=True, slots=True)
class PriceBook:
    """The margin rules and terms of one organization and, for a reseller, of its CSP."""

    organization: Organization
    rules: Mapping[int, Sequence[Rule]]
    terms: Mapping[int, Terms]

    @classmethod
    def of(cls, organization: Organization, subscriptions: Iterable[int] = ()) -> "PriceBook":
        """Two queries. `subscriptions`: the ids whose own rules are needed."""
        sellers = {organization.pk, organization.root_id}
        rules: dict[int, list[Rule]] = {pk: [] for pk in sellers}
        wanted = Q(subscription__isnull=True) | Q(subscription__in=list(subscriptions))
        for row in MarginRule.objects.filter(wanted, organization__in=sellers):
            rules[row.organization_id].append(_rule(row))
        found = {row.organization_id: _terms(row) for row in MarginSettings.objects.filter(organization__in=sellers)}
        return cls(organization, rules, {pk: found.get(pk, Terms()) for pk in sellers})

    def changed(
        self,
        organization_id: int,
        *,
        removed: MarginRule | None = None,
        added: MarginRule | None = None,
        settings: MarginSettings | None = None,
    ) -> "PriceBook":
        """The book as it would be with one rule of an organization taken out or put in, or with other settings."""
        rules, terms = {pk: list(found) for pk, found in self.rules.items()}, dict(self.terms)
        if removed is not None and _rule(removed) in rules.get(organization_id, []):
            rules[organization_id].remove(_rule(removed))
        if added is not None:
            rules.setdefault(organization_id, []).append(_rule(added))
        if settings is not None:
            terms[organization_id] = _terms(settings)
        return PriceBook(self.organization, rules, terms)

    def price_of(self, subscription: Subscription, today: date) -> Priced:
        """The price of a subscription; give it with variant, offer and promotion."""
        category = subscription.variant.offer.category
        return self.price(_sheet_of(subscription, today), category, subscription.customer_id, subscription.pk)

    def price(self, sheet: Sheet, category: str, customer_id: int, subscription_id: int | None = None) -> Priced:
        """What the customer pays, in the context of this organization."""
        own = self._seller(self.organization, Buyer(category, customer_id, subscription_id=subscription_id))
        if self.organization.parent is None:
            return sell(sheet, own.rule, own.terms)
        csp = self._seller(self.organization.parent, Buyer(category, reseller_id=self.organization.pk))
        return sell_through(sheet, csp, own)

    def price_usage(
        self, subscription: Subscription, cost: Decimal, retail: Decimal | None, day: date, *, of_csp: bool = False
    ) -> Usage | None:
        """What is paid for usage that costs the organization `cost`, or with `of_csp` its CSP; `retail` is the same
        usage at Microsoft's retail prices. None where a rule asks for that and nobody knows it.
        """
        category, customer, pk = subscription.variant.offer.category, subscription.customer_id, subscription.pk
        own = self._seller(self.organization, Buyer(category, customer, subscription_id=pk))
        sellers, sheet = [own], Sheet(cost, retail or Decimal(0), subscription.currency, day)
        if of_csp and self.organization.parent is not None:
            buyer = Buyer(category, reseller_id=self.organization.pk)
            sellers.insert(0, self._seller(self.organization.parent, buyer))
        if retail is None and any(needs_erp(one.rule, one.terms) for one in sellers):
            return None
        sold = sell_through(sheet, *sellers) if len(sellers) > 1 else sell(sheet, own.rule, own.terms)
        return Usage(sold.unit_cost, sold.unit_price, own.rule.words if own.rule else "sold at ERP")

    def _seller(self, organization: Organization, buyer: Buyer) -> Seller:
        return Seller(organization.name, rule_for(self.rules[organization.pk], buyer), self.terms[organization.pk])


def priced(subscription: Subscription, *, today: date | None = None) -> Priced:
    """The price of a subscription for its customer, with the explanation; cost is what its owner pays.

    A subscription keeps the price sheet and the promotion of its purchase until its term ends; the margin rules are
    those in force now.
    """
    return priced_subscriptions(subscription.organization, [subscription], today=today)[subscription.pk]


def priced_subscriptions(
    organization: Organization, subscriptions: Sequence[Subscription], *, today: date | None = None
) -> dict[int, Priced]:
    """The prices of subscriptions of one organization by their ids; give them with variant, offer and promotion."""
    book = PriceBook.of(organization, [subscription.pk for subscription in subscriptions])
    day = today or timezone.now().astimezone(organization.zone).date()
    return {
        subscription.pk: book.price(
            _sheet_of(subscription, day), subscription.variant.offer.category, subscription.customer_id, subscription.pk
        )
        for subscription in subscriptions
    }


def priced_variants(
    organization: Organization,
    customer: Customer,
    variants: Sequence[OfferVariant],
    today: date,
    quantities: Mapping[int, int] | None = None,
) -> dict[int, Priced]:
    """What the customer would pay for variants bought today, by their ids, in the organization's currency.

    Four queries, however many variants. `quantities`: how many are bought, which decides about promotions (the smallest
    quantity otherwise). A variant without a price in that currency is left out; what is billed by usage costs 0.
    """
    ids = [variant.pk for variant in variants]
    sheets = current_prices(ids, organization.currency, today)
    promotions = running_promotions(ids, today)
    book = PriceBook.of(organization)
    found: dict[int, Priced] = {}
    for variant in variants:
        prices = sheets.get(variant.pk) or (_FREE if variant.offer.category in USAGE_BASED else None)
        if prices is None:
            continue
        quantity = (quantities or {}).get(variant.pk, variant.minimum_quantity)
        promotion = best_promotion(promotions.get(variant.pk, ()), quantity)
        sheet = Sheet(*prices, organization.currency, today, promotion_terms(promotion))
        found[variant.pk] = book.price(sheet, variant.offer.category, customer.pk)
    return found


_FREE = (Decimal(0), Decimal(0))


def current_prices(variants: Sequence[int], currency: str, today: date) -> dict[int, tuple[Decimal, Decimal]]:
    """List price and ERP in force today by variant; where two overlap the later one counts."""
    rows = VariantPrice.objects.filter(variant__in=variants, currency=currency, valid_from__lte=today)
    in_force = rows.filter(Q(valid_to__isnull=True) | Q(valid_to__gte=today)).order_by("valid_from")
    return {row.variant_id: (row.list_price, row.erp) for row in in_force}


def running_promotions(variants: Sequence[int], today: date) -> dict[int, list[Promotion]]:
    """The promotions that an order placed today can use, by variant."""
    links = Promotion.variants.through.objects.filter(
        offervariant__in=variants, promotion__starts_on__lte=today, promotion__ends_on__gte=today
    ).select_related("promotion")
    found: dict[int, list[Promotion]] = {}
    for link in links:
        found.setdefault(link.offervariant_id, []).append(link.promotion)
    return found


def best_promotion(promotions: Iterable[Promotion], quantity: int) -> Promotion | None:
    """The promotion with the highest percentage among those that allow the quantity."""
    fitting = [
        promotion
        for promotion in promotions
        if promotion.minimum_quantity <= quantity <= (promotion.maximum_quantity or quantity)
    ]
    return max(fitting, key=lambda promotion: (promotion.percent, promotion.pk), default=None)


def promotion_terms(promotion: Promotion | None) -> PromotionTerms | None:
    return PromotionTerms(promotion.pk, promotion.name, promotion.percent) if promotion else None


def _sheet_of(subscription: Subscription, today: date) -> Sheet:
    term_is_over = subscription.ends_on is not None and subscription.ends_on < today
    return Sheet(
        subscription.list_price,
        subscription.erp,
        subscription.currency,
        subscription.starts_on or subscription.created_on,
        None if term_is_over else promotion_terms(subscription.promotion),
    )


def _rule(row: MarginRule) -> Rule:
    return Rule(
        kind=row.kind,  # type: ignore[arg-type]
        percent=row.percent,
        category=row.category,
        audience=row.audience,  # type: ignore[arg-type]
        customer_id=row.customer_id,
        reseller_id=row.reseller_id,
        subscription_id=row.subscription_id,
    )


def _terms(row: MarginSettings) -> Terms:
    return Terms(row.pass_promotions, row.markup_limit, row.discount_limit)
