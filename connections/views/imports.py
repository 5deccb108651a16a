"""What is read from Partner Center: the last import and the next, *Sync* now, and what waits for a decision."""

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from connections.imports import connection_for, import_context, look_of
from connections.models import Connection, ProviderImport
from connections.provider.partner_center import importer
from connections.provider.partner_center.hints import ask_to_look
from connections.refusals import Refused
from connections.views.access import MANAGE, actor_of, connection_of, done
from portal.htmx import hx_redirect, render_page, wants_fragment
from portal.models import Customer, Subscription
from portal.permissions import requires

CHANGE = "portal.change_subscription"


@require_GET
@requires(MANAGE)
def import_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """How the import stands, and what a person should look at."""
    connection = connection_of(request, pk)
    if connection.kind != Connection.Kind.PARTNER_CENTER:
        raise Http404
    context = import_context(connection, timezone.now())
    return render_page(request, "connections/import_detail.html", context, fragment="state")


@require_POST
@requires(MANAGE)
def import_start(request: HttpRequest, pk: int) -> HttpResponse:
    """Read everything now, in the background."""
    connection = connection_of(request, pk)
    return done(request, connection, lambda: importer.start_import(connection, now=timezone.now()))


@require_POST
@requires(MANAGE)
def import_decide(request: HttpRequest, pk: int) -> HttpResponse:
    """What Microsoft no longer shows counts as cancelled."""
    connection = connection_of(request, pk)
    held = ProviderImport.objects.undecided().select_related("connection__organization")
    row = get_object_or_404(held, connection=connection)
    return done(request, connection, lambda: importer.decide_missing(row, actor=actor_of(request), now=timezone.now()))


@require_POST
@requires(CHANGE)
def subscriptions_sync(request: HttpRequest) -> HttpResponse:
    """Read everything through the organization's own connection."""
    user: Any = request.user
    connection = Connection.objects.for_user(user).filter(kind=Connection.Kind.PARTNER_CENTER).usable().first()
    if connection is None:
        raise Http404
    try:
        importer.start_import(connection, now=timezone.now())
        messages.info(request, "Everything is being read from Partner Center. What changed shows here by itself.")
    except Refused as refused:
        messages.error(request, str(refused))
    return hx_redirect(request, "portal:subscription_list")


@require_POST
@requires(CHANGE)
def customer_sync(request: HttpRequest, pk: int) -> HttpResponse:
    """Read all that a customer holds."""
    mine = Customer.objects.for_user(request.user).select_related("organization")
    return _asked(request, get_object_or_404(mine, pk=pk), None)


@require_POST
@requires(CHANGE)
def subscription_sync(request: HttpRequest, pk: int) -> HttpResponse:
    """Read one subscription."""
    mine = Subscription.objects.for_user(request.user).select_related("customer__organization", "organization")
    subscription = get_object_or_404(mine, pk=pk)
    return _asked(request, subscription.customer, subscription)


@require_GET
@requires("portal.read")
def subscription_look(request: HttpRequest, pk: int) -> HttpResponse:
    """How the look at a subscription stands; the page anew once it is through."""
    mine = Subscription.objects.for_user(request.user).select_related("customer")
    subscription = get_object_or_404(mine, pk=pk)
    found = look_of(subscription)
    if not wants_fragment(request) or found is None or found.finished_at:
        return hx_redirect(request, subscription)
    context = {"subscription": subscription, "look": found, "may_sync": False}
    return render_page(request, "connections/look_panel.html", context)


def _asked(request: HttpRequest, customer: Customer, subscription: Subscription | None) -> HttpResponse:
    connection = connection_for(customer)
    try:
        if connection is None:
            raise Refused("There is no connection to Partner Center that could be read.")
        ask_to_look(connection, customer, subscription, now=timezone.now())
        messages.info(request, "It is being read from Partner Center.")
    except Refused as refused:
        messages.error(request, str(refused))
    return hx_redirect(request, subscription or customer)
