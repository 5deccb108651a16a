"""The pickers: fragments of the pages that choose a mapping, and pages of their own by their address."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.views.decorators.http import require_GET

from connections.models import Connection, MirroredCompany
from mappings import pickers
from mappings.forms import number, search_of
from mappings.pickers import Picker, Scope
from mappings.resolve import company_of, facts_of
from portal.htmx import render_page
from portal.models import Subscription
from portal.permissions import requires


@require_GET
@requires("mappings.map")
def company_picker(request: HttpRequest, connection_id: int, subscription_id: int) -> HttpResponse:
    scope = scope_or_404(request, connection_id=connection_id, subscription_id=subscription_id)
    return _page(request, scope, pickers.company_picker(scope, search_of(request.GET, "company")))


@require_GET
@requires("mappings.map")
def service_picker(request: HttpRequest, connection_id: int, subscription_id: int) -> HttpResponse:
    scope = scope_or_404(request, connection_id=connection_id, subscription_id=subscription_id)
    return _page(request, scope, pickers.service_picker(scope, search_of(request.GET, "service")))


@require_GET
@requires("mappings.map")
def contract_picker(request: HttpRequest, connection_id: int, subscription_id: int) -> HttpResponse:
    scope = scope_or_404(request, connection_id=connection_id, subscription_id=subscription_id)
    chosen = number(request.GET.get("company"))
    row = MirroredCompany.objects.filter(
        connection=scope.connection, remote_id=-1 if chosen is None else chosen
    ).first()
    company = company_of(row) if row else None
    return _page(request, scope, pickers.contract_picker(scope, search_of(request.GET, "contract"), company))


def scope_or_404(request: HttpRequest, *, connection_id: int, subscription_id: int) -> Scope:
    """The subscription and the connection, both of the person's own organization. Raises Http404 for any other."""
    user: Any = request.user
    owned = Subscription.objects.owned_by(user.organization)
    related = ("customer", "variant__offer", "organization")
    subscription = get_object_or_404(owned.select_related(*related), pk=subscription_id)
    usable = Connection.objects.for_user(user).autotask().usable()
    connection = get_object_or_404(usable.select_related("organization"), pk=connection_id)
    today = timezone.localdate(timezone=user.organization.zone)
    return Scope(subscription, connection, facts_of(subscription, connection, today=today))


def _page(request: HttpRequest, scope: Scope, picker: Picker) -> HttpResponse:
    return render_page(request, "mappings/picker.html", {"picker": picker, "scope": scope}, fragment="options")
