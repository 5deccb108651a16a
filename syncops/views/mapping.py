"""Subscription Mapping: which subscriptions of a connection are billed where, many at once, rehearsed before."""

from __future__ import annotations

from collections import defaultdict
from decimal import Decimal
from typing import Any

from django.contrib import messages
from django.db.models import Exists, OuterRef
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.utils.functional import SimpleLazyObject
from django.views.decorators.http import require_GET, require_POST

from connections.models import Connection
from mappings.actions import choose_default_contract
from mappings.boards import Progress
from mappings.cancelling import cancel_run
from mappings.eligibility import ENDED
from mappings.models import MatchRun, SubscriptionMapping
from portal.audit import Actor
from portal.counting import counts_of
from portal.htmx import hx_redirect, render_page
from portal.models import Subscription
from portal.paging import page_of
from portal.permissions import requires
from portal.sheets import FORMATS, download
from syncops.bulk_mapping import ALIVE, Candidate, candidates, mappable, rehearse, unmapped
from syncops.exporting import HEADER, exported
from syncops.mapping_forms import DefaultContractForm, MappingFilter, SinceForm
from syncops.mapping_run import SUBSCRIPTIONS, start_mapping
from syncops.preview import MappingPreview

ROWS = 25  # of a page


@require_GET
@requires("mappings.map")
def subscription_mapping(request: HttpRequest, connection_id: int) -> HttpResponse:
    """The list, with what each would be mapped to; while a run goes on, how far it is."""
    connection = _connection_or_404(request, connection_id)
    run = MatchRun.objects.filter(connection=connection, nouns=SUBSCRIPTIONS).first()
    context: dict[str, Any] = {"connection": connection, "run": run}
    htmx: Any = getattr(request, "htmx", None)
    if htmx and htmx.target == "run":
        return render_page(request, "syncops/subscription_mapping.html", context, fragment="run")
    filters = MappingFilter(request, connection)
    page = page_of(request, filters.qs, size=ROWS)
    context |= {
        "filter": filters,
        "page": page,
        "rows": candidates(connection, page.rows, since="today", today=_today(request)),
        "progress": SimpleLazyObject(lambda: _progress(connection)),
        "form": SinceForm(),
        "formats": FORMATS,
    }
    return render_page(request, "syncops/subscription_mapping.html", context, fragment="table")


@require_GET
@requires("mappings.map")
def mapping_export(request: HttpRequest, connection_id: int, kind: str) -> HttpResponseBase:
    """What the filters leave, as a file; a filter that is not understood exports nothing."""
    connection = _connection_or_404(request, connection_id)
    filters, today = MappingFilter(request, connection), _today(request)
    if not filters.form.is_valid():
        return hx_redirect(request, "syncops:subscription_mapping", connection.pk)
    return download(f"subscription-mapping-{today}", kind, HEADER, exported(connection, filters.qs, today))


@require_POST
@requires("mappings.map")
def mapping_rehearse(request: HttpRequest, connection_id: int) -> HttpResponse:
    """What mapping the ticked ones would send and bill; nothing is written."""
    connection, form = _connection_or_404(request, connection_id), SinceForm(request.POST)
    if not form.is_valid():
        return _tick_first(request, connection)
    today, since = _today(request), form.cleaned_data["since"]
    rows = list(unmapped(mappable(connection)).filter(pk__in=form.cleaned_data["rows"]).order_by("pk"))
    ready, left = [], []
    for one in candidates(connection, rows, since=since, today=today):
        preview = rehearse(one, today=today) if one.choice else None
        if preview and preview.can_be_confirmed:
            ready.append((one, preview))
        else:
            left.append((one, (preview.refusals if preview else ()) or one.reasons))
    context = {"connection": connection, "since": since, "ready": ready, "left": left, "totals": _totals(ready)}
    words = dict(form.fields["since"].choices)[since]  # type: ignore[attr-defined]
    return render_page(request, "syncops/mapping_rehearse.html", context | {"since_in_words": words})


@require_POST
@requires("mappings.map")
def mapping_start(request: HttpRequest, connection_id: int) -> HttpResponse:
    """Map the ticked ones in the background."""
    connection, form = _connection_or_404(request, connection_id), SinceForm(request.POST)
    if not form.is_valid():
        return _tick_first(request, connection)
    chosen = form.cleaned_data["rows"]
    run = start_mapping(
        connection, since=form.cleaned_data["since"], chosen=chosen, actor=_actor(request), now=timezone.now()
    )
    if run.chosen != sorted(chosen):
        messages.warning(request, "Other subscriptions are being mapped now. Start these when that is through.")
    return hx_redirect(request, "syncops:subscription_mapping", connection.pk)


@require_POST
@requires("mappings.map")
def mapping_cancel(request: HttpRequest, connection_id: int) -> HttpResponse:
    """End what goes on here; what is mapped already stays mapped."""
    connection = _connection_or_404(request, connection_id)
    run = MatchRun.objects.running().filter(connection=connection, nouns=SUBSCRIPTIONS).first()
    if run is None or not cancel_run(run, actor=_actor(request), at=timezone.now()):
        messages.info(request, "It had ended already.")
    return hx_redirect(request, "syncops:subscription_mapping", connection.pk)


@require_POST
@requires("mappings.map")
def default_contract(request: HttpRequest, connection_id: int) -> HttpResponse:
    """The contract that takes a customer's subscriptions of one period type, one of those that can bill it."""
    connection, form = _connection_or_404(request, connection_id), DefaultContractForm(request.POST)
    if not form.is_valid():
        raise Http404("There is no such contract.")
    row = get_object_or_404(unmapped(mappable(connection)), pk=form.cleaned_data["subscription"])
    (one,) = candidates(connection, [row], since="today", today=_today(request))
    chosen = next((each for each in one.contracts if each.id == form.cleaned_data["contract"]), None)
    if one.contract:
        messages.warning(request, f"Nothing was changed: {one.contract.name} takes it already.")
    elif chosen is None:
        messages.error(request, "That contract cannot bill it any more. Look at the row again.")
    else:
        at, actor = timezone.now(), _actor(request)
        choose_default_contract(connection=connection, customer=row.customer, contract=chosen, actor=actor, at=at)
        messages.success(request, f"{chosen.name} takes the subscriptions of {row.customer} with its period type.")
    return hx_redirect(request, "syncops:subscription_mapping", connection.pk)


def _totals(ready: list[tuple[Candidate, MappingPreview]]) -> list[tuple[str, Decimal, str]]:
    """What the bills of this and the next period grow by, where every price is known: label, amount, currency."""
    sums: defaultdict[tuple[str, str], Decimal] = defaultdict(Decimal)
    for _, preview in ready:
        for bill in preview.bills:
            if bill.before is not None and bill.after is not None:
                sums[bill.label, bill.currency] += bill.after - bill.before
    return [(label, amount, currency) for (label, currency), amount in sums.items()]


def _progress(connection: Connection) -> Progress:
    """Counted from indexes alone. Whose subscription it is, and whose connection bills it, is one organization."""
    owned = Subscription.objects.owned_by(connection.organization)
    billed = SubscriptionMapping.objects.open().filter(connection__organization=connection.organization_id)
    over = owned.filter(status__in=ENDED).filter(Exists(billed.filter(subscription=OuterRef("pk"))))
    alive = owned.filter(status__in=ALIVE)
    found = counts_of(connection.organization_id, total=alive, billed=billed, over=over)
    return Progress(min(found["billed"] - found["over"], found["total"]), found["total"])


def _tick_first(request: HttpRequest, connection: Connection) -> HttpResponse:
    messages.error(request, "Tick the subscriptions first, and choose from when they are billed.")
    return hx_redirect(request, "syncops:subscription_mapping", connection.pk)


def _connection_or_404(request: HttpRequest, pk: int) -> Connection:
    usable = Connection.objects.for_user(request.user).autotask().usable()
    return get_object_or_404(usable.select_related("organization"), pk=pk)


def _today(request: HttpRequest) -> Any:
    user: Any = request.user
    return timezone.localdate(timezone=user.organization.zone)


def _actor(request: HttpRequest) -> Actor:
    return Actor.user(request.user)  # type: ignore[arg-type]
