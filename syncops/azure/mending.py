"""A price that no month asks for is set to 0: what a person sees of it first, and what their yes begins."""

from __future__ import annotations

import hashlib
import uuid
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.db import transaction

from connections.models import MirroredContract
from connections.psa.base import Psa
from portal.audit import Actor
from portal.models import Subscription, User
from syncops import plans
from syncops.actions import NotPossible, locked_stream, plan_operation
from syncops.lines import rows_of
from syncops.models import AzureAlarm, Stream, SyncOperation
from syncops.operations import zero_azure_price
from syncops.operations.base import Fact
from syncops.planning import history_of, plan_line
from syncops.preview import (
    BillChange,
    PreviewedAdjustment,
    PreviewedShortfall,
    adjustments_of,
    bills_of,
    shortfalls_of,
    stored,
)


@dataclass(frozen=True, slots=True)
class MendPreview:
    """What setting the price to 0 would send and bill. `problem`: why it cannot be told."""

    adjustments: tuple[PreviewedAdjustment, ...] = ()
    bills: tuple[BillChange, ...] = ()
    shortfalls: tuple[PreviewedShortfall, ...] = ()
    problem: str = ""

    @property
    def digest(self) -> str:
        shown = (self.adjustments, self.bills, self.shortfalls, self.problem)
        return hashlib.sha256(repr(shown).encode()).hexdigest()[:24]

    def as_json(self) -> dict[str, Any]:
        """What is stored with the operation, to be compared with its proof."""
        return stored(self.adjustments, self.bills, self.shortfalls)


def preview_mend(alarm: AzureAlarm, psa: Psa, *, today: date) -> MendPreview:
    """What mending would do to the line now: one read. Raises the errors of `portal.far_side`."""
    mapping, connection = alarm.mapping, alarm.mapping.connection
    contract = MirroredContract.objects.filter(connection=connection, remote_id=mapping.contract_id).first()
    stream = Stream.objects.filter(connection=connection, subscription=mapping.subscription_id).first()
    if contract is None or stream is None or mapping.line_id is None:
        return MendPreview(problem="The line or its contract is not known here. Refresh the connection.")
    if mapping.ends_on is not None:
        return MendPreview(problem="The plan is not billed on this line any more. Set its price to 0 in Autotask.")
    rows = psa.unit_rows([mapping.line_id])
    fact = Fact(zero_azure_price.KIND.name, alarm.period)
    waiting = list(SyncOperation.objects.filter(stream=stream, mapping=mapping).open())
    history = history_of(stream, mapping)
    planned = plan_line(mapping, history=history, operations=waiting, new=[fact], rows=rows, contract=contract)
    seen = plans.preview(planned.plan, rows_of(rows), planned.term, connection.currency, today)
    return MendPreview(adjustments_of(seen), bills_of(seen), shortfalls_of(planned.plan, connection.currency))


def mend(alarm: AzureAlarm, preview: MendPreview, *, actor: User, now: datetime) -> SyncOperation:
    """Queue the operation that sets the price to 0. A second confirmation gives the one that is under way.

    Raises NotPossible.
    """
    mapping = alarm.mapping
    if preview.problem:
        raise NotPossible(preview.problem)
    with transaction.atomic():
        Subscription.objects.select_for_update(no_key=True).get(pk=mapping.subscription_id)
        locked_stream(mapping.connection, mapping.subscription)
        rows = AzureAlarm.objects.select_for_update(of=("self",), no_key=True).select_related("operation")
        alarm = rows.get(pk=alarm.pk)
        if alarm.operation and alarm.operation.is_open:
            return alarm.operation
        if alarm.closed_at is not None:
            raise NotPossible("The line shows 0 there by now. Nothing was sent.")
        if alarm.operation and alarm.operation.needs_a_person:
            raise NotPossible("What was to mend it waits for your decision. Open it, and decide there first.")
        operation = plan_operation(
            mapping,
            zero_azure_price.KIND.name,
            effective_on=alarm.period,
            payload={},
            actor=Actor.user(actor),
            now=now,
            correlation_id=uuid.uuid4(),
            preview=preview.as_json(),
        )
        AzureAlarm.objects.filter(pk=alarm.pk).update(operation=operation)
    return operation
