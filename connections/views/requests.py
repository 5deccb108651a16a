"""A connection's budget of requests: what is used of the hour, and which part of it is ours."""

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST

from connections import actions, mirror
from connections.forms import ShareForm
from connections.models import Connection
from connections.registry import PSAS, budget_of, psa_for, sharing
from connections.usage import Usage
from connections.views.access import MANAGE, actor_of, connection_of
from portal.far_side import FarSideError, Unauthorized
from portal.htmx import hx_redirect, render_page
from portal.permissions import requires


@require_POST
@requires(MANAGE)
def connection_count(request: HttpRequest, pk: int) -> HttpResponse:
    """Ask the far side how many requests it counts."""
    connection = connection_of(request, pk)
    if connection.kind not in PSAS or connection.state not in mirror.READS:
        messages.error(request, f"It is {connection.get_state_display().lower()}; press Test first.")
        return hx_redirect(request, connection)
    try:
        psa_for(connection).count_requests()
    except FarSideError as error:
        if isinstance(error, Unauthorized):
            actions.mark_unauthorized(connection, error, now=timezone.now())
        messages.error(request, str(error))
    return hx_redirect(request, connection)


@require_http_methods(["GET", "POST"])
@requires(MANAGE)
def connection_share(request: HttpRequest, pk: int) -> HttpResponse:
    """How much of the far side's hourly limit is ours."""
    connection = connection_of(request, pk)
    context = requests_context(connection)
    if not context:
        raise Http404
    posted = request.POST if request.method == "POST" else None
    form = ShareForm(posted, initial={"share": context["usage"].share})
    if form.is_valid():
        budget_of(connection).set_share(form.cleaned_data["share"], actor=actor_of(request), connection=connection)
        messages.success(request, f"The share is {form.cleaned_data['share']} %.")
        return hx_redirect(request, connection)
    status = 200 if posted is None else 422
    context |= {"connection": connection, "form": form}
    return render_page(request, "connections/connection_share.html", context, status=status)


def requests_context(connection: Connection) -> dict[str, Any]:
    """`usage`, `pause` and the lines of `requests`; empty where nothing is asked, or the secrets cannot be read."""
    if connection.kind not in PSAS or connection.state == Connection.State.RETIRED:
        return {}
    try:
        usage = budget_of(connection).usage()
    except Unauthorized:
        return {}
    lines = _lines(usage)
    if others := sharing(connection):
        lines.append(("Shared with", f"{', '.join(map(str, others))}: they have the same tracking identifier."))
    return {"usage": usage, "pause": usage.pause(bulk=False) or usage.bulk_pause, "requests": lines}


def _lines(usage: Usage) -> list[tuple[str, str]]:
    others = "Not known: press Read now" if usage.others is None else f"{usage.others:,}"
    return [
        ("By everybody", f"{usage.used:,} of {usage.limit:,}"),
        ("By us", f"{usage.ours:,} of {usage.own_limit:,}"),
        ("By others", others),
        ("Left", f"{usage.left:,}"),
        (
            "Our share",
            f"{usage.share} %: {usage.own_limit:,} requests. Bulk work, such as reading the data, uses up to "
            f"{usage.bulk_limit:,} of them; the rest is for people.",
        ),
    ]
