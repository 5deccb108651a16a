"""What gathers while a connection rehearses, in money, and going live with what a person chose of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.db.models import Exists, OuterRef
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from connections.models import Connection
from portal.htmx import hx_redirect, render_page, wants_fragment
from portal.models import Customer
from portal.paging import page_of
from portal.permissions import allowed, requires
from syncops import going_live as live
from syncops.actions import NotPossible
from syncops.forms import ChoiceForm
from syncops.models import GoingLive, RehearsalQuerySet, SyncOperation
from syncops.preview import shown_of
from syncops.views.margins import progress_of
from syncops.views.operations import SEEN

LINE_ORDER = ("subscription_id", "effective_on", "sequence", "pk")


@dataclass(frozen=True, slots=True)
class CustomerRow:
    """One customer of the page, with what waits for it."""

    customer: Customer
    totals: live.Totals


@require_GET
@requires("portal.read")
def rehearsal_list(request: HttpRequest) -> HttpResponse:
    """The connections that rehearse, and what waits on each."""
    mine = Connection.objects.for_user(request.user).filter(mode=Connection.Mode.REHEARSE).set_up()
    rows = [live.gathered_on(connection, timezone.now()) for connection in mine.autotask()[:50]]
    return render_page(request, "syncops/rehearsal_list.html", {"rows": rows})


@require_GET
@requires("portal.read")
def going_live(request: HttpRequest, connection_id: int) -> HttpResponse:
    """What gathered, customer by customer; `?customer=ID` shows each line of one."""
    connection = _rehearsing(request, connection_id)
    waits = connection.rehearses or live.gathered(connection).exists()
    return _page(request, connection) if waits else _gone(request, connection)


@require_POST
@requires("syncops.resolve")
def going_live_choose(request: HttpRequest, connection_id: int) -> HttpResponse:
    """Whether the ticked ones, or all, are sent or dismissed, with why."""
    connection = _rehearsing(request, connection_id)
    form = ChoiceForm(request.POST)
    if not form.is_valid():
        return _page(request, connection, form=form, status=422)
    rows, whom = _chosen(connection, form, request.POST.get("customer", ""))
    try:
        changed = live.choose(
            connection,
            rows,
            choice=form.choice,
            reason=form.cleaned_data["reason"] if form.choice == "dismiss" else "",
            whom=whom,
            actor=request.user,  # type: ignore[arg-type]
            now=timezone.now(),
        )
    except NotPossible as error:
        messages.info(request, str(error))
    else:
        what = "are sent when you go live" if form.choice == "send" else "are not sent when you go live"
        messages.success(request, f"{changed} operations {what}. The others of their lines are planned anew.")
    return _back(request, connection)


@require_POST
@requires("syncops.sync")
def going_live_again(request: HttpRequest, connection_id: int) -> HttpResponse:
    """Plan everything anew by what Autotask shows now."""
    connection = _rehearsing(request, connection_id)
    live.plan_again(connection, timezone.now())
    return _back(request, connection)


@require_POST
@requires("connections.manage")
def going_live_confirm(request: HttpRequest, connection_id: int) -> HttpResponse:
    """End the rehearsal with what was chosen. A second click shows what the first began."""
    connection = _rehearsing(request, connection_id)
    actor: Any = request.user
    try:
        going = live.go_live(connection, seen=request.POST.get("seen", ""), actor=actor, now=timezone.now())
    except NotPossible as error:
        return _page(request, connection, problem=str(error), status=422)
    return hx_redirect(request, going)


@require_GET
@requires("portal.read")
def gone_live(request: HttpRequest, pk: int) -> HttpResponse:
    """How far a going live is: every operation with what was previewed and what became of it."""
    going = get_object_or_404(GoingLive.objects.for_user(request.user).select_related("connection", "actor"), pk=pk)
    operations = SyncOperation.objects.filter(rehearsal__going_live=going)
    related = ("subscription__customer", "connection", "mapping", "rehearsal")
    context = {
        "going": going,
        "progress": progress_of(operations),
        "page": page_of(request, operations.select_related(*related), order=LINE_ORDER),
    }
    return render_page(request, "syncops/gone_live.html", context, fragment="live")


def _rehearsing(request: HttpRequest, pk: int) -> Connection:
    mine = Connection.objects.for_user(request.user).autotask().set_up().select_related("organization")
    return get_object_or_404(mine, pk=pk)


def _gone(request: HttpRequest, connection: Connection) -> HttpResponse:
    """It is live: show how it went, or the connection where it was never anything else."""
    last = connection.goings_live.first()
    if last is None:
        messages.info(request, f"{connection} is live: what is planned is sent.")
    return hx_redirect(request, last or "syncops:operation_list")


def _back(request: HttpRequest, connection: Connection) -> HttpResponse:
    customer = request.POST.get("customer", "")
    response = hx_redirect(request, "syncops:going_live", connection.pk)
    if customer.isdecimal():
        header = "HX-Redirect" if "HX-Redirect" in response.headers else "Location"
        response.headers[header] += f"?customer={customer}"
    return response


def _chosen(connection: Connection, form: ChoiceForm, customer: str) -> tuple[RehearsalQuerySet, str]:
    """The rows that a person named, and who they are in words."""
    rows, ticked = live.gathered(connection), form.cleaned_data["rows"]
    if customer.isdecimal():
        rows = rows.filter(operation__subscription__customer=int(customer))
        if form.is_everything:
            return rows, f"Everything of customer {customer} on {connection}"
        return rows.filter(pk__in=ticked), f"{len(ticked)} operations on {connection}"
    if form.is_everything:
        return rows, f"Everything on {connection}"
    return rows.filter(operation__subscription__customer__in=ticked), f"{len(ticked)} customers on {connection}"


def _page(request: HttpRequest, connection: Connection, *, status: int = 200, **more: Any) -> HttpResponse:
    found = live.gathered_on(connection, timezone.now())
    asked = request.POST if request.method == "POST" else request.GET
    look = f"{found.fingerprint}.{found.planning}"
    if wants_fragment(request) and request.headers.get(SEEN) == look:
        return HttpResponse(status=204)
    context = {
        "connection": connection,
        "found": found,
        "look": look,
        "form": ChoiceForm(),
        "may_choose": allowed(request.user, "syncops.resolve"),
        "may_sync": allowed(request.user, "syncops.sync"),
        "may_go": allowed(request.user, "connections.manage"),
    }
    number = asked.get("customer", "")
    if number.isdecimal() and len(number) < 19:
        mine = Customer.objects.for_user(request.user)
        context |= _lines(request, connection, get_object_or_404(mine, pk=number))
    else:
        context |= _customers(request, found)
    return render_page(request, "syncops/going_live.html", context | more, fragment="live", status=status)


def _customers(request: HttpRequest, found: live.Gathered) -> dict[str, Any]:
    connection = found.connection
    waits = SyncOperation.objects.filter(
        subscription__customer=OuterRef("pk"), connection=connection, state=SyncOperation.State.REHEARSED
    )
    page = page_of(request, Customer.objects.filter(Exists(waits)), order=("name", "pk"))
    totals = live.totals_by_customer(live.gathered(connection), connection.currency, page.ids)
    rows = [CustomerRow(customer, totals[customer.pk]) for customer in page.rows if customer.pk in totals]
    return {"page": page, "customers": rows}


def _lines(request: HttpRequest, connection: Connection, customer: Customer) -> dict[str, Any]:
    rows = live.gathered(connection).filter(operation__subscription__customer=customer)
    operations = SyncOperation.objects.filter(rehearsal__in=rows)
    related = ("subscription", "mapping", "connection", "rehearsal")
    page = page_of(request, operations.select_related(*related), order=LINE_ORDER)
    for operation in page.rows:
        operation.shown = shown_of(operation.rehearsal.shown)
    return {"page": page, "customer": customer, "own": live.totals_of(rows, connection.currency)}
