"""How an order and its lines come to an end: provisioned, refused, or failed."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from portal.actions.subscriptions import record_change
from portal.audit import Actor, record
from portal.models import AuditEntry, Order, OrderLine, Subscription, SubscriptionChange
from portal.provider import SubscriptionFacts

CREATE_ORDER = "Create Order"


def open_lines(order: Order) -> list[OrderLine]:
    """The lines that Microsoft has neither provisioned nor refused yet."""
    return [line for line in all_lines(order) if is_open(line)]


def is_open(line: OrderLine) -> bool:
    return not line.error and not subscription_of(line).external_id


def all_lines(order: Order) -> list[OrderLine]:
    return list(order.lines.select_related("subscription__organization", "variant__offer", "promotion").order_by("pk"))


def subscription_of(line: OrderLine) -> Subscription:
    """The subscription of a line of a submitted order."""
    if line.subscription is None:
        raise ValueError(f"Line {line.pk} belongs to an order that was not submitted.")
    return line.subscription


def hold_subscriptions(order: Order) -> None:
    """Lock the order's subscriptions all at once, before its first line writes to the audit log.

    Whoever locks a subscription writes there as well: one after the other, two transactions could wait for each other.
    """
    rows = Subscription.objects.select_for_update(of=("self",), no_key=True)
    list(rows.filter(order_line__order=order).order_by("pk").values_list("pk"))


def provision_line(order: Order, line: OrderLine, facts: SubscriptionFacts, *, now: datetime) -> None:
    """The line became a subscription at Microsoft. The moment its term began is a day in the organization's zone."""
    subscription = subscription_of(line)
    began = facts.started_at.astimezone(order.organization.zone).date() if facts.started_at else None
    record_change(
        subscription,
        kind=SubscriptionChange.Kind.ACTIVATED,
        effective_on=began or subscription.created_on,
        source=SubscriptionChange.Source.PORTAL,
        after={
            "external_id": facts.external_id,
            "status": facts.status if facts.status in Subscription.BILLED else Subscription.Status.ACTIVE,
            "quantity": facts.quantity or line.quantity,
            "starts_on": began or subscription.created_on,
            "ends_on": facts.ends_on,
            "auto_renew": facts.auto_renew,
        },
        actor=Actor.user(order.created_by),
        at=now,
        correlation_id=order.correlation_id,
    )
    OrderLine.objects.filter(pk=line.pk).update(provider_order_id=facts.order_external_id)


def fail_lines(order: Order, lines: Iterable[OrderLine], reason: str, *, now: datetime) -> None:
    """The lines were not bought: their subscriptions never came to be."""
    today = now.astimezone(order.organization.zone).date()
    for line in lines:
        OrderLine.objects.filter(pk=line.pk).update(error=reason)
        record_change(
            subscription_of(line),
            kind=SubscriptionChange.Kind.ORDER_FAILED,
            effective_on=today,
            source=SubscriptionChange.Source.PORTAL,
            after={"status": Subscription.Status.DELETED},
            actor=Actor.user(order.created_by),
            at=now,
            correlation_id=order.correlation_id,
        )


def end_audit(order: Order, status: str, answered: Mapping[str, Any], now: datetime) -> None:
    """End the entry that the order's submission began."""
    began = AuditEntry.objects.get(
        correlation_id=order.correlation_id, name=CREATE_ORDER, status=AuditEntry.Status.IN_PROGRESS
    )
    record(
        CREATE_ORDER,
        actor=Actor(began.actor_label, began.actor_id),
        organization=order.organization,
        status=status,
        subject=began.subject,
        customer=order.customer,
        asked=began.asked,
        answered=answered,
        began=began,
        at=now,
    )
