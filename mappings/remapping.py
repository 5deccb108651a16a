"""Putting another company or service in the place of the one that a customer or an offer is mapped to."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Q

from connections.psa.types import Company, Service
from mappings.actions import MAP_CUSTOMER, MAP_OFFER, AlreadyMapped
from mappings.models import CustomerMapping, OfferMapping, SubscriptionMapping, Suggestion
from mappings.reasons import reason
from mappings.removals import InUse
from portal.audit import Actor, record


def remap_customer(
    mapping: CustomerMapping, company: Company, *, actor: Actor, at: datetime, correlation_id: uuid.UUID | None = None
) -> None:
    """The customer is this company from now on, instead of the one that `mapping` was read with.

    Raises InUse while its subscriptions are billed there, AlreadyMapped where somebody else was quicker.
    """
    with transaction.atomic():
        row = _held(CustomerMapping, mapping, company_id=mapping.company_id)
        billed = SubscriptionMapping.objects.open().filter(connection=row.connection)
        if count := billed.filter(subscription__customer=row.customer_id).count():
            raise InUse(reason("customer_in_use", count=count, company=row.company_name))
        before = {"company_id": row.company_id, "company_name": row.company_name}
        after = {"company_id": company.id, "company_name": company.name}
        _write(row, after, at)
        names = Suggestion.objects.waiting().filter(connection=row.connection, customer__isnull=False)
        names.filter(Q(customer=row.customer_id) | Q(remote_id=company.id)).delete()
        about = {"customer": row.customer, "before": before, "after": after, "correlation_id": correlation_id}
        _record(MAP_CUSTOMER, row, actor, at, about)


def remap_offer(
    mapping: OfferMapping, service: Service, *, actor: Actor, at: datetime, correlation_id: uuid.UUID | None = None
) -> None:
    """The offer is this service from now on; as with `remap_customer`."""
    with transaction.atomic():
        row = _held(OfferMapping, mapping, service_id=mapping.service_id)
        billed = SubscriptionMapping.objects.open().filter(connection=row.connection)
        if count := billed.filter(subscription__variant=row.variant_id).count():
            raise InUse(reason("offer_in_use", count=count, service=row.service_name))
        before = {"service_id": row.service_id, "service_name": row.service_name}
        after = {"service_id": service.id, "service_name": service.name}
        _write(row, after, at)
        names = Suggestion.objects.waiting().filter(connection=row.connection, variant__isnull=False)
        names.filter(Q(variant=row.variant_id) | Q(remote_id=service.id)).delete()
        _record(MAP_OFFER, row, actor, at, {"before": before, "after": after, "correlation_id": correlation_id})


def _held(model: Any, mapping: Any, **as_read: int) -> Any:
    """The row, kept from being changed or built upon by others until the transaction ends."""
    rows = model.objects.select_for_update(of=("self",), no_key=True).select_related("connection__organization")
    row = rows.filter(pk=mapping.pk, **as_read).first()
    if row is None:
        raise AlreadyMapped(reason("changed_meanwhile"))
    return row


def _write(row: Any, after: dict[str, Any], at: datetime) -> None:
    for name, value in after.items():
        setattr(row, name, value)
    try:
        with transaction.atomic():
            row.save(update_fields=list(after))
    except IntegrityError as error:
        raise AlreadyMapped(reason("taken_meanwhile")) from error


def _record(name: str, row: Any, actor: Actor, at: datetime, about: dict[str, Any]) -> None:
    organization = row.connection.organization
    record(name, actor=actor, organization=organization, subject=str(row), connection=row.connection, at=at, **about)
