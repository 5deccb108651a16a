"""What the pages of connections share: who comes in, to which connection, and how a refusal is said."""

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404

from connections.models import Connection
from connections.refusals import Refused
from portal.audit import Actor
from portal.htmx import hx_redirect

MANAGE = "connections.manage"


def connection_of(request: HttpRequest, pk: int) -> Connection:
    """A connection of the person's own organization that is set up; 404 for any other, and for a draft."""
    mine = Connection.objects.for_user(request.user).set_up()
    return get_object_or_404(mine.select_related("organization"), pk=pk)


def done(request: HttpRequest, connection: Connection, act: Callable[[], Any]) -> HttpResponse:
    """Do it, and go back to the connection; what refused it is said there."""
    try:
        act()
    except Refused as refused:
        messages.error(request, str(refused))
    return hx_redirect(request, connection)


def actor_of(request: HttpRequest) -> Actor:
    user: Any = request.user
    return Actor.user(user)
