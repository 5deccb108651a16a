"""What people and recorded changes ask of the work: each function is one transaction with its audit entry."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from connections.models import Connection
from connections.psa.types import Contract
from mappings.actions import AlreadyMapped, map_customer, map_offer, map_subscription
from mappings.models import SubscriptionMapping
from mappings.reasons import Reason
from portal.actions.prices import priced
from portal.audit import Actor, record
from portal.models import AuditEntry, Subscription, SubscriptionChange, User
from portal.queue import enqueue
from syncops import journal, settling
from syncops.lines import actual_of
from syncops.models import Stream, SyncOperation, Write
from syncops.operations import change_quantity
from syncops.operations import map_subscription as mapping_kind
from syncops.preview import Facts, MappingChoice, MappingPreview, first_day_billed, preview_mapping

DRAIN = "syncops.tasks.drain"
Kind = SubscriptionChange.Kind
State = SyncOperation.State


class Refused(Exception):
    """The choice cannot be carried out; nothing was written. `reasons` say why and what to change."""

    def __init__(self, reasons: Sequence[Reason]) -> None:
        super().__init__("; ".join(str(reason) for reason in reasons))
        self.reasons = tuple(reasons)


class NotPossible(Exception):
    """The operation is in a state in which this cannot be done; the words say what can."""


def sync_to_connection(
    choice: MappingChoice, facts: Facts, *, actor: User, today: date, now: datetime
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
        _locked_stream(connection, subscription)  # before the audit log's end, as everywhere: no two ways to wait
        if existing := _same_confirmation(choice):
            return existing
        preview = preview_mapping(choice, facts, today=today)
        if preview.refusals or preview.needs_line_choice or connection.organization_id != subscription.organization_id:
            raise Refused(preview.refusals)
        return _map_and_queue(choice, facts, preview, subscription, connection, Actor.user(actor), today, now)


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
    effective = _effective(subscription, facts.contract, today)
    try:
        map_customer(customer=subscription.customer, company=facts.company, **common)
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
        payload=mapping_payload(subscription, today),
        actor=actor,
        now=now,
        correlation_id=correlation_id,
        audit_began=mapped.entry,
        preview=preview.as_json(),
    )
    if choice.adopt_line_id is not None:
        _take_over(operation, choice.adopt_line_id, facts, now)
    return operation


def plan_operation(
    mapping: SubscriptionMapping,
    kind: str,
    *,
    effective_on: date | None,
    payload: dict[str, Any],
    actor: Actor,
    now: datetime,
    correlation_id: uuid.UUID,
    change: SubscriptionChange | None = None,
    audit_began: AuditEntry | None = None,
    preview: dict[str, Any] | None = None,
) -> SyncOperation:
    """Write down the intent, make its stream due, and wake a worker; inside the caller's transaction."""
    connection, subscription = mapping.connection, mapping.subscription
    stream = _locked_stream(connection, subscription)
    ready = now + timedelta(minutes=connection.policies.settle_minutes)
    operation = SyncOperation.objects.create(
        stream=stream,
        sequence=stream.next_sequence,
        mapping=mapping,
        organization=connection.organization,
        connection=connection,
        subscription=subscription,
        change=change,
        kind=kind,
        effective_on=effective_on,
        payload=payload,
        state=State.QUEUED if effective_on else State.PLANNED,
        waiting_for="" if effective_on else "Microsoft to provision the subscription",
        retry_at=ready if ready > now else None,
        preview=preview or {},
        correlation_id=correlation_id,
        actor_id=actor.user_id,
        created_at=now,
    )
    operation.audit_began = audit_began or journal.begin_audit(operation, actor, now)
    operation.save(update_fields=["audit_began"])
    due = ready if stream.due is None else min(ready, stream.due)
    Stream.objects.filter(pk=stream.pk).update(next_sequence=F("next_sequence") + 1, due=due)
    enqueue(DRAIN, connection.pk)
    return operation


def plan_change(change: SubscriptionChange) -> None:
    """What a recorded change means for the PSA; called inside the transaction that records it."""
    mapping = (
        SubscriptionMapping.objects.open()
        .select_related("connection__organization", "subscription__customer")
        .filter(subscription=change.subscription)
        .first()
    )
    if mapping is None:
        return
    if change.kind == Kind.ACTIVATED:
        _start_mapping(mapping, change)
    elif change.kind == Kind.ORDER_FAILED:
        _end_mapping(mapping, change)
    elif change.kind == Kind.QUANTITY_CHANGED:
        plan_operation(
            mapping,
            change_quantity.KIND.name,
            effective_on=max(change.effective_on, mapping.starts_on or change.effective_on),
            payload={"units": change.after["quantity"], "units_before": change.before.get("quantity")},
            actor=_actor_of(change),
            now=change.recorded_at,
            correlation_id=change.correlation_id,
            change=change,
        )


def _start_mapping(mapping: SubscriptionMapping, change: SubscriptionChange) -> None:
    """The subscription has started: the operation that waited for it knows its date and quantity now."""
    subscription = Subscription.objects.get(pk=change.subscription_id)
    started = subscription.starts_on or change.effective_on
    waiting = SyncOperation.objects.filter(
        mapping=mapping, kind=mapping_kind.KIND.name, effective_on__isnull=True, state__in=SyncOperation.OPEN
    )
    _locked_stream(mapping.connection, mapping.subscription)
    for operation in waiting:
        mapping.starts_on = started
        mapping.save(update_fields=["starts_on"])
        journal.move(
            operation,
            State.QUEUED,
            effective_on=started,
            payload=operation.payload | {"units": subscription.quantity},
        )
        Stream.objects.filter(pk=operation.stream_id).update(due=change.recorded_at)
        enqueue(DRAIN, mapping.connection_id)


def _end_mapping(mapping: SubscriptionMapping, change: SubscriptionChange) -> None:
    """The order failed: nothing will be billed, so what waited for it is dismissed and the mapping is closed."""
    _locked_stream(mapping.connection, mapping.subscription)
    for operation in SyncOperation.objects.filter(mapping=mapping).open().select_related("audit_began", "mapping"):
        if operation.state in (State.PLANNED, State.QUEUED):
            journal.move(
                operation, State.DISMISSED, error="The order failed at Microsoft.", finished_at=change.recorded_at
            )
            journal.end_audit(
                operation, succeeded=False, answered={"error": "The order failed at Microsoft."}, now=change.recorded_at
            )
    SubscriptionMapping.objects.filter(pk=mapping.pk).update(starts_on=change.effective_on, ends_on=change.effective_on)


def retry_operation(operation: SyncOperation, *, actor: User, now: datetime | None = None) -> SyncOperation:
    """Queue a failed or held operation again. Raises NotPossible while a write of it still waits for a decision."""
    now = now or timezone.now()
    with transaction.atomic():
        operation = _locked(operation)
        if operation.state not in SyncOperation.NEEDS_A_PERSON:
            raise NotPossible(f"The operation is {operation.get_state_display().lower()}; there is nothing to retry.")
        if Write.objects.filter(operation=operation, state__in=Write.UNPROVED).exists():
            raise NotPossible("Say first whether the write without an answer was applied.")
        if operation.error_kind == settling.ACCEPTED_NOT_APPLIED:
            _doubt_again(operation)
        if operation.error_kind == settling.POSTED_PERIOD:
            operation.plan = operation.plan | {settling.ACCEPTS_SHORTFALL: True}
        journal.move(operation, State.QUEUED, attempts=0, error_kind="", error="", advice="", raw_answer="")
        operation.audit_began = journal.begin_audit(operation, Actor.user(actor), now)
        operation.actor = actor
        operation.save(update_fields=["audit_began", "actor", "plan"])
        _wake(operation, now)
    return operation


def _doubt_again(operation: SyncOperation) -> None:
    """What was accepted and did not show may show by now: it is looked for once more before anything is repeated."""
    accepted = Write.objects.filter(operation=operation, kind=Write.Kind.ADJUST, answered_at__isnull=False)
    accepted.filter(state=Write.State.NOT_APPLIED).update(state=Write.State.ACCEPTED)


def _wake(operation: SyncOperation, now: datetime) -> None:
    """The obstacle is gone: what waited behind it is due as well. The stream is locked already."""
    behind = SyncOperation.objects.filter(stream_id=operation.stream_id, state=State.QUEUED)
    behind.update(retry_at=None, waiting_for="")
    Stream.objects.filter(pk=operation.stream_id).update(due=now)
    enqueue(DRAIN, operation.connection_id)


def decide_write(operation: SyncOperation, *, applied: bool, reason: str, actor: User, now: datetime) -> SyncOperation:
    """A person says what became of a write without an answer, after looking at the line; then the operation goes on.

    What was accepted in the same run is applied either way: only the one without an answer is in doubt.
    """
    with transaction.atomic():
        operation = _locked(operation)
        writes = list(Write.objects.filter(operation=operation, state__in=Write.UNPROVED))
        if operation.state != State.HELD or not writes:
            raise NotPossible("No write of this operation waits for a decision.")
        for write in writes:
            shows = applied or (write.state == Write.State.ACCEPTED and len(writes) > 1)
            write.state = Write.State.APPLIED if shows else Write.State.NOT_APPLIED
            write.proved_at, write.answer = now, f"{write.answer}\nDecided by {actor.email}: {reason}".strip()
            write.save(update_fields=["state", "proved_at", "answer"])
        record(
            "Decide Unanswered Write",
            actor=Actor.user(actor),
            organization=operation.organization,
            subject=str(operation),
            subscription=operation.subscription,
            connection=operation.connection,
            asked={"applied": applied, "reason": reason},
            correlation_id=operation.correlation_id,
            at=now,
        )
        return retry_operation(operation, actor=actor, now=now)


def dismiss_operation(operation: SyncOperation, *, reason: str, actor: User, now: datetime) -> SyncOperation:
    """A person decides that an operation will not be sent; it stays in the list and in the audit log, with the
    reason.
    """
    with transaction.atomic():
        operation = _locked(operation)
        if operation.state not in (*SyncOperation.NEEDS_A_PERSON, State.PLANNED, State.QUEUED):
            raise NotPossible(f"The operation is {operation.get_state_display().lower()} and cannot be dismissed.")
        if Write.objects.filter(operation=operation, state__in=Write.UNPROVED).exists():
            raise NotPossible("Say first whether the write without an answer was applied.")
        if operation.is_open:
            journal.end_audit(operation, succeeded=False, answered={"dismissed": reason}, now=now)
        journal.move(operation, State.DISMISSED, finished_at=now)
        record(
            "Dismiss Operation",
            actor=Actor.user(actor),
            organization=operation.organization,
            subject=str(operation),
            subscription=operation.subscription,
            connection=operation.connection,
            asked={"reason": reason},
            correlation_id=operation.correlation_id,
            at=now,
        )
        _wake(operation, now)
    return operation


def _locked(operation: SyncOperation) -> SyncOperation:
    """The operation as it is now. Locked in the one order that all keep: subscription, stream, operation, audit log."""
    Subscription.objects.select_for_update(no_key=True).get(pk=operation.subscription_id)
    Stream.objects.select_for_update(no_key=True).get(pk=operation.stream_id)
    rows = SyncOperation.objects.select_for_update(of=("self",), no_key=True)
    return rows.select_related("mapping").get(pk=operation.pk)


def _locked_stream(connection: Connection, subscription: Subscription) -> Stream:
    """The stream of a subscription on a connection, locked until the transaction ends."""
    stream, _ = Stream.objects.get_or_create(connection=connection, subscription=subscription)
    return Stream.objects.select_for_update(no_key=True).get(pk=stream.pk)


def mapping_payload(subscription: Subscription, today: date) -> dict[str, Any]:
    """What the mapping operation carries: units, and price and cost per unit and period as text."""
    price = priced(subscription, today=today)
    return {"units": subscription.quantity, "price": str(price.unit_price), "cost": str(price.unit_cost)}


def _effective(subscription: Subscription, contract: Contract, today: date) -> date | None:
    """The first day billed; None while Microsoft has not provisioned the subscription yet."""
    if subscription.status == Subscription.Status.PENDING:
        return None
    return first_day_billed(subscription, contract, today)


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


def _take_over(operation: SyncOperation, line_id: int, facts: Facts, now: datetime) -> None:
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


def _actor_of(change: SubscriptionChange) -> Actor:
    return Actor.user(change.actor) if change.actor else Actor.system(change.get_source_display())
