"""Making mappings. Each writes its row and its audit entry in one transaction; the database decides who was first."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, TypeVar

from django.db import IntegrityError, transaction
from django.db.models import Q

from connections.models import Connection
from connections.psa.types import Company, Contract, Service
from mappings.models import CustomerMapping, DefaultContract, OfferMapping, SubscriptionMapping, Suggestion
from mappings.reasons import Reason, reason
from mappings.resolve import mapped_reasons, open_mapping
from portal.audit import Actor, record
from portal.models import AuditEntry, Customer, OfferVariant, Organization, Subscription

MAP_CUSTOMER = "Create Connection Customer Mapping"
MAP_OFFER = "Create Connection Offer Mapping"
DEFAULT_CONTRACT = "Choose Default Contract"
MAP_SUBSCRIPTION = "Trigger Subscription Mapping To Connection"

Row = TypeVar("Row", CustomerMapping, OfferMapping, SubscriptionMapping)


class AlreadyMapped(Exception):
    """Another mapping is in the way; `reason` names it. Nothing was written."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(str(reason))
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Mapped:
    """A subscription's mapping; `entry` is its audit entry, None where the same mapping was there before."""

    mapping: SubscriptionMapping
    entry: AuditEntry | None


def map_customer(
    *,
    connection: Connection,
    customer: Customer,
    company: Company,
    actor: Actor,
    at: datetime,
    correlation_id: uuid.UUID | None = None,
) -> CustomerMapping:
    """The customer is this company. The same mapping again is the one that exists; raises AlreadyMapped for another."""
    with transaction.atomic():
        row = CustomerMapping(
            connection=connection,
            customer=customer,
            company_id=company.id,
            company_name=company.name,
            created_by_id=actor.user_id,
            created_at=at,
        )
        if not _inserted(row):
            return _existing_customer_mapping(connection, customer, company)
        names = Suggestion.objects.waiting().filter(connection=connection, customer__isnull=False)
        names.filter(Q(customer=customer) | Q(remote_id=company.id)).delete()
        record(
            MAP_CUSTOMER,
            actor=actor,
            organization=connection.organization,
            subject=f"{customer} is {company.name}"[:250],
            customer=customer,
            connection=connection,
            asked={"customer": customer.name, "company": _named(company)},
            after={"company_id": company.id, "company_name": company.name},
            correlation_id=correlation_id,
            at=at,
        )
    return row


def hold_mappings(connection: Connection, subscription: Subscription) -> None:
    """Keep the mappings of its customer and offer, where there are any, from being removed until the transaction ends.

    Taken before the audit log's end, as everywhere: whoever removes one holds it first as well.
    """
    customers = CustomerMapping.objects.filter(connection=connection, customer=subscription.customer_id)
    offers = OfferMapping.objects.filter(connection=connection, variant=subscription.variant_id)
    for held in (customers, offers):
        held.select_for_update(no_key=True).first()


def map_offer(
    *,
    connection: Connection,
    variant: OfferVariant,
    service: Service,
    actor: Actor,
    at: datetime,
    correlation_id: uuid.UUID | None = None,
) -> OfferMapping:
    """The offer variant is this service. As with `map_customer`, the same again is no error; raises AlreadyMapped."""
    with transaction.atomic():
        row = OfferMapping(
            connection=connection,
            variant=variant,
            service_id=service.id,
            service_name=service.name,
            created_by_id=actor.user_id,
            created_at=at,
        )
        if not _inserted(row):
            return _existing_offer_mapping(connection, variant, service)
        names = Suggestion.objects.waiting().filter(connection=connection, variant__isnull=False)
        names.filter(Q(variant=variant) | Q(remote_id=service.id)).delete()
        record(
            MAP_OFFER,
            actor=actor,
            organization=connection.organization,
            subject=f"{variant} is {service.name}"[:250],
            connection=connection,
            asked={"offer": str(variant), "service": _named(service)},
            after={"service_id": service.id, "service_name": service.name},
            correlation_id=correlation_id,
            at=at,
        )
    return row


def map_subscription(
    *,
    connection: Connection,
    subscription: Subscription,
    company: Company,
    service: Service,
    contract: Contract,
    actor: Actor,
    at: datetime,
    starts_on: date | None = None,
    adopt_line_id: int | None = None,
    status: str = AuditEntry.Status.SUCCEEDED,
    correlation_id: uuid.UUID | None = None,
) -> Mapped:
    """The subscription is billed on this contract from `starts_on` on (None: from its start, not known yet).

    `adopt_line_id` names a line that is on the contract already. `status` is that of the audit entry: in progress where
    a later entry ends it. The same mapping again is the one that exists; raises AlreadyMapped for another.
    """
    with transaction.atomic():
        row = SubscriptionMapping(
            connection=connection,
            subscription=subscription,
            company_id=company.id,
            company_name=company.name,
            service_id=service.id,
            service_name=service.name,
            contract_id=contract.id,
            contract_name=contract.name,
            line_id=adopt_line_id,
            adopted=adopt_line_id is not None,
            starts_on=starts_on,
            created_by_id=actor.user_id,
            created_at=at,
        )
        if not _inserted(row):
            return Mapped(_existing_subscription_mapping(row), None)
        entry = record(
            MAP_SUBSCRIPTION,
            actor=actor,
            organization=connection.organization,
            status=status,
            subject=f"{subscription.friendly_name} on {contract.name}",
            subscription=subscription,
            connection=connection,
            asked=choice_in_words(company, service, contract, adopt_line_id),
            after={"mapping": row.pk, "starts_on": starts_on},
            correlation_id=correlation_id,
            at=at,
        )
    return Mapped(row, entry)


def choose_default_contract(
    *, connection: Connection, customer: Customer, contract: Contract, actor: Actor, at: datetime
) -> DefaultContract:
    """From now on this contract takes the customer's subscriptions of its period type; the last choice counts."""
    with transaction.atomic():
        chosen = {"contract_id": contract.id, "contract_name": contract.name}
        row, _ = DefaultContract.objects.update_or_create(
            connection=connection, customer=customer, period=contract.period, defaults=chosen
        )
        record(
            DEFAULT_CONTRACT,
            actor=actor,
            organization=connection.organization,
            subject=f"{contract.name} for {customer}"[:250],
            customer=customer,
            connection=connection,
            asked={"contract": _named(contract), "period": contract.period},
            at=at,
        )
    return row


def refuse_mapping(
    *,
    organization: Organization,
    asked: dict[str, Any],
    reasons: tuple[Reason, ...],
    actor: Actor,
    at: datetime,
    subscription: Subscription | None = None,
    connection: Connection | None = None,
) -> AuditEntry:
    """Record that a mapping was asked for and refused, with every reason; nothing else is written."""
    return record(
        MAP_SUBSCRIPTION,
        actor=actor,
        organization=organization,
        status=AuditEntry.Status.FAILED,
        subject=f"{subscription.friendly_name}: refused" if subscription else "Refused",
        subscription=subscription,
        connection=connection,
        asked=asked,
        answered={"reasons": [{"code": one.code, "text": one.text, "fix": one.fix} for one in reasons]},
        at=at,
    )


def choice_in_words(
    company: Company, service: Service, contract: Contract, adopt_line_id: int | None = None
) -> dict[str, Any]:
    """What was chosen, as it is kept in the audit log."""
    line = f"take over line {adopt_line_id}" if adopt_line_id else "add a line"
    return {"company": _named(company), "service": _named(service), "contract": _named(contract), "line": line}


def _inserted(row: Row) -> bool:
    """True where the row is new; False where a constraint says that something like it is there already."""
    try:
        with transaction.atomic():
            row.save(force_insert=True)
    except IntegrityError:
        return False
    return True


def _existing_customer_mapping(connection: Connection, customer: Customer, company: Company) -> CustomerMapping:
    rows = CustomerMapping.objects.filter(connection=connection).select_related("customer")
    held = rows.select_for_update(of=("self",), no_key=True)  # nobody removes it before what builds on it is there
    for row in held.filter(Q(customer=customer) | Q(company_id=company.id)):
        if row.customer_id != customer.pk:
            raise AlreadyMapped(reason("company_taken", company=company.name, other=row.customer))
        if row.company_id != company.id:
            raise AlreadyMapped(reason("customer_mapped", other=row.company_name))
        return row
    raise AlreadyMapped(reason("own_company", company=company.name))


def _existing_offer_mapping(connection: Connection, variant: OfferVariant, service: Service) -> OfferMapping:
    rows = OfferMapping.objects.filter(connection=connection).select_related("variant__offer")
    held = rows.select_for_update(of=("self",), no_key=True)
    for row in held.filter(Q(variant=variant) | Q(service_id=service.id)):
        if row.variant_id != variant.pk:
            raise AlreadyMapped(reason("service_taken", service=service.name, other=row.variant))
        if row.service_id != service.id:
            raise AlreadyMapped(reason("offer_mapped", other=row.service_name))
        return row
    raise AlreadyMapped(reason("changed_meanwhile"))


def _existing_subscription_mapping(wanted: SubscriptionMapping) -> SubscriptionMapping:
    row = open_mapping(wanted.subscription)
    if row is not None:
        if _same_place(row, wanted):
            return row
        raise AlreadyMapped(mapped_reasons(wanted.subscription, wanted.connection)[0])
    line = SubscriptionMapping.objects.open().filter(connection=wanted.connection, line_id=wanted.line_id)
    other = line.select_related("subscription__customer").first()
    raise AlreadyMapped(reason("line_taken", other=other.subscription) if other else reason("changed_meanwhile"))


def _same_place(row: SubscriptionMapping, wanted: SubscriptionMapping) -> bool:
    """Whether both put the subscription on the same service of the same contract; a line may have come meanwhile."""
    names = ("connection_id", "company_id", "service_id", "contract_id", "adopted")
    same = all(getattr(row, name) == getattr(wanted, name) for name in names)
    return same and (not wanted.adopted or row.line_id == wanted.line_id)


def _named(row: Company | Service | Contract) -> dict[str, Any]:
    return {"id": row.id, "name": row.name}
