"""What comes from Microsoft without having been entered here: resellers, customers, offers, subscriptions.

Each function finds what is there already, by Microsoft's ids without regard to case, and makes what is not, with its
audit entry in the same transaction. Resellers are completed, never written over; customers are called what Microsoft
calls them.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.db.models import Q

from portal.actions.lifecycle import Learned
from portal.actions.subscriptions import record_change
from portal.audit import record
from portal.folding import folded
from portal.models import (
    Customer,
    Offer,
    OfferVariant,
    Order,
    OrderLine,
    Organization,
    Subscription,
    SubscriptionChange,
    VariantPrice,
)

LONGEST_NAME = 150
AT_MICROSOFT = (Order.State.PLACING, Order.State.PROVISIONING)  # or perhaps there


@dataclass(frozen=True, slots=True)
class NewOffer:
    """What a subscription itself tells of its offer, for one that the catalogue does not have (any more)."""

    product_id: str
    sku_id: str
    title: str
    category: str
    term: str
    billing: str
    availability_id: str = ""
    publisher: str = "Microsoft Corporation"
    is_trial: bool = False


@dataclass(frozen=True, slots=True)
class Arrival:
    """A subscription that is seen for the first time. Prices are per unit and billing period, in `currency`."""

    external_id: str
    variant: OfferVariant
    organization: Organization
    quantity: int
    status: str
    friendly_name: str
    list_price: Decimal
    erp: Decimal
    auto_renew: bool
    created_on: date
    starts_on: date | None
    ends_on: date | None
    promotion_id: int | None = None


def arrive_reseller(
    csp: Organization, learned: Learned, *, name: str, tenant_id: str, mpn_id: str, country: str = ""
) -> Organization:
    """The reseller of that Microsoft tenant or partner id; one that was entered by its name only gets both."""
    with transaction.atomic():
        theirs = Organization.objects.select_for_update(no_key=True).filter(parent=csp)
        row = (
            theirs.filter(microsoft_tenant_id__iexact=tenant_id).first()
            or (theirs.filter(mpn_id=mpn_id).first() if mpn_id else None)
            or theirs.filter(name=name[:LONGEST_NAME], microsoft_tenant_id="").first()
        )
        if row is None:
            return _new_reseller(csp, learned, name=name, tenant_id=tenant_id, mpn_id=mpn_id, country=country)
        given = {"microsoft_tenant_id": tenant_id, "mpn_id": mpn_id}
        lacking = {field: value for field, value in given.items() if value and not getattr(row, field)}
        if lacking:
            before = {field: getattr(row, field) for field in lacking}
            Organization.objects.filter(pk=row.pk).update(**lacking)
            for field, value in lacking.items():
                setattr(row, field, value)
            _audit("Import Reseller", row, learned, subject=str(row), before=before, after=lacking)
    return row


def _new_reseller(csp: Organization, learned: Learned, *, name: str, country: str, **ids: str) -> Organization:
    name = name.strip()[:LONGEST_NAME] or ids["mpn_id"] or ids["tenant_id"]
    if Organization.objects.filter(parent=csp, name=name).exists():
        name = f"{name[: LONGEST_NAME - 30]} ({ids['mpn_id'] or ids['tenant_id'][:8]})"
    row = Organization.objects.create(
        kind=Organization.Kind.RESELLER,
        parent=csp,
        name=name,
        currency=csp.currency,
        country=country[:2] or csp.country,
        time_zone=csp.time_zone,
        microsoft_tenant_id=ids["tenant_id"],
        mpn_id=ids["mpn_id"][:20],
    )
    _audit("Import Reseller", row, learned, subject=name, after={"name": name, **ids})
    return row


def arrive_customer(
    organization: Organization, learned: Learned, *, external_id: str, name: str, **told: str
) -> tuple[Customer, bool]:
    """The tenant's customer of that Microsoft tenant and whether it is new, owned by `organization` where it is made.

    `told`: domain, email, country. What is not told stays as it is: lists leave most of it out.
    """
    of_tenant = Q(organization=organization.root_id) | Q(organization__parent=organization.root_id)
    known = Customer.objects.filter(of_tenant, external_id__iexact=external_id).select_related("organization")
    told = {field: value for field, value in told.items() if value} | ({"name": name} if name else {})
    with transaction.atomic():
        row = known.filter(organization=organization).first() or known.order_by("pk").first()
        if row is None:
            return _new_customer(organization, learned, external_id, told), True
        news = {field: value for field, value in told.items() if getattr(row, field) != value}
        if news:
            before = {field: getattr(row, field) for field in news}
            for field, value in news.items():
                setattr(row, field, value)
            row.search_text = folded(row.name, row.domain)
            row.save(update_fields=[*news, "search_text"])
            _audit("Import Customer", row.organization, learned, customer=row, before=before, after=news)
    return row, False


def _new_customer(organization: Organization, learned: Learned, external_id: str, told: dict[str, str]) -> Customer:
    told.setdefault("name", external_id)
    search_text = folded(told["name"], told.get("domain", ""))
    row = Customer.objects.create(organization=organization, external_id=external_id, search_text=search_text, **told)
    _audit("Import Customer", organization, learned, customer=row, after={"external_id": external_id} | told)
    return row


def arrive_variant(csp: Organization, offer: NewOffer) -> OfferVariant:
    """The variant of that offer, made where the catalogue lacks it: nobody can buy it here then, but it can be billed.

    A SKU is sold in one segment, so the segment is not asked for.
    """
    keys = {"offer__owner": csp, "offer__product_id__iexact": offer.product_id, "offer__sku_id__iexact": offer.sku_id}
    found = OfferVariant.objects.filter(**keys, term=offer.term, billing=offer.billing).select_related("offer")
    if row := found.order_by("-is_purchasable", "pk").first():
        return row
    with transaction.atomic():
        parent = Offer.objects.filter(
            owner=csp, product_id__iexact=offer.product_id, sku_id__iexact=offer.sku_id
        ).first() or Offer.objects.create(
            owner=csp,
            product_id=offer.product_id,
            sku_id=offer.sku_id,
            title=offer.title,
            category=offer.category,
            publisher=offer.publisher,
            is_trial=offer.is_trial,
        )
        like = parent.variants.order_by("pk").first()
        row = OfferVariant(
            offer=parent,
            segment=like.segment if like else OfferVariant.Segment.COMMERCIAL,
            term=offer.term,
            billing=offer.billing,
            availability_id=offer.availability_id,
            is_purchasable=False,
        )
        row.search_text = folded(parent.title, row.terms, parent.product_id, parent.sku_id)
        row.save(force_insert=True)
    return row


def price_on(variant: OfferVariant, currency: str, day: date | None) -> tuple[Decimal, Decimal] | None:
    """List price and ERP that were in force on a day: a subscription keeps them until its term ends.

    Older terms than the price sheets that are known take the oldest price; None where there is none at all.
    """
    rows = VariantPrice.objects.filter(variant=variant, currency=currency)
    then = rows.filter(valid_from__lte=day).order_by("-valid_from").first() if day else None
    row = then or rows.order_by("valid_from").first()
    return (row.list_price, row.erp) if row else None


def awaited(customer: Customer, variant: OfferVariant) -> bool:
    """Whether an order of ours that Microsoft has, or may have, is bound to bring a subscription of this variant."""
    lines = OrderLine.objects.filter(order__customer=customer, order__state__in=AT_MICROSOFT, error="")
    return lines.filter(variant__offer=variant.offer_id, subscription__external_id="").exists()


def arrive_subscription(customer: Customer, arrival: Arrival, learned: Learned) -> Subscription:
    """Record a subscription that exists at Microsoft, in the caller's transaction; it is billed from its start on.

    One that is in use is told to the listeners as activated. Raises IntegrityError where somebody was quicker.
    """
    title = arrival.variant.offer.title
    row = Subscription.objects.create(
        organization=arrival.organization,
        customer=customer,
        variant=arrival.variant,
        external_id=arrival.external_id,
        friendly_name=arrival.friendly_name[:200],
        quantity=arrival.quantity,
        status=arrival.status,
        currency=arrival.organization.currency,
        list_price=arrival.list_price,
        erp=arrival.erp,
        promotion_id=arrival.promotion_id,
        auto_renew=arrival.auto_renew,
        created_on=arrival.created_on,
        starts_on=arrival.starts_on,
        ends_on=arrival.ends_on,
        search_text=folded(arrival.friendly_name, title),
    )
    shown = {"quantity": row.quantity, "status": row.status, "starts_on": row.starts_on, "ends_on": row.ends_on}
    change = None
    if row.status in Subscription.BILLED:
        change = record_change(
            row,
            kind=SubscriptionChange.Kind.ACTIVATED,
            effective_on=learned.on,
            source=learned.source,
            after=shown,
            before={},
            actor=learned.actor,
            at=learned.at,
        )
    _audit(
        "Import Subscription",
        row.organization,
        learned,
        subscription=row,
        after=shown | {"offer": str(arrival.variant), "list_price": row.list_price, "erp": row.erp},
        correlation_id=change.correlation_id if change else None,
    )
    return row


def _audit(name: str, organization: Organization, learned: Learned, **about: Any) -> None:
    subject = about.pop("subject", "") or str(about.get("subscription") or about.get("customer") or organization)
    record(name, actor=learned.actor, organization=organization, subject=subject, at=learned.at, **about)
