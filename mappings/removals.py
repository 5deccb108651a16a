"""Taking mappings of customers and offers away again. Autotask is never touched by it."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from mappings.models import CustomerMapping, OfferMapping, SubscriptionMapping
from mappings.reasons import Reason, reason
from portal.audit import Actor, record

UNMAP_CUSTOMER = "Remove Connection Customer Mapping"
UNMAP_OFFER = "Remove Connection Offer Mapping"


class InUse(Exception):
    """Subscriptions are billed by this mapping; `reason` says how many. Nothing was removed."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(str(reason))
        self.reason = reason


def remove_customer_mapping(mapping: CustomerMapping, *, actor: Actor, at: datetime) -> None:
    """The customer is not this company any more; raises InUse while its subscriptions are billed there.

    Gone already is no error: a second click finds what the first one did.
    """
    with transaction.atomic():
        held = CustomerMapping.objects.select_for_update(of=("self",), no_key=True).select_related("connection")
        row = held.select_related("customer").filter(pk=mapping.pk).first()
        if row is None:
            return
        billed = SubscriptionMapping.objects.open().filter(connection=row.connection)
        if count := billed.filter(subscription__customer=row.customer_id).count():
            raise InUse(reason("customer_in_use", count=count, company=row.company_name))
        before = {"company_id": row.company_id, "company_name": row.company_name}
        row.delete()
        _record(UNMAP_CUSTOMER, row, actor, at, before, customer=row.customer)


def remove_offer_mapping(mapping: OfferMapping, *, actor: Actor, at: datetime) -> None:
    """The offer is not this service any more; as with `remove_customer_mapping`."""
    with transaction.atomic():
        held = OfferMapping.objects.select_for_update(of=("self",), no_key=True).select_related("connection")
        row = held.select_related("variant__offer").filter(pk=mapping.pk).first()
        if row is None:
            return
        billed = SubscriptionMapping.objects.open().filter(connection=row.connection)
        if count := billed.filter(subscription__variant=row.variant_id).count():
            raise InUse(reason("offer_in_use", count=count, service=row.service_name))
        before = {"service_id": row.service_id, "service_name": row.service_name}
        row.delete()
        _record(UNMAP_OFFER, row, actor, at, before)


def _record(
    name: str,
    row: CustomerMapping | OfferMapping,
    actor: Actor,
    at: datetime,
    before: dict[str, object],
    **about: object,
) -> None:
    record(
        name,
        actor=actor,
        organization=row.connection.organization,
        subject=str(row)[:250],
        connection=row.connection,
        before=before,
        at=at,
        **about,
    )
