"""The people and organizations that tests are played with: an owner's CSP, its reseller, and a stranger's CSP."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from portal.folding import folded
from portal.models import (
    Customer,
    Offer,
    OfferVariant,
    Organization,
    Subscription,
    User,
    VariantPrice,
)

TODAY = date(2026, 5, 10)
PASSWORD = "correct horse battery staple"  # the same for everybody in tests


@dataclass(frozen=True)
class Cast:
    """One CSP with a reseller and people in every role, and a stranger in another tenant."""

    csp: Organization
    reseller: Organization
    other_csp: Organization
    admin: User
    billing: User
    operations: User
    reader: User
    reseller_admin: User
    stranger: User


def make_user(email: str, organization: Organization, role: str) -> User:
    user = User(email=email, organization=organization, role=role, password="!unusable")
    user.save()
    return user


def make_cast() -> Cast:
    csp = Organization.objects.create(
        kind="csp", name="Alder Cloud", currency="EUR", country="BE", time_zone="Europe/Brussels", require_mfa=False
    )
    reseller = Organization.objects.create(
        kind="reseller",
        name="Birch IT",
        parent=csp,
        currency="EUR",
        country="BE",
        time_zone="Europe/Brussels",
        require_mfa=False,
    )
    other = Organization.objects.create(
        kind="csp", name="Stranger Cloud", currency="EUR", country="BE", time_zone="Europe/Brussels", require_mfa=False
    )
    return Cast(
        csp=csp,
        reseller=reseller,
        other_csp=other,
        admin=make_user("admin@alder.example", csp, "administrator"),
        billing=make_user("billing@alder.example", csp, "billing"),
        operations=make_user("operations@alder.example", csp, "operations"),
        reader=make_user("reader@alder.example", csp, "reader"),
        reseller_admin=make_user("admin@birch.example", reseller, "administrator"),
        stranger=make_user("admin@stranger.example", other, "administrator"),
    )


def make_customer(organization: Organization, name: str = "Contoso", **fields: Any) -> Customer:
    defaults = {"external_id": f"tenant-{organization.pk}-{name}".lower(), "search_text": folded(name)}
    return Customer.objects.create(organization=organization, name=name, **(defaults | fields))


def make_variant(owner: Organization, title: str = "Microsoft 365 Business Basic", **fields: Any) -> OfferVariant:
    category = fields.pop("category", "licence")
    list_price, erp = fields.pop("list_price", Decimal("4.00")), fields.pop("erp", Decimal("5.00"))
    offer, _ = Offer.objects.get_or_create(
        owner=owner,
        product_id=fields.pop("product_id", f"CFQ-{title}"[:60]),
        sku_id="0001",
        defaults={"title": title, "category": category},
    )
    defaults = {"term": "P1Y", "billing": "monthly", "availability_id": "AVAIL", "search_text": folded(title)}
    variant = OfferVariant.objects.create(offer=offer, **(defaults | fields))
    VariantPrice.objects.create(
        variant=variant, currency=owner.currency, list_price=list_price, erp=erp, valid_from=date(2020, 1, 1)
    )
    return variant


def make_subscription(customer: Customer, variant: OfferVariant, quantity: int = 10, **fields: Any) -> Subscription:
    defaults: dict[str, Any] = {
        "organization": customer.organization,
        "external_id": f"sub-{Subscription.objects.count() + 1}",
        "friendly_name": variant.offer.title,
        "status": "active",
        "currency": customer.organization.currency,
        "list_price": Decimal("4.00"),
        "erp": Decimal("5.00"),
        "created_on": date(2026, 5, 1),
        "starts_on": date(2026, 5, 1),
        "ends_on": date(2027, 4, 30),
        "search_text": folded(variant.offer.title),
    }
    return Subscription.objects.create(customer=customer, variant=variant, quantity=quantity, **(defaults | fields))
