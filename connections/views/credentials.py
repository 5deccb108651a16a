"""New credentials for a connection that is in use: tested before the old ones are dropped."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from connections import actions
from connections.models import Connection
from connections.registry import credentials_form, try_credentials
from connections.views.access import MANAGE, actor_of, connection_of
from portal.far_side import FarSideError
from portal.htmx import hx_redirect, render_page
from portal.permissions import requires


@require_http_methods(["GET", "POST"])
@requires(MANAGE)
def connection_rotate(request: HttpRequest, pk: int) -> HttpResponse:
    """New credentials: tested before the old ones are dropped."""
    connection = connection_of(request, pk)
    posted = request.POST if request.method == "POST" else None
    credentials = credentials_form(connection.kind)(posted, initial=connection.settings)
    context: dict[str, Any] = {"connection": connection, "credentials": credentials}
    if posted is not None and credentials.is_valid() and _try_to_rotate(request, connection, context):
        messages.success(request, "The new credentials work and are stored.")
        return hx_redirect(request, connection)
    status = 200 if posted is None else 422
    return render_page(request, "connections/connection_rotate.html", context, status=status)


def _try_to_rotate(request: HttpRequest, connection: Connection, context: dict[str, Any]) -> bool:
    """True where the new credentials are stored; else what went wrong is in the page's context."""
    settings, secrets = context["credentials"].public_settings(), context["credentials"].secrets()
    who_and_when: dict[str, Any] = {"actor": actor_of(request), "now": timezone.now()}
    try:
        trial = context["trial"] = try_credentials(
            connection.kind, settings, secrets, connection.key, organization=connection.organization
        )
    except FarSideError as error:
        context["problem"] = error
        actions.record_failed_rotation(connection, error=error, **who_and_when)
        return False
    if not trial.passed:
        actions.record_failed_rotation(connection, trial=trial, **who_and_when)
        return False
    actions.rotate_secrets(connection, settings=settings, trial=trial, **who_and_when)
    return True
