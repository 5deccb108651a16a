"""What the worker calls. Every task takes ids and may be called twice, late, or never: `sweep` finds what is due."""

from datetime import datetime

from django.db.models import QuerySet
from django.utils import timezone

from portal import leases
from portal.actions import orders, subscription_requests
from portal.models import Order, SubscriptionRequest
from portal.queue import enqueue


def advance_order(order_id: int) -> None:
    """Take an order one step further."""
    orders.advance_order(order_id, timezone.now())


def run_request(request_id: int) -> None:
    """Send a wished-for change of a subscription to Microsoft."""
    subscription_requests.run_request(request_id, timezone.now())


def sweep(now: datetime | None = None) -> int:
    """Wake a worker for everything that is due, whether or not its message was lost; how many there were."""
    moment = now or timezone.now()
    due_orders = list(_due_orders(moment).values_list("pk", flat=True))
    due_requests = list(_due_requests(moment).values_list("pk", flat=True))
    for pk in due_orders:
        enqueue("portal.tasks.advance_order", pk)
    for pk in due_requests:
        enqueue("portal.tasks.run_request", pk)
    return len(due_orders) + len(due_requests)


def due(now: datetime) -> bool:
    """True where something is due: two questions to the indexes of `due_at`."""
    return _due_orders(now).exists() or _due_requests(now).exists()


def work(now: datetime) -> None:
    """Do everything that is due, in this process."""
    for pk in list(_due_orders(now).values_list("pk", flat=True)):
        advance_order(pk)
    for pk in list(_due_requests(now).values_list("pk", flat=True)):
        run_request(pk)


def _due_orders(now: datetime) -> QuerySet[Order]:
    return leases.due(Order.objects.filter(state__in=Order.OPEN), now)


def _due_requests(now: datetime) -> QuerySet[SubscriptionRequest]:
    return leases.due(SubscriptionRequest.objects.filter(state__in=SubscriptionRequest.OPEN), now)
