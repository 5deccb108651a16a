"""What other pages show of connections: those that wait for a person, and what is read from Partner Center."""

from typing import Any

from django.db.models import Q
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone

from connections.health import health_of
from connections.imports import connection_for, import_context, look_of
from connections.models import Connection, MirrorRefresh, ProviderCustomer, ProviderImport
from connections.provider.partner_center.reach import READS
from portal.panels import Panel, add_panel
from portal.permissions import allowed


def register() -> None:
    add_panel("home", waiting_panel)
    add_panel("connection", import_panel)
    add_panel("subscription", look_panel)
    add_panel("subscription_list", sync_list_panel)
    add_panel("customer_actions", sync_customer_panel)


def import_panel(request: HttpRequest, row: Any) -> Panel | None:
    """What is read through a connection to Partner Center."""
    if row.kind != Connection.Kind.PARTNER_CENTER:
        return None
    return Panel("connections/import_panel.html", import_context(row, timezone.now()))


def look_panel(request: HttpRequest, row: Any) -> Panel | None:
    """When a subscription was last compared, and *Sync*; nothing before Microsoft has it, or without a connection."""
    if not row.external_id or connection_for(row.customer) is None:
        return None
    seen = ProviderCustomer.objects.filter(customer=row.customer_id).order_by("-read_at").first()
    may_sync = allowed(request.user, "portal.change_subscription")
    read_at = seen.read_at if seen else None
    context = {"subscription": row, "look": look_of(row), "read_at": read_at, "may_sync": may_sync}
    return Panel("connections/look_panel.html", context)


def sync_list_panel(request: HttpRequest, row: Any) -> Panel | None:
    """*Sync* for everything, for those whose own connection reads it."""
    own = Connection.objects.for_user(request.user).filter(kind=Connection.Kind.PARTNER_CENTER, state__in=READS)
    if not allowed(request.user, "portal.change_subscription") or not own.exists():
        return None
    return Panel("connections/sync_panel.html", {"action": reverse("connections:subscriptions_sync"), "label": "Sync"})


def sync_customer_panel(request: HttpRequest, row: Any) -> Panel | None:
    """*Sync* for all that a customer holds."""
    if not allowed(request.user, "portal.change_subscription") or connection_for(row) is None:
        return None
    context = {"action": reverse("connections:customer_sync", args=[row.pk]), "label": "Sync"}
    return Panel("connections/sync_panel.html", context)


def waiting_panel(request: HttpRequest, row: Any) -> Panel | None:
    """Connections whose credentials are refused, or whose reading waits for a decision."""
    mine = Connection.objects.for_user(request.user).exclude(state=Connection.State.RETIRED)
    held = MirrorRefresh.objects.for_user(request.user).undecided().values("connection")
    imports = ProviderImport.objects.for_user(request.user).undecided().values("connection")
    waiting = list(mine.filter(Q(state__in=Connection.NEEDS_A_PERSON) | Q(pk__in=held) | Q(pk__in=imports)))
    if not waiting:
        return None
    context = {
        "connections": [(connection, health_of(connection)) for connection in waiting],
        "may_manage": allowed(request.user, "connections.manage"),
    }
    return Panel("connections/waiting_panel.html", context)
