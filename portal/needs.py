"""What waits for a person in the portal's own business. The higher apps add theirs as panels of the first page."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from portal.models import Order, Organization, Subscription, SubscriptionRequest

LATELY = timedelta(days=14)  # what failed longer ago was seen
SOON = timedelta(days=30)
EACH = 5  # of one kind; the lists show the rest


@dataclass(frozen=True, slots=True)
class Need:
    """One thing that waits: what it is, why or what to do, and the page where it is dealt with."""

    text: str
    detail: str
    url: str
    tone: str


def needs_of(user: Any, now: datetime) -> list[Need]:
    """What the person's organization should look at, the most pressing first. Four queries."""
    today = now.astimezone(user.organization.zone).date()
    return [*stalled_orders(user), *failed_orders(user, now), *failed_requests(user, now), *ending(user, today)]


def stalled_orders(user: Any) -> Iterator[Need]:
    for order in Order.objects.for_user(user).stalled().select_related("customer")[:EACH]:
        text = f"Order {order.number} for {order.customer} stopped on its way"
        yield Need(text, order.advice or order.error, order.get_absolute_url(), "bad")


def failed_orders(user: Any, now: datetime) -> Iterator[Need]:
    orders = Order.objects.for_user(user).filter(state__in=Order.NEEDS_A_PERSON, finished_at__gte=now - LATELY)
    for order in orders.select_related("customer")[:EACH]:
        text = f"Order {order.number} for {order.customer}: {order.get_state_display().lower()}"
        yield Need(text, order.advice or order.error, order.get_absolute_url(), "bad")


def failed_requests(user: Any, now: datetime) -> Iterator[Need]:
    requests = SubscriptionRequest.objects.filter(
        subscription__organization__in=Organization.objects.for_user(user),
        state=SubscriptionRequest.State.FAILED,
        finished_at__gte=now - LATELY,
    ).order_by("-pk")
    for request in requests.select_related("subscription__customer")[:EACH]:
        text = f"{request.get_kind_display()} of {request.subscription}: not changed"
        yield Need(text, request.advice or request.error, request.subscription.get_absolute_url(), "bad")


def ending(user: Any, today: date) -> Iterator[Need]:
    """Subscriptions that end soon because nobody lets them renew."""
    subscriptions = Subscription.objects.for_user(user).filter(
        status=Subscription.Status.ACTIVE, auto_renew=False, ends_on__range=(today, today + SOON)
    )
    for subscription in subscriptions.select_related("customer").order_by("ends_on", "pk")[:EACH]:
        days = (subscription.ends_on - today).days if subscription.ends_on else 0
        when = "today" if days == 0 else "tomorrow" if days == 1 else f"in {days} days"
        detail = "Automatic renewal is off: it stops at the end of its term."
        yield Need(f"{subscription} ends {when}", detail, subscription.get_absolute_url(), "warn")
