"""Connecting a far side in steps: kind, preparation, credentials with their test, name and currency, policies, ready.

The steps after the test work on a draft, and only a passed test makes one.
"""

import uuid
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from connections import actions, setup
from connections.forms import ConnectionForm, SetupPoliciesForm
from connections.models import Connection
from connections.policies import Policies
from connections.refusals import Refused
from connections.registry import CREDENTIALS_FORMS, PSAS, credentials_form, try_credentials
from connections.views.access import MANAGE, actor_of, connection_of
from connections.views.connections import mirror_context
from portal.far_side import FarSideError
from portal.htmx import hx_redirect, render_page
from portal.permissions import requires

DRAFT = Connection.State.DRAFT


@require_GET
@requires(MANAGE)
def connection_create(request: HttpRequest) -> HttpResponse:
    """The first steps: which far side, and what to prepare there."""
    kind = request.GET.get("kind", "")
    context = {"kinds": Connection.Kind.choices, "kind": kind if kind in CREDENTIALS_FORMS else ""}
    return render_page(request, "connections/connection_create.html", context)


@require_http_methods(["GET", "POST"])
@requires(MANAGE)
def connection_credentials(request: HttpRequest, kind: str) -> HttpResponse:
    """Credentials, which are tested: only a passed test leads on. `?draft=`: other ones for that draft."""
    if kind not in CREDENTIALS_FORMS:
        raise Http404
    posted = request.POST if request.method == "POST" else None
    draft = _draft_named(request)
    key = draft.key if draft else _key_in(request)
    credentials = credentials_form(kind)(posted, initial=draft.settings if draft else None)
    context: dict[str, Any] = {"kind": kind, "key": key, "credentials": credentials}
    if credentials.is_valid():
        connection = _set_up_already(request, key) or _try_to_begin(request, context)
        if connection is not None:
            return hx_redirect(request, connection)
    context["label"] = Connection.Kind(kind).label
    status = 200 if posted is None else 422
    return render_page(request, "connections/connection_credentials.html", context, status=status)


@require_http_methods(["GET", "POST"])
@requires(MANAGE)
def connection_setup(request: HttpRequest, pk: int) -> HttpResponse:
    """Name and currency of a draft."""
    draft = _own(request, pk)
    if draft.state != DRAFT:
        return hx_redirect(request, "connections:connection_ready", pk)
    posted = request.POST if request.method == "POST" else None
    suggested = {"name": draft.name or _free_name(draft), "currency": draft.currency or _likely_currency(draft)}
    form = ConnectionForm(
        posted, organization=draft.organization, connection=draft, known=draft.currencies, initial=suggested
    )
    if form.is_valid():
        return _described(request, draft, form)
    context = {"connection": draft, "form": form}
    status = 200 if posted is None else 422
    return render_page(request, "connections/connection_setup.html", context, status=status)


@require_http_methods(["GET", "POST"])
@requires(MANAGE)
def connection_setup_policies(request: HttpRequest, pk: int) -> HttpResponse:
    """The policies of a draft, the defaults chosen; then it is put into use."""
    draft = _own(request, pk)
    if draft.state != DRAFT:
        return hx_redirect(request, "connections:connection_ready", pk)
    if not (draft.name and draft.currency):
        return hx_redirect(request, draft)
    posted = request.POST if request.method == "POST" else None
    form = SetupPoliciesForm(posted, policies=draft.policies, currency=draft.currency)
    if form.is_valid():
        return _finished(request, draft, form.policies(), form.cleaned_data["mode"])
    context = {"connection": draft, "form": form}
    status = 200 if posted is None else 422
    return render_page(request, "connections/connection_setup_policies.html", context, status=status)


@require_GET
@requires(MANAGE)
def connection_ready(request: HttpRequest, pk: int) -> HttpResponse:
    """What happens now that it is connected, and what a person does next."""
    context = mirror_context(connection_of(request, pk))
    return render_page(request, "connections/connection_ready.html", context)


@require_POST
@requires(MANAGE)
def connection_discard(request: HttpRequest, pk: int) -> HttpResponse:
    """Forget a draft and its secrets."""
    draft = _own(request, pk)
    try:
        setup.discard_connection(draft, actor=actor_of(request), now=timezone.now())
    except Refused as refused:
        messages.error(request, str(refused))
    return hx_redirect(request, "connections:connection_list")


def _own(request: HttpRequest, pk: int) -> Connection:
    """A connection of the person's own organization, a draft or not."""
    return get_object_or_404(Connection.objects.for_user(request.user).select_related("organization"), pk=pk)


def _draft_named(request: HttpRequest) -> Connection | None:
    """The draft that a person came back from."""
    pk = request.GET.get("draft", "")
    mine = Connection.objects.for_user(request.user).filter(state=DRAFT)
    return get_object_or_404(mine, pk=int(pk)) if pk.isdecimal() else None


def _key_in(request: HttpRequest) -> uuid.UUID:
    """What makes a form that is sent twice, or again after going back, mean the same draft; a new one at first."""
    try:
        return uuid.UUID(request.POST.get("key", ""))
    except ValueError:
        return uuid.uuid4()


def _set_up_already(request: HttpRequest, key: uuid.UUID) -> Connection | None:
    """The connection that this very form has become, when it is sent again after the last step."""
    return Connection.objects.for_user(request.user).set_up().filter(key=key).first()


def _try_to_begin(request: HttpRequest, context: dict[str, Any]) -> Connection | None:
    """The draft, or None with what went wrong put into the page's context."""
    user: Any = request.user
    key, credentials = context["key"], context["credentials"]
    asked: dict[str, Any] = {"kind": context["kind"], "settings": credentials.public_settings()}
    try:
        trial = context["trial"] = try_credentials(
            secrets=credentials.secrets(), key=key, organization=user.organization, **asked
        )
        asked |= {"trial": trial, "actor": actor_of(request), "now": timezone.now()}
        if trial.passed:
            return setup.begin_connection(user.organization, key=key, **asked)
        actions.record_failed_attempt(user.organization, **asked)
    except FarSideError as error:
        context["problem"] = error
        asked |= {"error": error, "actor": actor_of(request), "now": timezone.now()}
        actions.record_failed_attempt(user.organization, **asked)
    except Refused as refused:
        credentials.add_error(None, str(refused))
    return None


def _described(request: HttpRequest, draft: Connection, form: ConnectionForm) -> HttpResponse:
    """On to the policies; a kind that has none is finished here."""
    try:
        setup.describe_connection(draft, **form.cleaned_data, actor=actor_of(request), now=timezone.now())
    except Refused as refused:
        messages.error(request, str(refused))
        return hx_redirect(request, "connections:connection_list")
    if draft.kind in PSAS:
        return hx_redirect(request, "connections:connection_setup_policies", draft.pk)
    return _finished(request, draft, Policies())


def _finished(
    request: HttpRequest, draft: Connection, policies: Policies, mode: str = Connection.Mode.LIVE
) -> HttpResponse:
    """Put it into use; a second click finds it there already."""
    try:
        setup.finish_connection(draft, policies=policies, mode=mode, actor=actor_of(request), now=timezone.now())
    except Refused as refused:
        if Connection.objects.for_user(request.user).filter(pk=draft.pk, state=DRAFT).exists():
            messages.error(request, str(refused))
            return hx_redirect(request, draft)
    return hx_redirect(request, "connections:connection_ready", draft.pk)


def _likely_currency(draft: Connection) -> str:
    return str(draft.currencies[0] if draft.currencies else draft.organization.currency)


def _free_name(draft: Connection) -> str:
    """Autotask, or Autotask EUR where that is taken; empty where both are."""
    label = draft.get_kind_display()
    taken = set(Connection.objects.filter(organization=draft.organization_id).values_list("name", flat=True))
    return next((name for name in (label, f"{label} {_likely_currency(draft)}") if name not in taken), "")
