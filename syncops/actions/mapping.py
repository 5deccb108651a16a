"""A person's yes to putting a subscription on a contract."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from django.db import transaction

from connections.models import Connection
from connections.psa.types import Contract
from mappings.actions import AlreadyMapped, hold_mappings, map_customer, map_offer, map_subscription
from mappings.overrides import override_on
from mappings.reasons import Reason
from portal.audit import Actor
from portal.models import AuditEntry, Subscription, User
from syncops.actions.intents import locked_stream, mapping_payload, plan_operation
from syncops.lines import actual_of
from syncops.models import SyncOperation, Write
from syncops.operations import map_subscription as mapping_kind
from syncops.preview import Facts, MappingChoice, MappingPreview, Since, first_day_billed, preview_mapping

State = SyncOperation.State


class Refused(Exception):
    """The choice cannot be carried out; nothing was written. `reasons` say why and what to change."""

    def __init__(self, reasons: Sequence[Reason]) -> None:
        super().__init__("; ".join(str(reason) for reason in reasons))
        self.reasons = tuple(reasons)


def sync_to_connection(
    choice: MappingChoice, facts: Facts, *, actor: User | Actor, today: date, now: datetime
) -> SyncOperation:
    """Map a subscription to a contract line, create the mappings it needs, and queue the operation that writes it.

    Everything in one transaction. The same confirmation again gives the operation that exists. Raises Refused.
    """
    with transaction.atomic():
        subscription = (
            Subscription.objects.select_for_update(of=("self",), no_key=True)
            .select_related("customer", "variant__offer", "organization")
            .get(pk=choice.subscription_id)
        )
        connection = Connection.objects.select_related("organization").get(pk=choice.connection_id)
        locked_stream(connection, subscription)  # before the audit log's end, as everywhere: no two ways to wait
        hold_mappings(connection, subscription)
        if existing := _same_confirmation(choice):
            return existing
        preview = preview_mapping(choice, facts, today=today)
        if preview.refusals or preview.needs_line_choice or connection.organization_id != subscription.organization_id:
            raise Refused(preview.refusals)
        who = actor if isinstance(actor, Actor) else Actor.user(actor)
        return _map_and_queue(choice, facts, preview, subscription, connection, who, today, now)


def _map_and_queue(
    choice: MappingChoice,
    facts: Facts,
    preview: MappingPreview,
    subscription: Subscription,
    connection: Connection,
    actor: Actor,
    today: date,
    now: datetime,
) -> SyncOperation:
    assert facts.company  # a preview without refusals has seen all three
    assert facts.service
    assert facts.contract
    correlation_id = uuid.uuid4()
    common: dict[str, Any] = {"connection": connection, "actor": actor, "at": now, "correlation_id": correlation_id}
    effective = _effective(subscription, facts.contract, today, choice.since)
    try:
        map_customer(customer=subscription.customer, company=facts.company, **common)
        if override_on(connection, subscription.variant_id, facts.contract.id, today) is None:
            map_offer(variant=subscription.variant, service=facts.service, **common)
        mapped = map_subscription(
            subscription=subscription,
            company=facts.company,
            service=facts.service,
            contract=facts.contract,
            starts_on=effective,
            adopt_line_id=choice.adopt_line_id,
            status=AuditEntry.Status.IN_PROGRESS,
            **common,
        )
    except AlreadyMapped as error:
        raise Refused([error.reason]) from error
    operation = plan_operation(
        mapped.mapping,
        mapping_kind.KIND.name,
        effective_on=effective,
        payload=mapping_payload(subscription, connection, today, since=effective),
        actor=actor,
        now=now,
        correlation_id=correlation_id,
        audit_began=mapped.entry,
        preview=preview.as_json(),
    )
    if choice.adopt_line_id is not None:
        take_over(operation, choice.adopt_line_id, facts, now)
    return operation


def _effective(subscription: Subscription, contract: Contract, today: date, since: Since) -> date | None:
    """The first day billed; None while Microsoft has not provisioned the subscription yet."""
    if subscription.status == Subscription.Status.PENDING:
        return None
    return first_day_billed(subscription, contract, today, since)


def _same_confirmation(choice: MappingChoice) -> SyncOperation | None:
    return (
        SyncOperation.objects.filter(
            kind=mapping_kind.KIND.name,
            mapping__ends_on__isnull=True,
            mapping__connection_id=choice.connection_id,
            mapping__subscription_id=choice.subscription_id,
            mapping__company_id=choice.company_id,
            mapping__service_id=choice.service_id,
            mapping__contract_id=choice.contract_id,
            mapping__adopted=choice.adopt_line_id is not None,
        )
        .order_by("pk")
        .first()
    )


def take_over(operation: SyncOperation, line_id: int, facts: Facts, now: datetime) -> None:
    """Remember what an adopted line showed: from now on that is ours."""
    rows = [row for row in facts.rows if row.line_id == line_id]
    Write.objects.create(
        stream=operation.stream,
        operation=operation,
        kind=Write.Kind.ADOPTED,
        state=Write.State.APPLIED,
        contract_id=operation.mapping.contract_id,
        service_id=operation.mapping.service_id,
        line_id=line_id,
        line_before=actual_of(rows).as_json(),
        sent_at=now,
        sent_boot=0,
        answered_at=now,
        proved_at=now,
    )
