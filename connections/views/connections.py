"""Connections: the links to Autotask and Partner Center, how they are doing, and what was read from them."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from connections import actions, mirror, policy_words
from connections.filters import ConnectionFilter
from connections.forms import NameForm
from connections.health import health_of
from connections.models import Connection, MirrorRefresh
from connections.refusals import Refused
from connections.registry import PSAS, Trial, credentials_form, try_connection
from connections.views.access import MANAGE, actor_of, connection_of, done
from connections.views.requests import requests_context
from portal.far_side import FarSideError, Unauthorized
from portal.htmx import hx_redirect, render_page
from portal.paging import page_of
from portal.permissions import requires


@require_GET
@requires(MANAGE)
def connection_list(request: HttpRequest) -> HttpResponse:
    filters = ConnectionFilter(request, Connection.objects.for_user(request.user))
    page = page_of(request, filters.qs, order=("name", "pk"))
    for connection in page.rows:
        connection.health = health_of(connection)
    return render_page(request, "connections/connection_list.html", {"filter": filters, "page": page}, fragment="table")


@require_GET
@requires(MANAGE)
def connection_detail(request: HttpRequest, pk: int) -> HttpResponse:
    connection = connection_of(request, pk)
    labels = {name: field.label for name, field in credentials_form(connection.kind).base_fields.items()}
    context = mirror_context(connection) | requests_context(connection)
    context |= {
        "health": health_of(connection),
        "settings": [(labels.get(name, name), value) for name, value in connection.settings.items()],
        "secrets": [(labels.get(secret.name, secret.name), secret) for secret in connection.secrets.all()],
        "passed": all(result.get("optional") for result in connection.lacking),
        "policies": policy_words.chosen(connection.policies),
    }
    return render_page(request, "connections/connection_detail.html", context, fragment="mirror")


@require_POST
@requires(MANAGE)
def connection_test(request: HttpRequest, pk: int) -> HttpResponse:
    """Sign in with the stored credentials and check every right."""
    connection = connection_of(request, pk)
    if connection.state == Connection.State.RETIRED:
        messages.error(request, "It is retired.")
        return hx_redirect(request, connection)
    try:
        trial = try_connection(connection)
    except FarSideError as error:
        actions.record_test(connection, None, error=error, actor=actor_of(request), now=timezone.now())
        if isinstance(error, Unauthorized):
            actions.mark_unauthorized(connection, error, now=timezone.now())
        messages.error(request, str(error))
    else:
        actions.record_test(connection, trial, actor=actor_of(request), now=timezone.now())
        _say(request, trial)
    return hx_redirect(request, connection)


@require_POST
@requires(MANAGE)
def connection_refresh(request: HttpRequest, pk: int) -> HttpResponse:
    """Read everything anew, in the background."""
    connection = connection_of(request, pk)
    return done(request, connection, lambda: mirror.start_refresh(connection, now=timezone.now()))


@require_POST
@requires(MANAGE)
def connection_drop(request: HttpRequest, pk: int) -> HttpResponse:
    """Drop the rows that a held refresh did not find."""
    connection = connection_of(request, pk)
    refresh = get_object_or_404(MirrorRefresh.objects.undecided().select_related("connection"), connection=connection)
    return done(request, connection, lambda: mirror.drop_anyway(refresh, actor=actor_of(request), now=timezone.now()))


@require_POST
@requires(MANAGE)
def connection_pause(request: HttpRequest, pk: int) -> HttpResponse:
    connection = connection_of(request, pk)
    return done(
        request, connection, lambda: actions.pause_connection(connection, actor=actor_of(request), now=timezone.now())
    )


@require_POST
@requires(MANAGE)
def connection_resume(request: HttpRequest, pk: int) -> HttpResponse:
    connection = connection_of(request, pk)
    return done(
        request, connection, lambda: actions.resume_connection(connection, actor=actor_of(request), now=timezone.now())
    )


@require_http_methods(["GET", "POST"])
@requires(MANAGE)
def connection_rename(request: HttpRequest, pk: int) -> HttpResponse:
    connection = connection_of(request, pk)
    posted = request.POST if request.method == "POST" else None
    form = NameForm(
        posted, organization=connection.organization, connection=connection, initial={"name": connection.name}
    )
    if form.is_valid():
        try:
            name = form.cleaned_data["name"]
            actions.rename_connection(connection, name=name, actor=actor_of(request), now=timezone.now())
            return hx_redirect(request, connection)
        except Refused as refused:
            form.add_error("name", str(refused))
    context = {"connection": connection, "form": form}
    status = 200 if posted is None else 422
    return render_page(request, "connections/connection_rename.html", context, status=status)


@require_http_methods(["GET", "POST"])
@requires(MANAGE)
def connection_retire(request: HttpRequest, pk: int) -> HttpResponse:
    """Say what stays billed at the far side, then take the connection out of use."""
    connection = connection_of(request, pk)
    if request.method == "GET":
        return render_page(request, "connections/connection_retire.html", {"connection": connection})
    return done(
        request, connection, lambda: actions.retire_connection(connection, actor=actor_of(request), now=timezone.now())
    )


def mirror_context(connection: Connection) -> dict[str, Any]:
    """What the part of a page about the data that were read needs."""
    refresh, base = connection.refreshes.full().first(), connection.refreshes.bases().first()
    stored = mirror.counts_of(connection) if connection.kind in PSAS else {}
    read = refresh.counts if refresh else {}
    return {
        "connection": connection,
        "refresh": refresh,
        "base": base,
        "changes": connection.refreshes.of_changes().filter(pk__gte=base.pk).first() if base else None,
        "kinds": [(name, count, read.get(name, 0)) for name, count in stored.items()],
    }


def _say(request: HttpRequest, trial: Trial) -> None:
    missing = [result.need for result in trial.results if not result.granted]
    if trial.passed and missing:
        messages.success(request, f"It answers, and all that must be there is. Not there: {', '.join(missing)}.")
    elif missing:
        messages.warning(request, f"It answers, but this is missing: {', '.join(missing)}.")
    else:
        messages.success(request, "It answers, and every right is there.")
