"""What a recorded change of a subscription means for the PSA: which operation follows, and what it carries."""

from __future__ import annotations

from functools import partial
from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet

from mappings.models import SubscriptionMapping
from portal.actions.lifecycle import CAME_FROM, WENT_TO
from portal.actions.prices import USAGE_BASED
from portal.audit import Actor
from portal.models import Subscription, SubscriptionChange, SubscriptionRequest
from portal.queue import enqueue
from syncops import journal
from syncops.actions import DRAIN, locked_stream, mapping_payload, plan_operation, price_payload
from syncops.errands import EXTEND_TO
from syncops.margin_previews import shown_before
from syncops.models import Stream, SyncOperation
from syncops.moving import Place, last_day_before, place_for, plan_move
from syncops.operations import map_subscription as mapping_kind
from syncops.parting import grown_with, plan_part_upgrade
from syncops.preview import opened, whole_month

Change = SubscriptionChange.Kind
State = SyncOperation.State
KINDS = {
    Change.QUANTITY_CHANGED: "change_quantity",
    Change.PRICE_CHANGED: "change_price",
    Change.CANCELLED: "cancel",
    Change.SUSPENDED: "suspend_licence",
    Change.REACTIVATED: "reactivate_licence",
    Change.BILLING_CYCLE_CHANGED: "change_billing_cycle",
    Change.RENEWED: "renew",
    Change.UPGRADED: "upgrade",
    Change.RESELLER_CHANGED: "change_reseller",
    Change.MIGRATED: "migrate",
    Change.DETAILS_CHANGED: "change_details",
}
ENDS_LINE = ("change_billing_cycle", "change_reseller", "end_mapping")
OF_AZURE_PLANS = {Change.SUSPENDED: "suspend_azure_plan", Change.REACTIVATED: "reactivate_azure_plan"}


def plan_change(change: SubscriptionChange) -> None:
    """What a recorded change means for the PSA; called inside the transaction that records it."""
    if CAME_FROM in change.after:  # planned with the subscription that the seats left
        return
    mapping = _mapping_on(change)
    if WENT_TO in change.after:
        grown = grown_with(change)
        plan_part_upgrade(change, grown, mapping, _mapping_on(grown), _actor_of(change))
        return
    if mapping is None:
        return
    if change.kind == Change.ACTIVATED:
        _start_mapping(mapping, change)
    elif change.kind == Change.ORDER_FAILED:
        _end_mapping(mapping, change)
    elif kind := kind_of(change, mapping.subscription):
        payload, place = payload_of(change, mapping), _place_of(change, mapping)
        if isinstance(place, Place):
            plan_move(mapping, place, change, kind, _actor_of(change))
            return
        operation = plan_operation(
            mapping,
            kind,
            effective_on=max(change.effective_on, mapping.starts_on or change.effective_on),
            payload=payload | ({"problem": place} if place else {}),
            actor=_actor_of(change),
            now=change.recorded_at,
            correlation_id=change.correlation_id,
            change=change,
            preview=_shown(change, mapping),
        )
        if change.kind == Change.QUANTITY_CHANGED:
            _carry_on(change, mapping)
        if change.kind == Change.RESELLER_CHANGED and operation.state != State.UNSUPPORTED:
            ends_on = last_day_before(mapping, operation.effective_on or change.effective_on)
            SubscriptionMapping.objects.filter(pk=mapping.pk).update(ends_on=ends_on)


def _shown(change: SubscriptionChange, mapping: SubscriptionMapping) -> dict[str, Any]:
    """The preview that a person confirmed, where one did."""
    if change.kind == Change.PRICE_CHANGED:
        return shown_before(change.correlation_id, mapping)
    wishes = SubscriptionRequest.objects.filter(request_id=change.correlation_id)
    wish = wishes.filter(subscription=change.subscription_id).first()
    return opened(wish.shown, mapping, int(change.after.get("quantity", 0))) if wish and wish.shown else {}


def _mapping_on(change: SubscriptionChange) -> SubscriptionMapping | None:
    """The mapping that is valid on the day of a change; the open one where none was valid then. Of a subscription that
    is not billed here any more, the one whose line is ended on a later day.
    """
    mappings = SubscriptionMapping.objects.filter(subscription=change.subscription).select_related(
        "connection__organization", "subscription__customer", "subscription__variant__offer"
    )
    day, current = change.effective_on, mappings.open().first()
    if current is not None and (current.starts_on is None or current.starts_on <= day):
        return current
    then = mappings.filter(starts_on__lte=day, ends_on__gte=day).order_by("-starts_on", "-pk")
    if current is None:
        return then.filter(Exists(_ending().filter(effective_on__gt=day))).first()
    return then.first() or current


def _ending() -> QuerySet[SyncOperation]:
    """The operations that end the line of a mapping, in a query of mappings."""
    whole = Q(kind__in=ENDS_LINE) | Q(kind="upgrade", payload__units=0)
    found = SyncOperation.objects.filter(whole, mapping=OuterRef("pk"))
    return found.exclude(state__in=(State.DISMISSED, State.UNSUPPORTED))


def _carry_on(change: SubscriptionChange, mapping: SubscriptionMapping) -> None:
    """Bring a quantity that became known late to the lines on which the subscription went on since: each began with the
    quantity that was known then. A younger quantity holds there instead.
    """
    known = SubscriptionChange.objects.filter(subscription=change.subscription, after__has_key="quantity")
    later = SubscriptionMapping.objects.filter(subscription=change.subscription, starts_on__gt=change.effective_on)
    later = later.exclude(pk=mapping.pk).exclude(Exists(_ending().filter(effective_on__lte=OuterRef("starts_on"))))
    for one in later.select_related("connection__organization", "subscription").order_by("starts_on", "pk"):
        if known.filter(effective_on__gt=change.effective_on, effective_on__lte=one.starts_on).exists():
            return
        plan_operation(
            one,
            KINDS[Change.QUANTITY_CHANGED],
            effective_on=one.starts_on,
            payload={"units": change.after["quantity"], "carried_on": True},
            actor=_actor_of(change),
            now=change.recorded_at,
            correlation_id=change.correlation_id,
        )


def _place_of(change: SubscriptionChange, mapping: SubscriptionMapping) -> Place | str:
    """Where the subscription goes on after this change, or why that cannot be told; "" where it stays on its line."""
    policies = mapping.connection.policies
    moves = (change.kind == Change.UPGRADED and policies.upgrade == "pair") or (
        change.kind == Change.BILLING_CYCLE_CHANGED and policies.cycle_change == "move"
    )
    if not moves:
        return ""
    if mapping.ends_on is not None:
        return "Since then it is billed elsewhere, or not any more."
    if "variant_id" not in change.after:
        return "Only some of the seats were upgraded, to a subscription of its own."
    return place_for(mapping, mapping.subscription, change.effective_on)


def kind_of(change: SubscriptionChange, subscription: Subscription) -> str | None:
    """The kind of operation that follows from a change; None where nothing does."""
    kind = Change(change.kind)
    if is_usage_based(subscription) and kind in OF_AZURE_PLANS:
        return OF_AZURE_PLANS[kind]
    return KINDS.get(kind)


def is_usage_based(subscription: Subscription) -> bool:
    return subscription.variant.offer.category in USAGE_BASED


def payload_of(change: SubscriptionChange, mapping: SubscriptionMapping) -> dict[str, Any]:
    """What the operation carries; money as text, per unit and period."""
    subscription, kind = mapping.subscription, change.kind
    priced = partial(price_payload, subscription, mapping.connection, change.effective_on)
    if kind == Change.QUANTITY_CHANGED:
        units = {"units": change.after["quantity"], "units_before": change.before.get("quantity")}
        return units | (priced() if subscription.promotion_id else {})
    if kind == Change.PRICE_CHANGED:
        return priced() | {"usage_based": is_usage_based(subscription)}
    if kind == Change.REACTIVATED and not is_usage_based(subscription):
        return {"units": subscription.quantity, "zeroed": _zeroed(mapping)}
    if kind == Change.RENEWED:
        return priced() | {EXTEND_TO: str(subscription.ends_on)}
    if kind == Change.BILLING_CYCLE_CHANGED:
        return {"leaves": True}
    if kind == Change.UPGRADED:
        full = "variant_id" in change.after
        return {"units": 0 if full else change.after.get("quantity", 0), "leaves": full}
    if kind == Change.DETAILS_CHANGED:
        return {"changed": change.after}
    return {}


def _zeroed(mapping: SubscriptionMapping) -> bool:
    """Whether the last suspension takes, or took, the units of the line away."""
    here = {"subscription": mapping.subscription_id, "connection": mapping.connection_id}
    suspensions = SyncOperation.objects.filter(**here, kind=KINDS[Change.SUSPENDED])  # perhaps on its line before
    last = suspensions.exclude(state=State.DISMISSED).order_by("-sequence").first()
    return last is not None and last.state != State.UNSUPPORTED


def _start_mapping(mapping: SubscriptionMapping, change: SubscriptionChange) -> None:
    """The subscription has started: the operation that waited for it knows its date and quantity now."""
    subscription = Subscription.objects.get(pk=change.subscription_id)
    started = whole_month(subscription, subscription.starts_on or change.effective_on)
    waiting = SyncOperation.objects.filter(
        mapping=mapping, kind=mapping_kind.KIND.name, effective_on__isnull=True, state__in=SyncOperation.OPEN
    )
    locked_stream(mapping.connection, mapping.subscription)
    for operation in waiting:
        mapping.starts_on = started
        mapping.save(update_fields=["starts_on"])
        journal.move(
            operation,
            State.QUEUED,
            effective_on=started,
            payload=operation.payload | mapping_payload(subscription, mapping.connection, started),
        )
        Stream.objects.filter(pk=operation.stream_id).update(due=change.recorded_at)
        enqueue(DRAIN, mapping.connection_id)


def _end_mapping(mapping: SubscriptionMapping, change: SubscriptionChange) -> None:
    """The order failed: nothing will be billed, so what waited for it is dismissed and the mapping is closed."""
    locked_stream(mapping.connection, mapping.subscription)
    for operation in SyncOperation.objects.filter(mapping=mapping).open().select_related("audit_began", "mapping"):
        if operation.state in (State.PLANNED, State.QUEUED, State.REHEARSED):
            journal.move(
                operation, State.DISMISSED, error="The order failed at Microsoft.", finished_at=change.recorded_at
            )
            journal.end_audit(
                operation, succeeded=False, answered={"error": "The order failed at Microsoft."}, now=change.recorded_at
            )
    SubscriptionMapping.objects.filter(pk=mapping.pk).update(starts_on=change.effective_on, ends_on=change.effective_on)


def _actor_of(change: SubscriptionChange) -> Actor:
    return Actor.user(change.actor) if change.actor else Actor.system(change.get_source_display())
