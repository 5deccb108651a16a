"""Connections: the links to Autotask and Partner Center, how they are doing, and what was read from them."""

import uuid
from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from connections import actions, mirror, policy_words
from connections.filters import ConnectionFilter
from connections.forms import ConnectionForm, NameForm
from connections.health import health_of
from connections.models import Connection, MirrorRefresh
from connections.refusals import Refused
from connections.registry import CREDENTIALS_FORMS, PSAS, Trial, credentials_form, try_connection, try_credentials
from portal.audit import Actor
from portal.far_side import FarSideError, Unauthorized
from portal.htmx import hx_redirect, render_page
from portal.paging import page_of
from portal.permissions import requires

MANAGE = "connections.manage"


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
def connection_create(request: HttpRequest) -> HttpResponse:
    """The first step: which far side, and what to prepare there."""
    kind = request.GET.get("kind", "")
    context = {"kinds": Connection.Kind.choices, "kind": kind if kind in CREDENTIALS_FORMS else ""}
    return render_page(request, "connections/connection_create.html", context)


@require_http_methods(["GET", "POST"])
@requires(MANAGE)
def connection_credentials(request: HttpRequest, kind: str) -> HttpResponse:
    """The second step: name and credentials, which are tested; only a passed test makes the connection."""
    user: Any = request.user
    if kind not in CREDENTIALS_FORMS:
        raise Http404
    posted = request.POST if request.method == "POST" else None
    form = ConnectionForm(posted, organization=user.organization, initial={"currency": user.organization.currency})
    credentials = credentials_form(kind)(posted)
    context: dict[str, Any] = {"kind": kind, "form": form, "credentials": credentials}
    if posted is not None and form.is_valid() & credentials.is_valid():
        connection = _try_to_connect(request, kind, context)
        if connection is not None:
            messages.success(request, f"{connection} is connected.")
            return hx_redirect(request, connection)
    context["label"] = Connection.Kind(kind).label
    return render_page(
        request, "connections/connection_credentials.html", context, status=200 if posted is None else 422
    )


def _try_to_connect(request: HttpRequest, kind: str, context: dict[str, Any]) -> Connection | None:
    """The new connection, or None with what went wrong put into the page's context."""
    user: Any = request.user
    form, credentials, key = context["form"], context["credentials"], uuid.uuid4()
    settings, values = credentials.public_settings(), form.cleaned_data
    asked = {"kind": kind, "organization": user.organization, "name": values["name"], "currency": values["currency"]}
    try:
        trial = try_credentials(kind, settings, credentials.secrets(), key)
        context["trial"] = trial
        if trial.passed:
            return actions.create_connection(
                **asked, settings=settings, trial=trial, key=key, actor=_actor(request), now=timezone.now()
            )
        actions.record_failed_attempt(**asked, trial=trial, actor=_actor(request), now=timezone.now())
    except FarSideError as error:
        context["problem"] = error
        actions.record_failed_attempt(**asked, error=error, actor=_actor(request), now=timezone.now())
    except Refused as refused:
        form.add_error(None, str(refused))
    return None


@require_GET
@requires(MANAGE)
def connection_detail(request: HttpRequest, pk: int) -> HttpResponse:
    connection = _connection(request, pk)
    labels = {name: field.label for name, field in credentials_form(connection.kind).base_fields.items()}
    context = _mirror_context(connection) | {
        "health": health_of(connection),
        "settings": [(labels.get(name, name), value) for name, value in connection.settings.items()],
        "secrets": [(labels.get(secret.name, secret.name), secret) for secret in connection.secrets.all()],
        "lacking": [result for result in connection.probe if not result["granted"]],
        "policies": policy_words.chosen(connection.policies),
    }
    return render_page(request, "connections/connection_detail.html", context, fragment="mirror")


@require_POST
@requires(MANAGE)
def connection_test(request: HttpRequest, pk: int) -> HttpResponse:
    """Sign in with the stored credentials and check every right."""
    connection = _connection(request, pk)
    if connection.state == Connection.State.RETIRED:
        messages.error(request, "It is retired.")
        return hx_redirect(request, connection)
    try:
        trial = try_connection(connection)
    except FarSideError as error:
        actions.record_test(connection, None, error=error, actor=_actor(request), now=timezone.now())
        if isinstance(error, Unauthorized):
            actions.mark_unauthorized(connection, error, now=timezone.now())
        messages.error(request, str(error))
    else:
        actions.record_test(connection, trial, actor=_actor(request), now=timezone.now())
        _say(request, trial)
    return hx_redirect(request, connection)


@require_POST
@requires(MANAGE)
def connection_refresh(request: HttpRequest, pk: int) -> HttpResponse:
    """Read everything anew, in the background."""
    connection = _connection(request, pk)
    return _done(request, connection, lambda: mirror.start_refresh(connection, now=timezone.now()))


@require_POST
@requires(MANAGE)
def connection_drop(request: HttpRequest, pk: int) -> HttpResponse:
    """Drop the rows that a held refresh did not find."""
    connection = _connection(request, pk)
    refresh = get_object_or_404(MirrorRefresh.objects.undecided().select_related("connection"), connection=connection)
    return _done(request, connection, lambda: mirror.drop_anyway(refresh, actor=_actor(request), now=timezone.now()))


@require_POST
@requires(MANAGE)
def connection_pause(request: HttpRequest, pk: int) -> HttpResponse:
    connection = _connection(request, pk)
    return _done(
        request, connection, lambda: actions.pause_connection(connection, actor=_actor(request), now=timezone.now())
    )


@require_POST
@requires(MANAGE)
def connection_resume(request: HttpRequest, pk: int) -> HttpResponse:
    connection = _connection(request, pk)
    return _done(
        request, connection, lambda: actions.resume_connection(connection, actor=_actor(request), now=timezone.now())
    )


@require_http_methods(["GET", "POST"])
@requires(MANAGE)
def connection_rename(request: HttpRequest, pk: int) -> HttpResponse:
    connection = _connection(request, pk)
    posted = request.POST if request.method == "POST" else None
    form = NameForm(
        posted, organization=connection.organization, connection=connection, initial={"name": connection.name}
    )
    if form.is_valid():
        try:
            name = form.cleaned_data["name"]
            actions.rename_connection(connection, name=name, actor=_actor(request), now=timezone.now())
            return hx_redirect(request, connection)
        except Refused as refused:
            form.add_error("name", str(refused))
    context = {"connection": connection, "form": form}
    status = 200 if posted is None else 422
    return render_page(request, "connections/connection_rename.html", context, status=status)


@require_http_methods(["GET", "POST"])
@requires(MANAGE)
def connection_rotate(request: HttpRequest, pk: int) -> HttpResponse:
    """New credentials: tested before the old ones are dropped."""
    connection = _connection(request, pk)
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
    who_and_when: dict[str, Any] = {"actor": _actor(request), "now": timezone.now()}
    try:
        trial = context["trial"] = try_credentials(connection.kind, settings, secrets, connection.key)
    except FarSideError as error:
        context["problem"] = error
        actions.record_failed_rotation(connection, error=error, **who_and_when)
        return False
    if not trial.passed:
        actions.record_failed_rotation(connection, trial=trial, **who_and_when)
        return False
    actions.rotate_secrets(connection, settings=settings, trial=trial, **who_and_when)
    return True


@require_http_methods(["GET", "POST"])
@requires(MANAGE)
def connection_retire(request: HttpRequest, pk: int) -> HttpResponse:
    """Say what stays billed at the far side, then take the connection out of use."""
    connection = _connection(request, pk)
    if request.method == "GET":
        return render_page(request, "connections/connection_retire.html", {"connection": connection})
    return _done(
        request, connection, lambda: actions.retire_connection(connection, actor=_actor(request), now=timezone.now())
    )


def _connection(request: HttpRequest, pk: int) -> Connection:
    return get_object_or_404(Connection.objects.for_user(request.user).select_related("organization"), pk=pk)


def _mirror_context(connection: Connection) -> dict[str, Any]:
    refresh = connection.refreshes.first()
    stored = mirror.counts_of(connection) if connection.kind in PSAS else {}
    read = refresh.counts if refresh else {}
    return {
        "connection": connection,
        "refresh": refresh,
        "kinds": [(name, count, read.get(name, 0)) for name, count in stored.items()],
    }


def _done(request: HttpRequest, connection: Connection, act: Callable[[], Any]) -> HttpResponse:
    """Do it, and go back to the connection; what refused it is said there."""
    try:
        act()
    except Refused as refused:
        messages.error(request, str(refused))
    return hx_redirect(request, connection)


def _say(request: HttpRequest, trial: Trial) -> None:
    missing = [result.need for result in trial.results if not result.granted]
    if missing:
        messages.warning(request, f"It answers, but this is missing: {', '.join(missing)}.")
    else:
        messages.success(request, "It answers, and every right is there.")


def _actor(request: HttpRequest) -> Actor:
    user: Any = request.user
    return Actor.user(user)
