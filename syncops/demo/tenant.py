"""The demonstration's tenant: a CSP, its resellers, people, customers and subscriptions, as Partner Center has them."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.db import transaction

from connections.provider.partner_center.shapes import Subscription as Bought
from connections.provider.partner_center.translate import facts
from connections.sandbox.seed import partner_center_data
from portal.audit import Actor, record
from portal.folding import folded
from portal.models import Customer, MarginRule, MarginSettings, Organization, Subscription, User
from syncops.demo.catalogue import Catalogue, create_catalogue
from syncops.demo.people import PEOPLE, create_people

Kind, Audience = MarginRule.Kind, MarginRule.Audience
SEEDER = Actor.system("demonstration")
ZONES = {"NL": "Europe/Amsterdam", "GB": "Europe/London"}
FAVOURED_CUSTOMER = "Noordzee Logistics B.V."


@dataclass(frozen=True, slots=True)
class Tenant:
    """The CSP, and the person who does what is done for it by itself."""

    csp: Organization
    administrator: User


def tenant_of(name: str) -> Tenant | None:
    """The demonstration's tenant where it was made before."""
    csp = Organization.objects.filter(name=name, parent=None).first()
    return None if csp is None else Tenant(csp, User.objects.get(email=PEOPLE[0].email))


def ensure_tenant(today: date, now: datetime) -> Tenant:
    """The tenant as the sandbox's Partner Center held it on `today`; nothing is touched where it was made before."""
    data = partner_center_data(today)
    if found := tenant_of(data["organizations"]["provider"]["name"]):
        return found
    with transaction.atomic():
        csp, resellers = _organizations(data, now)
        administrator = create_people(csp, resellers)[0]
        currencies = sorted({one.currency for one in (csp, *resellers)})
        catalogue = create_catalogue(csp, data, currencies)
        customers = _customers(data, {one.microsoft_tenant_id: one for one in resellers}, csp)
        Subscription.objects.bulk_create(_subscriptions(data, customers, catalogue))
        _margins(csp, resellers, customers)
    return Tenant(csp, administrator)


def _organizations(data: Mapping[str, Any], now: datetime) -> tuple[Organization, list[Organization]]:
    csp = _organization(data, data["organizations"]["provider"], None, now)
    return csp, [_organization(data, listed, csp, now) for listed in data["organizations"]["resellers"]]


def _organization(
    data: Mapping[str, Any], listed: Mapping[str, Any], parent: Organization | None, now: datetime
) -> Organization:
    country = listed["location"]
    organization = Organization.objects.create(
        kind=Organization.Kind.RESELLER if parent else Organization.Kind.CSP,
        parent=parent,
        name=listed["name"],
        currency=data["markets"][country]["currency"],
        country=country,
        time_zone=ZONES[country],
        microsoft_tenant_id=listed["id"],
        mpn_id=listed["mpnId"],
        require_mfa=False,
    )
    MarginSettings.objects.create(organization=organization)
    asked = {"name": organization.name, "currency": organization.currency}
    record(
        "Create Organization", actor=SEEDER, organization=organization, subject=str(organization), asked=asked, at=now
    )
    return organization


def _customers(
    data: Mapping[str, Any], resellers: Mapping[str, Organization], csp: Organization
) -> dict[str, Customer]:
    """By Microsoft tenant id. The reseller associated with a customer owns it, else the CSP."""
    made = []
    for listed in data["customers"]:
        profile = listed["companyProfile"]
        made.append(
            Customer(
                organization=resellers.get(listed.get("associatedPartnerId", ""), csp),
                external_id=listed["id"],
                name=profile["companyName"],
                domain=profile["domain"],
                country=profile["address"]["country"],
                email=profile["email"],
                search_text=folded(profile["companyName"], profile["domain"]),
            )
        )
    return {customer.external_id: customer for customer in Customer.objects.bulk_create(made)}


def _subscriptions(
    data: Mapping[str, Any], customers: Mapping[str, Customer], catalogue: Catalogue
) -> Iterator[Subscription]:
    """Oldest first, so that the newest stand at the top of the lists."""
    listed = [(owner, one) for owner, held in data["subscriptions"].items() for one in held]
    for owner, document in sorted(listed, key=lambda pair: pair[1]["creationDate"]):
        yield _subscription(document, customers[owner], catalogue)


def _subscription(document: Mapping[str, Any], customer: Customer, catalogue: Catalogue) -> Subscription:
    bought = Bought.model_validate(document)
    said, organization, variant = facts(bought), customer.organization, catalogue.variant_of(document)
    price = catalogue.prices.get((variant.pk, organization.currency))
    began, created = said.started_at, bought.creation_date
    title = variant.offer.title
    assert created  # Partner Center never leaves it out
    return Subscription(
        organization=organization,
        customer=customer,
        variant=variant,
        external_id=said.external_id,
        friendly_name=said.friendly_name,
        quantity=said.quantity,
        status=said.status,
        currency=organization.currency,
        list_price=price.list_price if price else Decimal(0),
        erp=price.erp if price else Decimal(0),
        promotion=catalogue.promotions.get(bought.promotion_id),
        auto_renew=said.auto_renew,
        created_on=created.astimezone(organization.zone).date(),
        starts_on=began.astimezone(organization.zone).date() if began else None,
        ends_on=said.ends_on,
        search_text=folded(said.friendly_name, title),
    )


def _margins(csp: Organization, resellers: list[Organization], customers: Mapping[str, Customer]) -> None:
    """Of every kind of rule and every level one, so that there is something to look at."""
    favoured = next(customer for customer in customers.values() if customer.name == FAVOURED_CUSTOMER)
    first, second = resellers
    rules: tuple[dict[str, Any], ...] = (
        {"organization": csp, "kind": Kind.MARKUP, "percent": 18},
        {"organization": csp, "category": "licence", "kind": Kind.ERP_DISCOUNT, "percent": 4},
        {"organization": csp, "customer": favoured, "category": "licence", "kind": Kind.ERP_DISCOUNT, "percent": 8},
        {"organization": csp, "audience": Audience.RESELLERS, "kind": Kind.MARKUP, "percent": 7},
        {"organization": csp, "audience": Audience.RESELLERS, "reseller": second, "kind": Kind.MARKUP, "percent": 6},
        {"organization": first, "kind": Kind.SPLIT, "percent": 80},
        {"organization": second, "kind": Kind.MARKUP, "percent": 12},
    )
    MarginRule.objects.bulk_create(MarginRule(**{"audience": Audience.CUSTOMERS} | rule) for rule in rules)
