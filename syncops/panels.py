"""What this app shows on the floor's pages: where a subscription is billed, or how to put it on a contract."""

from __future__ import annotations

from typing import Any

from django.db.models import Prefetch
from django.http import HttpRequest

from connections.models import Connection
from mappings.models import SubscriptionMapping
from portal.models import Order, Subscription
from portal.panels import Panel, add_panel
from portal.permissions import allowed
from syncops.models import SyncOperation

NOT_ON_ORDERS = (Order.State.CART, Order.State.FAILED)


def register() -> None:
    add_panel("subscription", subscription_panel)
    add_panel("order", order_panel)


def subscription_panel(request: HttpRequest, subscription: Subscription) -> Panel:
    """Where the subscription is billed; else the way there, or what stands in it."""
    user: Any = request.user
    context: dict[str, Any] = {"subscription": subscription, "mapping": None}
    if subscription.organization_id != user.organization_id:
        return Panel("syncops/sync_panel.html", context | {"owner": subscription.organization})
    mapping = _with_operations(SubscriptionMapping.objects.open().filter(subscription=subscription)).first()
    if mapping is not None:
        context |= {"mapping": mapping, "operation": _last(mapping)}
    return Panel("syncops/sync_panel.html", context | _ways(request))


def order_panel(request: HttpRequest, order: Order) -> Panel | None:
    """Per line of the order: where it is billed, or the way there. Two queries, however many lines."""
    user: Any = request.user
    if order.organization_id != user.organization_id or order.state in NOT_ON_ORDERS:
        return None
    subscriptions = list(
        Subscription.objects.filter(order_line__order=order)
        .exclude(status=Subscription.Status.DELETED)
        .order_by("order_line__pk")
    )
    mapped = {
        mapping.subscription_id: mapping
        for mapping in _with_operations(SubscriptionMapping.objects.open().filter(subscription__in=subscriptions))
    }
    rows = [
        (subscription, mapping, _last(mapping) if mapping else None)
        for subscription in subscriptions
        for mapping in [mapped.get(subscription.pk)]
    ]
    return Panel("syncops/sync_order_panel.html", {"rows": rows} | _ways(request)) if rows else None


def _ways(request: HttpRequest) -> dict[str, Any]:
    """Whether there is a connection to sync to, and whether the person may."""
    connected = Connection.objects.for_user(request.user).autotask().usable().exists()
    return {"connected": connected, "may_map": allowed(request.user, "mappings.map")}


def _with_operations(mappings: Any) -> Any:
    operations = SyncOperation.objects.order_by("-pk")
    return mappings.select_related("connection").prefetch_related(
        Prefetch("operations", queryset=operations, to_attr="latest_operations")
    )


def _last(mapping: Any) -> SyncOperation | None:
    return mapping.latest_operations[0] if mapping.latest_operations else None
