"""Azure months: every plan in one month, one plan's amount, and sending amounts after a page that shows the money."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from datetime import date
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import SimpleLazyObject
from django.views.decorators.http import require_GET, require_http_methods

from connections.charge_codes import charge_code_of, choose_charge_code
from connections.models import Connection
from portal.actions.prices import USAGE_BASED
from portal.audit import Actor
from portal.htmx import hx_redirect, render_page, wants_fragment
from portal.models import Subscription
from portal.paging import page_of
from portal.permissions import allowed, requires
from portal.sheets import FORMATS, download
from syncops.actions import NotPossible
from syncops.azure import importing, listing
from syncops.azure.amounts import Amount
from syncops.azure.entering import Origin, enter
from syncops.azure.forms import AmountForm, AzureMonthFilter, SendForm
from syncops.azure.previews import MonthPreview, preview_months
from syncops.azure.sending import send_month
from syncops.models import AzureMonth, SyncOperation
from syncops.operations import charge_azure_month, set_azure_month
from syncops.periods import add_months
from syncops.views.operations import SEEN

BY_HAND = Origin(AzureMonth.Source.PERSON)


@require_GET
@requires("portal.read")
def azure_months(request: HttpRequest) -> HttpResponse:
    """Every Azure plan in one month: its amount or that it is missing, and what became of it in Autotask.

    As a fragment nothing at all (204) while it looks as the page that follows it has it.
    """
    user: Any = request.user
    filters = AzureMonthFilter(request, _today(request))
    page = page_of(request, filters.qs)
    rows = listing.rows_of(page.rows, filters.chosen)
    look = listing.look_of(rows)
    if wants_fragment(request) and request.headers.get(SEEN) == look:
        return HttpResponse(status=204)
    context = {
        "filter": filters,
        "month": filters.chosen,
        "earlier": add_months(filters.chosen, -1),
        "later": add_months(filters.chosen, 1),
        "page": page,
        "rows": rows,
        "look": look,
        "live": any(one.row is not None and one.row.state == AzureMonth.State.ON_ITS_WAY for one in rows),
        "counted": SimpleLazyObject(lambda: listing.counted(user.organization, filters.chosen)),
        "alarms": SimpleLazyObject(lambda: list(listing.alarms_of(user)[: listing.MOST_ALARMS])),
        "formats": FORMATS,
        "import_kind": importing.KIND,
        "may_resolve": allowed(user, "syncops.resolve"),
        "may_map": allowed(user, "mappings.map"),
    }
    return render_page(request, "syncops/azure_months.html", context, fragment="table")


@require_GET
@requires("portal.read")
def azure_export(request: HttpRequest, kind: str) -> HttpResponseBase:
    """The plans that the filters leave, as a file that can be filled in and handed in again."""
    filters = AzureMonthFilter(request, _today(request))
    if not filters.form.is_valid():
        return hx_redirect(request, "syncops:azure_months")
    rows = importing.exported(filters.qs, filters.chosen)
    return download(f"azure-{filters.chosen:%Y-%m}", kind, importing.HEADER, rows)


@require_http_methods(["GET", "POST"])
@requires("portal.read")
def azure_month(request: HttpRequest, pk: int, year: int, month: int) -> HttpResponse:
    """One plan in one month: its amount, where that came from, what was sent; posted, the amount is entered."""
    user: Any = request.user
    plans = Subscription.objects.owned_by(user.organization).filter(variant__offer__category__in=USAGE_BASED)
    plan = get_object_or_404(plans.select_related("customer", "variant__offer"), pk=pk)
    first = _month_or_404(year, month)
    row = AzureMonth.objects.for_user(user).filter(subscription=plan, month=first).select_related("operation").first()
    if request.method == "GET":
        return _month_page(request, plan, first, row, AmountForm.showing(row))
    if not allowed(user, "syncops.resolve"):
        return _month_page(request, plan, first, row, AmountForm.showing(row), status=403)
    form = AmountForm(request.POST)
    if form.is_valid() and form.cleaned_data["seen"] != (row.fingerprint if row else ""):
        form = _with_seen(form, row)
        form.add_error(None, "Somebody changed this amount since you opened it. Look at it, then save again.")
    if form.is_valid() and _entered(request, plan, first, form):
        return hx_redirect(request, "syncops:azure_month", pk, year, month)
    return _month_page(request, plan, first, row, form, status=422)


def _with_seen(form: AmountForm, row: AzureMonth | None) -> AmountForm:
    """The same form, that has seen what is stored now."""
    data: Any = dict(form.data.items())
    data["seen"] = row.fingerprint if row else ""
    again = AmountForm(data)
    again.full_clean()
    return again


def _entered(request: HttpRequest, plan: Subscription, month: date, form: AmountForm) -> bool:
    user: Any = request.user
    typed = form.cleaned_data
    amount = Amount(
        plan.pk,
        month,
        typed["usage_cost"],
        typed["reservations_cost"] or typed["usage_cost"] * 0,
        plan.currency,
        typed["price"],
        typed["retail"],
        typed["is_complete"],
    )
    today, now = _today(request), timezone.now()
    [judged] = enter(user.organization, [amount], BY_HAND, actor=Actor.user(user), today=today, now=now)
    if judged.outcome == "refused":
        form.add_error(None, judged.problem)
        return False
    words = "is as it was." if judged.outcome == "unchanged" else "is saved. Nothing was sent to Autotask yet."
    messages.success(request, f"The amount of {month:%B %Y} {words}")
    return True


def _month_page(
    request: HttpRequest,
    plan: Subscription,
    month: date,
    row: AzureMonth | None,
    form: AmountForm,
    *,
    status: int = 200,
) -> HttpResponse:
    kinds = (set_azure_month.KIND.name, charge_azure_month.KIND.name)
    sent = SyncOperation.objects.for_user(request.user).filter(subscription=plan, kind__in=kinds)
    [shown] = listing.rows_of([plan], month)
    context = {
        "plan": plan,
        "month": month,
        "row": row,
        "earlier": add_months(month, -1),
        "later": add_months(month, 1),
        "shown": shown,
        "form": form,
        "operations": sent.filter(payload__month=str(month)).order_by("-pk").select_related("mapping", "actor"),
        "may_resolve": allowed(request.user, "syncops.resolve"),
    }
    return render_page(request, "syncops/azure_month.html", context, status=status)


@require_http_methods(["GET", "POST"])
@requires("syncops.resolve")
def azure_send(request: HttpRequest) -> HttpResponse:
    """What sending the ticked months would set, charge and bill; posted, they are sent."""
    asked = SendForm(request.POST if request.method == "POST" else request.GET)
    if not asked.is_valid():
        messages.error(request, "Tick the plans first, then look at what would be sent.")
        return hx_redirect(request, "syncops:azure_months")
    mine = AzureMonth.objects.for_user(request.user).filter(pk__in=asked.cleaned_data["rows"])
    rows = list(mine.select_related("operation", "subscription__customer").order_by("month", "pk"))
    if not rows:
        raise Http404("There are no such months.")
    previews = preview_months(rows, today=_today(request))
    ready = [one for one in previews if not one.problem]
    if request.method == "GET":
        return _send_page(request, previews)
    missing = _without_code(request, ready)
    if not ready or asked.cleaned_data["seen"] != digest_of(previews) or missing:
        changed = asked.cleaned_data["seen"] != digest_of(previews)
        return _send_page(request, previews, missing=missing, changed=changed, status=422)
    _send(request, ready)
    return hx_redirect(request, _address(rows[0].month))


def _send(request: HttpRequest, ready: Sequence[MonthPreview]) -> None:
    actor: Any = request.user
    sent = 0
    for preview in ready:
        code = _code_of(request, preview)
        try:
            send_month(preview, code, actor=actor, now=timezone.now())
            sent += 1
        except NotPossible as error:
            messages.warning(request, f"{preview.row}: {error}")
        if code is not None and preview.mapping is not None:
            choose_charge_code(preview.mapping.connection, code, actor=Actor.user(actor), now=timezone.now())
    if sent:
        what = "1 month is" if sent == 1 else f"{sent} months are"
        messages.success(request, f"{what} sent in the background; this list follows as they are proved.")


def _code_of(request: HttpRequest, preview: MonthPreview) -> Any:
    """The billing code that was chosen for the connection of a charge; None where none was, and for a price."""
    if preview.charge is None or preview.mapping is None:
        return None
    chosen = request.POST.get(f"code_{preview.mapping.connection_id}")
    return next((one for one in preview.codes if str(one.id) == chosen), None)


def _without_code(request: HttpRequest, ready: Sequence[MonthPreview]) -> set[int]:
    """The connections whose charges lack a billing code."""
    return {one.mapping.connection_id for one in ready if one.charge and one.mapping and _code_of(request, one) is None}


def digest_of(previews: Sequence[MonthPreview]) -> str:
    """Differs where anything of what is shown does."""
    return hashlib.sha256("".join(one.digest for one in previews).encode()).hexdigest()[:24]


def _send_page(
    request: HttpRequest,
    previews: Sequence[MonthPreview],
    *,
    missing: set[int] | None = None,
    changed: bool = False,
    status: int = 200,
) -> HttpResponse:
    ready = [one for one in previews if not one.problem]
    context = {
        "ready": ready,
        "left": [one for one in previews if one.problem],
        "codes": list(_codes(request, ready, missing or set())),
        "digest": digest_of(previews),
        "changed": changed,
        "back": _address(previews[0].row.month),
    }
    return render_page(request, "syncops/azure_send.html", context, status=status)


def _codes(
    request: HttpRequest, ready: Sequence[MonthPreview], missing: set[int]
) -> Iterator[tuple[Connection, Any, str, bool]]:
    """Per connection that is to make charges: its billing codes, the chosen or usual one, whether it is missing."""
    seen: set[int] = set()
    for one in ready:
        if one.charge and one.mapping and one.mapping.connection_id not in seen:
            connection = one.mapping.connection
            seen.add(connection.pk)
            chosen = request.POST.get(f"code_{connection.pk}") or charge_code_of(connection) or ""
            yield connection, one.codes, str(chosen), connection.pk in missing


def _address(month: date) -> str:
    return f"{reverse('syncops:azure_months')}?month={month:%Y-%m}"


def _month_or_404(year: int, month: int) -> date:
    if not (2000 <= year <= 9998 and 1 <= month <= 12):
        raise Http404("There is no such month.")
    return date(year, month, 1)


def _today(request: HttpRequest) -> date:
    user: Any = request.user
    return timezone.localdate(timezone=user.organization.zone)
