"""What this app shows on a connection's page: what is mapped there, and stays billed when it retires."""

from __future__ import annotations

from django.http import HttpRequest

from connections.models import Connection
from mappings.models import CustomerMapping, OfferMapping, SubscriptionMapping
from portal.panels import Panel, add_panel
from portal.permissions import allowed


def register() -> None:
    add_panel("connection", mapped_panel)
    add_panel("connection_retire", mapped_panel)


def mapped_panel(request: HttpRequest, connection: Connection) -> Panel | None:
    """How many customers, offers and subscriptions the connection maps; nothing for one that cannot map any."""
    if connection.kind != Connection.Kind.AUTOTASK:
        return None
    context = {
        "connection": connection,
        "may_map": connection.state in Connection.TAKES_WORK and allowed(request.user, "mappings.map"),
        "customers": CustomerMapping.objects.filter(connection=connection).count(),
        "offers": OfferMapping.objects.filter(connection=connection).count(),
        "subscriptions": SubscriptionMapping.objects.open().filter(connection=connection).count(),
    }
    return Panel("mappings/mapped_panel.html", context)
