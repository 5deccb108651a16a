"""A business of the largest size that is spoken of, and an Autotask to match, for the mapping pages.

Three connections know the same Autotask: on the first one nothing is mapped yet, on the second one half, on the third
one everything. The subscriptions that are mapped are so on the second one.
"""

import random
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from django.db import transaction

from connections.models import Connection, MirroredCompany, MirroredContract, MirroredService
from mappings.models import CustomerMapping, OfferMapping, SubscriptionMapping, Suggestion
from portal.folding import folded
from portal.models import Customer, Offer, OfferVariant, Organization, Subscription
from tests.benchmarks.suggest import name_of, written_by_others
from tests.cast import make_cast

CUSTOMERS, VARIANTS, SUBSCRIPTIONS, CONTRACTS = 20_000, 5_000, 50_000, 50_000
NOW, DAY = datetime(2026, 5, 10, 9, tzinfo=UTC), date(2026, 5, 10)
BILLINGS = (("monthly", "monthly"), ("annual", "yearly"))
PRICE, COST = Decimal("5.0000"), Decimal("4.0000")
SUGGESTED_EACH = 20  # every so many of what is not mapped has a suggestion, every tenth of those is a conflict


def fill_mappings() -> dict[str, int]:
    """Fill an empty installation; ids of the three connections and of a customer, an offer and a subscription that
    are not mapped on the second one.
    """
    chance = random.Random(5)
    with transaction.atomic():
        owner = make_cast().csp
        fresh, half, full = (_connection(owner, name) for name in ("Fresh", "Half", "Full"))
        customers, variants = _customers(owner, chance), _variants(owner, chance)
        subscriptions = _subscriptions(owner, customers, variants)
        for connection in (fresh, half, full):
            _mirror(connection, customers, variants, random.Random(6))
        _map(half, customers, variants, until=0.5)
        _map(full, customers, variants, until=1.0)
        _bill(half, subscriptions)
        _suggest(half, customers, variants)
    return {"fresh": fresh.pk, "half": half.pk, "full": full.pk} | {
        "customer": customers[CUSTOMERS // 2 + 1].pk,
        "offer": variants[VARIANTS // 2 + 1].pk,
        "subscription": subscriptions[-1].pk,
    }


def _connection(owner: Organization, name: str) -> Connection:
    return Connection.objects.create(organization=owner, name=name, kind="autotask", currency="EUR", state="active")


def _stored(rows: list[Any]) -> list[Any]:
    return list(type(rows[0]).objects.bulk_create(rows, batch_size=2_000))


def _customers(owner: Organization, chance: random.Random) -> list[Customer]:
    return _stored(
        [
            Customer(organization=owner, name=name, external_id=f"tenant-{number}", search_text=folded(name))
            for number in range(CUSTOMERS)
            if (name := name_of(chance))
        ]
    )


def _variants(owner: Organization, chance: random.Random) -> list[OfferVariant]:
    titles = [f"{name_of(chance)} Plan {number}" for number in range(VARIANTS // len(BILLINGS))]
    offers = _stored(
        [
            Offer(owner=owner, product_id=f"CFQ-{number}", sku_id="0001", title=title, category="licence")
            for number, title in enumerate(titles)
        ]
    )
    return _stored(
        [
            OfferVariant(offer=offer, term="P1Y", billing=billing, search_text=folded(offer.title))
            for offer in offers
            for billing, _ in BILLINGS
        ]
    )


def _subscriptions(owner: Organization, customers: list[Customer], variants: list[OfferVariant]) -> list[Subscription]:
    return _stored(
        [
            Subscription(
                organization=owner,
                customer=customers[number % CUSTOMERS],
                variant=(variant := variants[number % VARIANTS]),
                external_id=f"SUB-{number}",
                friendly_name=variant.offer.title[:200],
                quantity=10,
                status="active",
                currency=owner.currency,
                list_price=COST,
                erp=PRICE,
                created_on=date(2026, 5, 1),
                starts_on=date(2026, 5, 1),
                ends_on=date(2027, 4, 30),
                search_text=variant.search_text,
            )
            for number in range(SUBSCRIPTIONS)
        ]
    )


def _mirror(
    connection: Connection, customers: list[Customer], variants: list[OfferVariant], chance: random.Random
) -> None:
    """Every second company has exactly its customer's name; every tenth is inactive. So are services."""
    same: dict[str, Any] = {"connection": connection, "read_at": NOW}
    companies, services = [], []
    for number, customer in enumerate(customers):
        name = customer.name if number % 2 else written_by_others(customer.name, chance)
        active: dict[str, Any] = {"type_label": "Customer", "is_active": number % 10 != 0, "currency": "EUR"}
        companies.append(MirroredCompany(**same, **_named(number + 1, name), **active))
    for number, variant in enumerate(variants):
        title, period = variant.offer.title, dict(BILLINGS)[variant.billing]
        name = title if number % 4 < 2 else written_by_others(title, chance)
        active = {"period": period, "is_active": number % 10 != 0, "unit_price": PRICE, "unit_cost": COST}
        services.append(MirroredService(**same, **_named(number + 1, name), **active))
    _stored(companies)
    _stored(services)
    _stored([_contract(same, number) for number in range(CONTRACTS)])


def _contract(same: dict[str, Any], number: int) -> MirroredContract:
    return MirroredContract(
        **same,
        **_named(number + 1, f"Cloud services {number}"),
        company_remote_id=number % CUSTOMERS + 1,
        type_label="Recurring Service",
        period=BILLINGS[number // CUSTOMERS % 2][1],
        is_active=True,
        starts_on=date(2026, 1, 1),
        ends_on=date(2027, 12, 31),
    )


def _named(remote_id: int, name: str) -> dict[str, Any]:
    return {"remote_id": remote_id, "name": name, "search_name": folded(name, at_most=150)}


def _map(connection: Connection, customers: list[Customer], variants: list[OfferVariant], *, until: float) -> None:
    _stored(
        [
            CustomerMapping(
                connection=connection, customer=one, company_id=number + 1, company_name=one.name[:150], created_at=NOW
            )
            for number, one in enumerate(customers[: int(CUSTOMERS * until)])
        ]
    )
    _stored(
        [
            OfferMapping(
                connection=connection,
                variant=one,
                service_id=number + 1,
                service_name=one.offer.title[:150],
                created_at=NOW,
            )
            for number, one in enumerate(variants[: int(VARIANTS * until)])
        ]
    )


def _bill(connection: Connection, subscriptions: list[Subscription]) -> None:
    """The first half of the subscriptions has a line each."""
    _stored(
        [
            SubscriptionMapping(
                connection=connection,
                subscription=one,
                company_id=number % CUSTOMERS + 1,
                company_name="Company",
                service_id=number % VARIANTS + 1,
                service_name="Service",
                contract_id=number + 1,
                contract_name=f"Cloud services {number}",
                line_id=number + 1,
                starts_on=DAY,
                created_at=NOW,
            )
            for number, one in enumerate(subscriptions[: SUBSCRIPTIONS // 2])
        ]
    )


def _suggest(connection: Connection, customers: list[Customer], variants: list[OfferVariant]) -> None:
    rows = []
    for column, ours in (("customer", customers), ("variant", variants)):
        for place in range(len(ours) // 2, len(ours), SUGGESTED_EACH):
            state = "conflict" if place % (SUGGESTED_EACH * 10) == 0 else "open"
            words = {"remote_id": place + 1, "remote_name": str(ours[place])[:150], "why": "Alike names"}
            found = {"score": 90, "state": state, "found_at": NOW}
            rows.append(Suggestion(connection=connection, **{column: ours[place]}, **words, **found))
    _stored(rows)
