"""What the first page shows of connections: those that wait for a person."""

from typing import Any

from django.db.models import Q
from django.http import HttpRequest

from connections.health import health_of
from connections.models import Connection, MirrorRefresh
from portal.panels import Panel, add_panel
from portal.permissions import allowed


def register() -> None:
    add_panel("home", waiting_panel)


def waiting_panel(request: HttpRequest, row: Any) -> Panel | None:
    """Connections whose credentials are refused, or whose reading waits for a decision."""
    mine = Connection.objects.for_user(request.user).exclude(state=Connection.State.RETIRED)
    held = MirrorRefresh.objects.for_user(request.user).undecided().values("connection")
    waiting = list(mine.filter(Q(state__in=Connection.NEEDS_A_PERSON) | Q(pk__in=held)))
    if not waiting:
        return None
    context = {
        "connections": [(connection, health_of(connection)) for connection in waiting],
        "may_manage": allowed(request.user, "connections.manage"),
    }
    return Panel("connections/waiting_panel.html", context)
