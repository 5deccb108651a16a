"""The switch from live to rehearsal. Going live has a page of its own, where what gathered is."""

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from connections.modes import rehearse_connection
from connections.registry import PSAS
from connections.views.access import MANAGE, actor_of, connection_of, done
from connections.views.policies import mode_example
from portal.htmx import render_page
from portal.permissions import requires


@require_http_methods(["GET", "POST"])
@requires(MANAGE)
def connection_rehearse(request: HttpRequest, pk: int) -> HttpResponse:
    """Say what a rehearsal keeps from being billed, then switch. A second click changes nothing."""
    connection = connection_of(request, pk)
    if connection.kind not in PSAS:
        raise Http404
    if request.method == "GET":
        context: dict[str, Any] = {"connection": connection, "mode": mode_example(connection, "rehearse")}
        return render_page(request, "connections/connection_rehearse.html", context)

    def switch() -> None:
        rehearse_connection(connection, actor=actor_of(request), now=timezone.now())
        messages.success(request, "It rehearses now. What was being sent at this moment is still proved.")

    return done(request, connection, switch)
