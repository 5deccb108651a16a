"""Writing down what is to be sent: the operation on its stream, its audit entry, and the wake-up."""

from __future__ import annotations

import uuid
from datetime import date, datetime, timedelta
from typing import Any

from django.db.models import F

from connections.models import Connection
from mappings.exclusions import excluded_steps
from mappings.models import SubscriptionMapping
from portal.actions.prices import USAGE_BASED, priced_subscriptions
from portal.audit import Actor
from portal.models import AuditEntry, Subscription, SubscriptionChange
from portal.queue import enqueue
from portal.templatetags.portal import day
from syncops import journal
from syncops.dues import FREE_REQUESTS
from syncops.models import MarginUpdate, Stream, SyncOperation
from syncops.operations import REGISTRY, exclude_units
from syncops.operations.base import Kind, Place, Refusal, Unsupported

DRAIN = "syncops.tasks.drain"
State = SyncOperation.State


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
    margin_update: MarginUpdate | None = None,
) -> SyncOperation:
    """Write down the intent, make its stream due, and wake a worker; inside the caller's transaction."""
    connection, subscription, rule = mapping.connection, mapping.subscription, REGISTRY[kind]
    stream = locked_stream(connection, subscription)
    policies = {name: getattr(connection.policies, name) for name in sorted(rule.policies)}
    ready = now + timedelta(minutes=connection.policies.settle_minutes)
    operation = SyncOperation.objects.create(
        stream=stream,
        sequence=stream.next_sequence,
        mapping=mapping,
        organization=connection.organization,
        connection=connection,
        subscription=subscription,
        change=change,
        margin_update=margin_update,
        kind=kind,
        effective_on=effective_on,
        payload=payload,
        policies_json=policies,
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
    Stream.objects.filter(pk=stream.pk).update(next_sequence=F("next_sequence") + 1)
    if refusal := _refusal(operation, rule):
        journal.refuse(operation, refusal, now)
        return operation
    due = ready if stream.due is None else min(ready, stream.due)
    Stream.objects.filter(pk=stream.pk).update(due=due)
    if margin_update is None:  # one of many wakes nobody by itself
        if actor.user_id is not None:
            _hurry(stream)
        enqueue(DRAIN, connection.pk)
    return operation


def _hurry(stream: Stream) -> None:
    """A person waits: what is done on this stream goes before bulk work, what waited as such included."""
    Stream.objects.filter(pk=stream.pk).update(urgent=True)
    paused = SyncOperation.objects.open().filter(stream=stream, waiting_for__startswith=FREE_REQUESTS)
    paused.exclude(state=State.UNCERTAIN).update(retry_at=None, waiting_for="")


def _refusal(operation: SyncOperation, rule: Kind) -> Refusal | None:
    """Why nothing of the operation is sent, whatever the line shows. One without a date yet is asked for none."""
    mapping = operation.mapping
    place = Place(mapping.contract_name, mapping.service_name)
    left = _left(mapping)
    for fact in journal.facts_of([operation]):
        if left and not (rule.begins_line or rule.beside_line):
            return Unsupported(
                f"Since {day(left.effective_on)} the subscription is another offer or billed by another period, and "
                f"{place} bills the old one.",
                f"In Autotask do it by hand where the subscription is billed now: “{rule.label}” from "
                f"{day(fact.effective)}",
            )
        return rule.refuses(fact, place)
    return None


def _left(mapping: SubscriptionMapping) -> SyncOperation | None:
    """The change that made the subscription another offer than the line bills, where a person had to act by hand."""
    unsupported = SyncOperation.objects.filter(mapping=mapping, state=State.UNSUPPORTED, payload__leaves=True)
    return unsupported.chronological().first()


def locked_stream(connection: Connection, subscription: Subscription) -> Stream:
    """The stream of a subscription on a connection, locked until the transaction ends."""
    stream, _ = Stream.objects.get_or_create(connection=connection, subscription=subscription)
    return Stream.objects.select_for_update(no_key=True).get(pk=stream.pk)


def mapping_payload(
    subscription: Subscription, connection: Connection, today: date, *, since: date | None = None
) -> dict[str, Any]:
    """What the mapping operation carries: units, and price and cost per unit and period as text. `since`: the first day
    billed, where it is not today; from then on units may be left out. An Azure plan has no price but that of a month.
    """
    if subscription.variant.offer.category in USAGE_BASED:
        return {"units": subscription.quantity, "price": "0", "cost": "0"}
    carried = {"units": subscription.quantity} | price_payload(subscription, connection, today)
    excluded = excluded_steps(subscription, since or today)
    return carried | ({exclude_units.EXCLUDED: excluded} if excluded else {})


def price_payload(subscription: Subscription, connection: Connection, day: date) -> dict[str, str]:
    """Price and cost as the margins give them on a day to whoever bills by the connection: a change that becomes known
    after the subscription was handed over is still the former owner's business, at its prices.
    """
    price = priced_subscriptions(connection.organization, [subscription], today=day)[subscription.pk]
    return {"price": str(price.unit_price), "cost": str(price.unit_cost)}
