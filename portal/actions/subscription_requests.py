"""Sending a wished-for change of a subscription to Microsoft, once, and recording what came of it."""

from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from portal import leases
from portal.actions.subscriptions import CHANGE_QUANTITY, record_change
from portal.audit import Actor, record
from portal.far_side import FarSideError, OutcomeUnknown, Rejected, Unauthorized, Unavailable
from portal.models import AuditEntry, Subscription, SubscriptionChange, SubscriptionRequest
from portal.provider import SubscriptionFacts, provider_for


@dataclass(frozen=True, slots=True)
class _Attempt:
    """One attempt at a request. `in_doubt`: an earlier one may have reached Microsoft without our knowing."""

    request: SubscriptionRequest
    in_doubt: bool

    @property
    def quantity(self) -> int:
        return int(self.request.wanted["quantity"])


def run_request(request_id: int, now: datetime) -> bool:
    """Send one request to Microsoft and record what came of it; False where it is not due or another worker has it."""
    attempt = _claim_request(request_id, now)
    if attempt is None:
        return False
    try:
        facts = _send(attempt)
    except Unavailable as error:
        _wait(attempt, error, now)
    except OutcomeUnknown as error:
        _settle_by_reading(attempt, error, now)
    except (Rejected, Unauthorized) as error:
        if attempt.in_doubt:
            _settle_by_reading(attempt, error, now)
        else:
            _fail(attempt, error, now)
    else:
        _succeed(attempt, facts, now)
    return True


def _claim_request(request_id: int, now: datetime) -> _Attempt | None:
    """Take the request and mark it as being sent, before the first byte goes out."""
    with transaction.atomic():
        if not leases.claim(SubscriptionRequest.objects.all(), request_id, now):
            return None
        request = SubscriptionRequest.objects.select_related(
            "actor", "subscription__customer", "subscription__organization"
        ).get(pk=request_id)
        in_doubt = request.state == SubscriptionRequest.State.SENDING
        SubscriptionRequest.objects.filter(pk=request_id).update(state=SubscriptionRequest.State.SENDING)
    return _Attempt(request, in_doubt)


def _send(attempt: _Attempt) -> SubscriptionFacts:
    if leases.exhausted(attempt.request.attempts):
        raise OutcomeUnknown("This change was begun again and again without coming to an end.")
    subscription = attempt.request.subscription
    facts = provider_for(subscription.organization).change_quantity(
        subscription.customer.external_id,
        subscription.external_id,
        attempt.quantity,
        request_id=attempt.request.request_id,
        correlation_id=attempt.request.request_id,
    )
    if facts.quantity != attempt.quantity:
        raise OutcomeUnknown(f"Microsoft took the change but still shows {facts.quantity} seats.")
    return facts


def _settle_by_reading(attempt: _Attempt, error: FarSideError, now: datetime) -> None:
    """Nobody knows what became of the change, so the subscription is read back; the same id makes a repeat harmless."""
    subscription = attempt.request.subscription
    try:
        provider = provider_for(subscription.organization)
        facts = provider.subscription(subscription.customer.external_id, subscription.external_id)
    except FarSideError as unread:
        _wait(attempt, unread, now, in_doubt=True)
        return
    if facts is not None and facts.quantity == attempt.quantity:
        _succeed(attempt, facts, now)
    elif isinstance(error, OutcomeUnknown):
        _wait(attempt, error, now, in_doubt=True)
    else:
        _fail(attempt, error, now)


def _wait(attempt: _Attempt, error: FarSideError, now: datetime, *, in_doubt: bool = False) -> None:
    """Try again later; refused credentials and two hours without an end stop it until a person asks again."""
    request, state = attempt.request, SubscriptionRequest.State
    leases.settle(
        request,
        state=state.SENDING if in_doubt or attempt.in_doubt else state.PLANNED,
        due_at=leases.try_after(error, request.attempts, now),
        error=error.message,
        advice=error.advice,
    )


def _fail(attempt: _Attempt, error: FarSideError, now: datetime) -> None:
    request = attempt.request
    advice = error.advice or window_advice(request.subscription, attempt.quantity)
    with transaction.atomic():
        state = SubscriptionRequest.State.FAILED
        if leases.settle(request, state=state, due_at=None, finished_at=now, error=error.message, advice=advice):
            _end_audit(request, now, error=error)


def window_advice(subscription: Subscription, quantity: int) -> str:
    """What a refusal of this quantity usually means at Microsoft."""
    if quantity < subscription.quantity:
        return (
            "Microsoft takes seats back only within 7 days of the day they were bought or the term was renewed. "
            "Later the number can be lowered when the term renews."
        )
    return (
        "Look at the subscription in Partner Center: it may be changing, suspended, or at its highest number of seats."
    )


def _succeed(attempt: _Attempt, facts: SubscriptionFacts, now: datetime) -> None:
    """Settle the request, and record the change as of today; a change that is known already is not recorded twice."""
    request = attempt.request
    with transaction.atomic():
        state = SubscriptionRequest.State.SUCCEEDED
        if not leases.settle(request, state=state, due_at=None, finished_at=now, error="", advice=""):
            return
        subscription = Subscription.objects.select_for_update(no_key=True).get(pk=request.subscription_id)
        if subscription.quantity != facts.quantity:
            record_change(
                subscription,
                kind=SubscriptionChange.Kind.QUANTITY_CHANGED,
                effective_on=now.astimezone(request.subscription.organization.zone).date(),
                source=SubscriptionChange.Source.PORTAL,
                after={"quantity": facts.quantity},
                actor=Actor.user(request.actor),
                at=now,
                correlation_id=request.request_id,
            )
        _end_audit(request, now)


def _end_audit(request: SubscriptionRequest, now: datetime, *, error: FarSideError | None = None) -> None:
    began = AuditEntry.objects.get(
        correlation_id=request.request_id, name=CHANGE_QUANTITY, status=AuditEntry.Status.IN_PROGRESS
    )
    record(
        CHANGE_QUANTITY,
        actor=Actor.user(request.actor),
        organization=request.subscription.organization,
        status=AuditEntry.Status.FAILED if error else AuditEntry.Status.SUCCEEDED,
        subject=began.subject,
        subscription=request.subscription,
        asked=began.asked,
        answered={"error": error.message, "said": error.raw} if error else {},
        before=began.before,
        after={} if error else request.wanted,
        began=began,
        at=now,
    )
