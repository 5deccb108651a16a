"""Changes of subscriptions: recorded as facts, and asked of Microsoft."""

import json
from collections.abc import Mapping
from datetime import date, datetime
from typing import Any
from uuid import UUID, uuid4

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.serializers.json import DjangoJSONEncoder
from django.db import IntegrityError, transaction
from django.db.models import F
from django.utils.module_loading import import_string

from portal.audit import Actor, record
from portal.models import AuditEntry, Offer, Subscription, SubscriptionChange, SubscriptionRequest, User
from portal.queue import enqueue

CHANGE_QUANTITY = "Change Quantity"
RUN_REQUEST = "portal.tasks.run_request"
MOST_SHOWN = 20_000  # characters; what is longer cannot be opened any more, and is not missed
CHANGEABLE = frozenset(
    {
        "auto_renew",
        "ends_on",
        "erp",
        "external_id",
        "friendly_name",
        "list_price",
        "organization_id",
        "promotion_id",
        "quantity",
        "starts_on",
        "status",
        "variant_id",
    }
)
COUNTED_IN_SEATS = (Offer.Category.LICENCE, Offer.Category.SOFTWARE, Offer.Category.LEGACY)


def record_change(
    subscription: Subscription,
    *,
    kind: str,
    effective_on: date,
    source: str,
    after: Mapping[str, Any],
    before: Mapping[str, Any] | None = None,
    actor: Actor,
    at: datetime,
    correlation_id: UUID | None = None,
) -> SubscriptionChange:
    """Record a fact about a subscription and plan what follows from it, in one transaction.

    Those names in `after` that are changeable fields of the subscription are written to it, and to the row handed in;
    other names are only kept with the change. `before` is read from the row where it is not given. Every listener in
    `settings.PORTAL_CHANGE_LISTENERS` is called with the change, inside the transaction.
    """
    with transaction.atomic():
        row = Subscription.objects.select_for_update(no_key=True).get(pk=subscription.pk)
        values = {name: value for name, value in after.items() if name in CHANGEABLE}
        was = {name: getattr(row, name) for name in values} if before is None else before
        Subscription.objects.filter(pk=row.pk).update(**values, version=F("version") + 1)
        for name, value in {**values, "version": row.version + 1}.items():
            setattr(subscription, name, value)
        change = SubscriptionChange.objects.create(
            subscription=subscription,
            kind=kind,
            effective_on=effective_on,
            recorded_at=at,
            source=source,
            before=_json(was),
            after=_json(after),
            actor_id=actor.user_id,
            correlation_id=correlation_id or uuid4(),
        )
        for listener in settings.PORTAL_CHANGE_LISTENERS:
            import_string(listener)(change)
    return change


def _json(values: Mapping[str, Any]) -> dict[str, Any]:
    plain: dict[str, Any] = json.loads(json.dumps(dict(values), cls=DjangoJSONEncoder))
    return plain


def seats_problem(subscription: Subscription) -> str:
    """Why the number of seats cannot be changed now, in words; "" where it can."""
    if subscription.variant.offer.category not in COUNTED_IN_SEATS:
        return f"{subscription.variant.offer.get_category_display()} has no seats that could be changed."
    if subscription.status == Subscription.Status.PENDING or not subscription.external_id:
        return "Microsoft has not provisioned this subscription yet. Wait until its order is completed."
    if subscription.status != Subscription.Status.ACTIVE:
        return f"This subscription is {subscription.get_status_display().lower()}. Only active ones can be changed."
    return ""


def quantity_problem(subscription: Subscription, quantity: int) -> str:
    """Why the subscription cannot have this quantity, in words; "" where it can."""
    variant = subscription.variant
    if quantity == subscription.quantity:
        return f"It has {quantity} seats already."
    if not variant.minimum_quantity <= quantity <= variant.maximum_quantity:
        return f"Microsoft sells {variant.minimum_quantity:,} to {variant.maximum_quantity:,} of these."
    return ""


def request_quantity(
    subscription: Subscription, *, quantity: int, actor: User, now: datetime, shown: str = ""
) -> SubscriptionRequest:
    """Ask Microsoft for a new total quantity, in the background. A wish repeated while under way is the same request.

    `shown`: what a higher app showed before it was confirmed, kept as it is. Raises ValidationError, with the reason in
    words, where that cannot be.
    """
    open_request = subscription.requests.filter(state__in=SubscriptionRequest.OPEN).first()
    if open_request is not None and open_request.wanted == {"quantity": quantity}:
        return open_request
    if problem := seats_problem(subscription) or quantity_problem(subscription, quantity):
        raise ValidationError(problem)
    try:
        with transaction.atomic():
            return _request_quantity(subscription, quantity, actor, now, shown)
    except IntegrityError:
        other = subscription.requests.filter(state__in=SubscriptionRequest.OPEN).first()
        if other is not None and other.wanted == {"quantity": quantity}:
            return other
        raise ValidationError("Another change of this subscription is on its way; wait until it is done.") from None


def _request_quantity(
    subscription: Subscription, quantity: int, actor: User, now: datetime, shown: str
) -> SubscriptionRequest:
    request = SubscriptionRequest.objects.create(
        subscription=subscription,
        kind="quantity",
        wanted={"quantity": quantity},
        shown=shown[:MOST_SHOWN],
        actor=actor,
        requested_at=now,
        due_at=now,
    )
    record(
        CHANGE_QUANTITY,
        actor=Actor.user(actor),
        organization=subscription.organization,
        status=AuditEntry.Status.IN_PROGRESS,
        subject=f"{subscription}: {subscription.quantity} to {quantity}",
        subscription=subscription,
        asked=request.wanted,
        before={"quantity": subscription.quantity},
        correlation_id=request.request_id,
        at=now,
    )
    enqueue(RUN_REQUEST, request.pk)
    return request


def resume_request(request: SubscriptionRequest, *, now: datetime) -> bool:
    """Let a stopped request go on; False where it is not stopped."""
    stopped = SubscriptionRequest.objects.filter(pk=request.pk, state__in=SubscriptionRequest.OPEN, due_at__isnull=True)
    with transaction.atomic():
        resumed = stopped.update(due_at=now, attempts=0, error="", advice="") == 1
        if resumed:
            enqueue(RUN_REQUEST, request.pk)
    return resumed
