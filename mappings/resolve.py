"""What a subscription is mapped to on a connection, what stands against a choice, and what is filled in beforehand."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Literal

from django.db.models import Q

from connections.models import Connection, MirroredCompany, MirroredContract, MirroredService
from connections.psa.types import Company, Contract, Service
from mappings import eligibility, matching
from mappings.eligibility import SubscriptionFacts
from mappings.exclusions import left_out_reasons
from mappings.models import CustomerMapping, OfferMapping, SubscriptionMapping
from mappings.overrides import override_on
from mappings.reasons import Reason, reason
from portal.models import Customer, OfferVariant, Subscription

CANDIDATES = 200


@dataclass(frozen=True, slots=True)
class Prefill:
    """A row of the PSA that is filled in for a person. `why` tells where it comes from.

    Mapped: it is decided already. Suggested: a name that fits, for a person to accept. Only: nothing else is eligible.
    """

    id: int
    name: str
    source: Literal["mapped", "suggested", "only"]
    why: str

    @property
    def label(self) -> str:
        return {"mapped": "Mapped", "suggested": "Suggested", "only": "Only one"}[self.source]

    @property
    def tone(self) -> str:
        return "info" if self.source == "suggested" else "ok"


@dataclass(frozen=True, slots=True)
class Held:
    """What mappings are in the way of a pair: what ours is mapped to instead, and which of ours has theirs."""

    mapped_to: str = ""
    taken_by: str = ""


def facts_of(
    subscription: Subscription, connection: Connection, *, today: date, mapped_before: bool | None = None
) -> SubscriptionFacts:
    """What the rules need to know. A subscription that was mapped before (looked up where it is not told) is mapped
    again from `today` on.
    """
    if mapped_before is None:
        mapped_before = subscription.mappings.filter(ends_on__isnull=False).exists()
    offer = subscription.variant.offer
    return SubscriptionFacts(
        name=subscription.friendly_name,
        category=offer.category,
        billing=subscription.variant.billing,
        currency=subscription.currency,
        created_on=subscription.created_on,
        connection_currency=connection.currency,
        today=today,
        ends_on=subscription.ends_on,
        status=subscription.status,
        remapped_on=today if mapped_before else None,
    )


def customer_facts(customer: Customer, connection: Connection, *, today: date) -> SubscriptionFacts:
    """What the rules need to know where a customer is mapped by itself: no more than the connection's currency."""
    own = connection.currency
    return SubscriptionFacts(customer.name, "licence", "monthly", own, today, own, today)


def offer_facts(variant: OfferVariant, connection: Connection, *, today: date) -> SubscriptionFacts:
    """What the rules need to know where an offer variant is mapped by itself, before any of its subscriptions."""
    own = connection.currency
    return SubscriptionFacts(str(variant), variant.offer.category, variant.billing, own, today, own, today)


def company_of(row: MirroredCompany) -> Company:
    return Company(row.remote_id, row.name, row.type_label, row.is_active, row.currency)


def service_of(row: MirroredService) -> Service:
    return Service(row.remote_id, row.name, row.period, row.is_active, row.unit_price, row.unit_cost, row.sku)  # type: ignore[arg-type]


def contract_of(row: MirroredContract) -> Contract:
    return Contract(
        id=row.remote_id,
        company_id=row.company_remote_id,
        name=row.name,
        number=row.number,
        type_label=row.type_label,
        period=row.period,  # type: ignore[arg-type]
        is_active=row.is_active,
        starts_on=row.starts_on,
        ends_on=row.ends_on,
        renewed_contract_id=row.renewed_contract_id,
    )


def open_mapping(subscription: Subscription) -> SubscriptionMapping | None:
    """Where the subscription is billed now."""
    return subscription.mappings.open().select_related("connection").first()


def customer_held(customer_id: int, connection: Connection, company_id: int) -> Held:
    """What the connection's mappings say about this customer and this company, where they differ."""
    mapped_to = taken_by = ""
    rows = CustomerMapping.objects.filter(connection=connection).select_related("customer")
    for row in rows.filter(Q(customer=customer_id) | Q(company_id=company_id)):
        if row.customer_id != customer_id:
            taken_by = row.customer.name
        elif row.company_id != company_id:
            mapped_to = row.company_name
    return Held(mapped_to, taken_by)


def offer_held(variant_id: int, connection: Connection, service_id: int) -> Held:
    """What the connection's mappings say about this offer variant and this service, where they differ."""
    mapped_to = taken_by = ""
    rows = OfferMapping.objects.filter(connection=connection).select_related("variant__offer")
    for row in rows.filter(Q(variant=variant_id) | Q(service_id=service_id)):
        if row.variant_id != variant_id:
            taken_by = str(row.variant)
        elif row.service_id != service_id:
            mapped_to = row.service_name
    return Held(mapped_to, taken_by)


def company_refusals(
    customer_id: int, connection: Connection, company: Company, facts: SubscriptionFacts
) -> tuple[Reason, ...]:
    """Everything that stands against this customer being this company."""
    held = customer_held(customer_id, connection, company.id)
    return eligibility.company_reasons(company, facts, mapped_to=held.mapped_to, taken_by=held.taken_by)


def service_refusals(
    variant_id: int, connection: Connection, service: Service, facts: SubscriptionFacts
) -> tuple[Reason, ...]:
    """Everything that stands against this offer variant being this service."""
    held = offer_held(variant_id, connection, service.id)
    return eligibility.service_reasons(service, facts, mapped_to=held.mapped_to, taken_by=held.taken_by)


def refusals_of(
    subscription: Subscription,
    connection: Connection,
    *,
    company: Company | None,
    service: Service | None,
    contract: Contract | None,
    today: date,
    moved_on: date | None = None,
) -> tuple[Reason, ...]:
    """Everything that stands against putting the subscription on this contract; None: the PSA has no such row.

    `moved_on`: the first day there of a subscription that leaves another contract for it.
    """
    facts = facts_of(subscription, connection, today=today)
    facts = replace(facts, remapped_on=moved_on or facts.remapped_on)
    named = {"company": company, "service": service, "contract": contract}
    missing = tuple(reason("not_there", noun=noun) for noun, row in named.items() if row is None)
    mapped = () if moved_on else (*mapped_reasons(subscription, connection), *left_out_reasons(subscription))
    general = (*mapped, *eligibility.subscription_reasons(facts), *missing)
    if company is None or service is None or contract is None:
        return general
    return (
        *general,
        *company_refusals(subscription.customer_id, connection, company, facts),
        *_service_refusals_there(subscription, connection, service, contract, facts, moved_on or today),
        *eligibility.contract_reasons(contract, facts, company=company),
    )


def _service_refusals_there(
    subscription: Subscription,
    connection: Connection,
    service: Service,
    contract: Contract,
    facts: SubscriptionFacts,
    day: date,
) -> tuple[Reason, ...]:
    """As `service_refusals`; on a contract with a service of its own for the offer, that one alone will do."""
    held = override_on(connection, subscription.variant_id, contract.id, day)
    if held is None:
        return service_refusals(subscription.variant_id, connection, service, facts)
    return eligibility.service_reasons(
        service, facts, mapped_to="" if held.service_id == service.id else held.service_name
    )


def warnings_of(
    subscription: Subscription, connection: Connection, contract: Contract, *, today: date
) -> tuple[Reason, ...]:
    """What a person should look at before they choose this contract."""
    return eligibility.contract_warnings(contract, facts_of(subscription, connection, today=today))


def mapped_reasons(subscription: Subscription, connection: Connection) -> tuple[Reason, ...]:
    """Why it cannot be mapped because it is already; another organization's contract is not named."""
    mapping = open_mapping(subscription)
    if mapping is None:
        return ()
    ours = mapping.connection.organization_id == connection.organization_id
    other = f"{mapping.contract_name} on {mapping.connection}" if ours else "a contract of another organization"
    return (reason("subscription_mapped", subscription=subscription.friendly_name, other=other),)


def company_for(subscription: Subscription, connection: Connection, facts: SubscriptionFacts) -> Prefill | None:
    """The company that the customer is mapped to; else the one eligible company whose name fits, as a suggestion."""
    customer = subscription.customer
    mapping = CustomerMapping.objects.filter(connection=connection, customer=customer).first()
    if mapping is not None:
        return Prefill(mapping.company_id, mapping.company_name, "mapped", f"{customer} is mapped to it")
    held = CustomerMapping.objects.filter(connection=connection).values("company_id")
    rows = (
        MirroredCompany.objects.filter(connection=connection)
        .search(matching.search_word(customer.name))
        .exclude(remote_id__in=held)[:CANDIDATES]
    )
    return _suggestion(customer.name, (row for row in rows if not eligibility.company_reasons(company_of(row), facts)))


def service_for(subscription: Subscription, connection: Connection, facts: SubscriptionFacts) -> Prefill | None:
    """The service that the offer is mapped to; else the one eligible service whose name fits, as a suggestion."""
    variant = subscription.variant
    mapping = OfferMapping.objects.filter(connection=connection, variant=variant).first()
    if mapping is not None:
        return Prefill(mapping.service_id, mapping.service_name, "mapped", "This offer is mapped to it")
    held = OfferMapping.objects.filter(connection=connection).values("service_id")
    rows = (
        MirroredService.objects.filter(connection=connection)
        .search(matching.search_word(variant.offer.title))
        .exclude(remote_id__in=held)[:CANDIDATES]
    )
    fitting = (row for row in rows if not eligibility.service_reasons(service_of(row), facts))
    return _suggestion(variant.offer.title, fitting)


def contract_for(eligible: Sequence[Contract]) -> Prefill | None:
    """The company's one eligible contract; None where there is none or a choice."""
    return (
        Prefill(eligible[0].id, eligible[0].name, "only", "The only eligible contract") if len(eligible) == 1 else None
    )


def _suggestion(ours: str, rows: Iterable[MirroredCompany | MirroredService]) -> Prefill | None:
    names = {row.remote_id: row.name for row in rows}
    found = matching.best(ours, names.items())
    return Prefill(found[0], names[found[0]], "suggested", found[1].why) if found else None
