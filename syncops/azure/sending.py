"""A person's yes to amounts of Azure months: each becomes one operation, and what it did is written into the ledger."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any

from django.db import transaction

from connections.psa.types import BillingCode
from portal.audit import Actor
from portal.models import Subscription, User
from syncops.actions import NotPossible, locked_stream, plan_operation
from syncops.azure.amounts import charge_key
from syncops.azure.previews import MonthPreview, charges_of, price_payload, why_not
from syncops.models import AzureMonth, SyncOperation


def send_month(preview: MonthPreview, code: BillingCode | None, *, actor: User, now: datetime) -> SyncOperation:
    """Queue what was previewed. The same confirmation again gives the operation that is on its way.

    Raises NotPossible where it cannot be sent, or the amount changed since the preview.
    """
    mapping = preview.mapping
    if preview.problem or mapping is None or preview.period is None:
        raise NotPossible(preview.problem or "The plan is not on a contract.")
    with transaction.atomic():
        Subscription.objects.select_for_update(no_key=True).get(pk=mapping.subscription_id)
        locked_stream(mapping.connection, mapping.subscription)
        rows = AzureMonth.objects.select_for_update(of=("self",), no_key=True).select_related("operation")
        row = rows.get(pk=preview.row.pk)
        if row.operation and row.operation.is_open and not row.differs:
            return row.operation
        if row.fingerprint != preview.row.fingerprint:
            raise NotPossible("The amount was changed meanwhile. Nothing was sent; look at it again.")
        if problem := why_not(row, mapping):
            raise NotPossible(problem)
        operation = plan_operation(
            mapping,
            preview.kind,
            effective_on=preview.charge.purchased_on if preview.charge else preview.period,
            payload=_charge_payload(preview, row, code) if preview.charge else price_payload(row, preview.resets_on),
            actor=Actor.user(actor),
            now=now,
            correlation_id=uuid.uuid4(),
            preview=preview.as_json(),
        )
        _sent(row, preview, operation)
    return operation


def _sent(row: AzureMonth, preview: MonthPreview, operation: SyncOperation) -> None:
    AzureMonth.objects.filter(pk=row.pk).update(
        connection=operation.connection,
        operation=operation,
        sent_as=AzureMonth.SentAs.CHARGE if preview.charge else AzureMonth.SentAs.PRICE,
        sent_cost=row.cost,
        sent_price=row.price,
        period=preview.period,
        set_at=None,
        zeroed_at=None,
        posted_at=None,
    )


def _charge_payload(preview: MonthPreview, row: AzureMonth, code: BillingCode | None) -> dict[str, Any]:
    charge, mapping = preview.charge, preview.mapping
    assert charge
    assert mapping
    if code is None:
        raise NotPossible("Choose a billing code. Nothing was sent.")
    number = charges_of(row).count() + 1
    return {
        "month": str(row.month),
        "contract_id": mapping.contract_id,
        "billing_code_id": code.id,
        "billing_code": code.name,
        "name": charge.name,
        "description": charge.description,
        "quantity": "1",
        "unit_price": str(charge.price),
        "unit_cost": str(charge.cost),
        "purchased_on": str(charge.purchased_on),
        "key": charge_key(row.month, number, row.subscription.key.hex),
    }
