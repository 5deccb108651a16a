"""New margins, carried to every mapped subscription that they price: one parent, one operation each."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import transaction

from mappings.models import SubscriptionMapping
from portal.actions.repricing import MarginsChanged, Scope, priced_by
from portal.audit import Actor, record
from portal.models import Subscription
from portal.queue import enqueue
from syncops.actions import DRAIN, plan_operation, price_payload
from syncops.margin_previews import shown_before
from syncops.models import MarginUpdate, SyncOperation
from syncops.operations import change_margins, renew
from syncops.recorded import is_usage_based

FAN_OUT = "syncops.tasks.fan_out_margins"
AT_ONCE = 200
WITHOUT_EFFECT = (
    SyncOperation.State.DISMISSED,
    SyncOperation.State.NOTHING_TO_SEND,
    SyncOperation.State.SUPERSEDED,
    SyncOperation.State.UNSUPPORTED,
)


def plan_margins(change: MarginsChanged) -> None:
    """Write down that margins changed and wake a worker; called inside the transaction that changes them."""
    if not _reached(change.scopes).exists():
        return
    update = MarginUpdate.objects.create(
        organization=change.organization,
        what=change.what[:300],
        scopes=[scope.as_json() for scope in change.scopes],
        effective_on=change.at.astimezone(change.organization.zone).date(),
        actor_id=change.actor.user_id,
        created_at=change.at,
        **({"correlation_id": change.correlation_id} if change.correlation_id else {}),
    )
    enqueue(FAN_OUT, update.pk)


def fan_out(update_id: int, now: datetime, at_most: int = AT_ONCE) -> bool:
    """Plan the operations of the next mappings; True where the walk is over. Two workers at it do no harm."""
    over = False
    for _ in range(at_most):
        over = not _step(update_id, now)
        if over:
            break
    enqueue(DRAIN, 0)
    if not over:
        enqueue(FAN_OUT, update_id)
    return over


def _step(update_id: int, now: datetime) -> bool:
    """One mapping further, in one transaction; False where none is left."""
    with transaction.atomic():
        update = MarginUpdate.objects.select_for_update(of=("self",), no_key=True).get(pk=update_id)
        if update.finished_at:
            return False
        scopes = [Scope(**scope) for scope in update.scopes]
        waiting = _reached(scopes).filter(pk__gt=update.after_mapping, created_at__lte=update.created_at)
        mapping = waiting.select_related("connection__organization").order_by("pk").first()
        if mapping is None:
            _finish(update, now)
            return False
        _plan(update, mapping, now)
        update.after_mapping = mapping.pk
        update.save(update_fields=["after_mapping"])
    return True


def _reached(scopes: Any) -> Any:
    return SubscriptionMapping.objects.open().filter(subscription__in=priced_by(scopes))


def _plan(update: MarginUpdate, mapping: SubscriptionMapping, now: datetime) -> None:
    """The operation that brings the new price to one mapping; none where the line is to have that price anyway."""
    rows = Subscription.objects.select_for_update(of=("self",), no_key=True)
    subscription = rows.select_related("variant__offer", "organization", "promotion").get(pk=mapping.subscription_id)
    payload: dict[str, Any] = price_payload(subscription, mapping.connection, update.effective_on)
    if not is_usage_based(subscription) and _priced_so(mapping, payload):
        return
    plan_operation(
        mapping,
        change_margins.KIND.name,
        effective_on=max(update.effective_on, mapping.starts_on or update.effective_on),
        payload=payload | {"usage_based": is_usage_based(subscription)},
        actor=Actor.user(update.actor) if update.actor else Actor.system("margins"),
        now=now,
        correlation_id=update.correlation_id,
        margin_update=update,
        preview=shown_before(update.correlation_id, mapping),
    )


def _priced_so(mapping: SubscriptionMapping, payload: dict[str, Any]) -> bool:
    """Whether the last operation that set a price of the line set this one."""
    priced = SyncOperation.objects.filter(mapping=mapping, payload__has_keys=["price", "cost"])
    priced = priced.exclude(kind=renew.KIND.name, policies_json__renewal="extend")  # which names the price only
    holding = priced.exclude(state__in=WITHOUT_EFFECT).exclude(undoings__state=SyncOperation.State.SUCCEEDED)
    last = holding.order_by("-effective_on", "-sequence").first()
    return last is not None and all(Decimal(last.payload[name]) == Decimal(payload[name]) for name in ("price", "cost"))


def _finish(update: MarginUpdate, now: datetime) -> None:
    update.finished_at = now
    update.save(update_fields=["finished_at"])
    record(
        "Update Customer Margins",
        actor=Actor.user(update.actor) if update.actor else Actor.system("margins"),
        organization=update.organization,
        subject=update.what,
        after={"operations": update.operations.count(), "effective": update.effective_on},
        correlation_id=update.correlation_id,
        at=now,
    )
