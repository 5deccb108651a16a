"""The inbox: what waits for a person, by its reason, and what they decide about all that stopped for one reason."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from mappings.forms import number
from portal.far_side import FarSideError
from portal.htmx import hx_redirect, render_page, wants_fragment
from portal.paging import page_of
from portal.permissions import allowed, requires
from syncops import doubles, groups, newcomers, successions
from syncops.asking import asking
from syncops.azure.listing import alarms_of
from syncops.forms import GroupForm, GroupReasonForm, ReasonForm
from syncops.models import DoubledWrite, GroupDecision, Newcomer, SyncOperation
from syncops.panels import appearances, waiting_in_rehearsal
from syncops.troubles import trouble_of
from syncops.views.operations import SEEN, operations_of

MOST_NAMED = 50
Verb = GroupDecision.Verb


@require_GET
@requires("portal.read")
def inbox(request: HttpRequest) -> HttpResponse:
    """What waits by its reason, and every operation; as a fragment nothing (204) while it looks as the page has it."""
    user: Any = request.user
    waiting = operations_of(request).filter(state__in=SyncOperation.NEEDS_A_PERSON)
    page = page_of(request, waiting)
    under_way = list(GroupDecision.objects.for_user(user).filter(due_at__isnull=False).select_related("actor"))
    look = appearances(page.rows) + "".join(f".{one.pk}.{one.done}" for one in under_way)
    if wants_fragment(request) and request.headers.get(SEEN) == look:
        return HttpResponse(status=204)
    context = {
        "page": page,
        "look": look,
        "groups": groups.groups_of(user),
        "under_way": under_way,
        "doubled": doubled_of(user),
        "renewals": successions.waiting(user)[:MOST_NAMED],
        "newcomers": newcomers_of(user),
        "may_map": allowed(user, "mappings.map"),
        "alarms": alarms_of(user)[:MOST_NAMED],
        "rehearsed": waiting_in_rehearsal(request),
        "may_sync": allowed(user, "syncops.sync"),
        "may_resolve": allowed(user, "syncops.resolve"),
    }
    return render_page(request, "syncops/inbox.html", context, fragment="live")


@require_http_methods(["GET", "POST"])
@requires("syncops.sync")
def inbox_retry(request: HttpRequest) -> HttpResponse:
    """Try all operations again that stopped for one reason: the page that names them, and its confirmation."""
    return _decide(request, Verb.RETRY, GroupForm)


@require_http_methods(["GET", "POST"])
@requires("syncops.resolve")
def inbox_dismiss(request: HttpRequest) -> HttpResponse:
    """Dismiss all operations that stopped for one reason, with why."""
    return _decide(request, Verb.DISMISS, GroupReasonForm)


@require_POST
@requires("syncops.resolve")
def doubled_accept(request: HttpRequest, pk: int) -> HttpResponse:
    """What looks like a write applied twice is right as it is, with why."""
    row = get_object_or_404(DoubledWrite.objects.for_user(request.user).select_related("write__operation"), pk=pk)
    form = ReasonForm(request.POST)
    if form.is_valid():
        doubles.accept_doubled(row, reason=form.cleaned_data["reason"], actor=request.user, now=timezone.now())  # type: ignore[arg-type]
        messages.success(request, "It is closed; the audit log keeps your reason.")
    else:
        messages.error(request, "Nothing was closed: say why the line is right as it is.")
    return hx_redirect(request, "syncops:inbox")


@require_POST
@requires("syncops.resolve")
def doubled_look(request: HttpRequest, pk: int) -> HttpResponse:
    """The line of what looks like a write applied twice is read now, not only with the next daily search."""
    related = ("write__stream", "write__operation__connection__organization")
    row = get_object_or_404(DoubledWrite.objects.for_user(request.user).open().select_related(*related), pk=pk)
    try:
        with asking(row.write.operation.connection) as psa:
            closed = doubles.look_again(row, psa, timezone.now())
    except FarSideError as error:
        messages.error(request, f"The line cannot be read now: {error.message}")
        return hx_redirect(request, "syncops:inbox")
    if closed:
        messages.success(request, "The line shows the change once now; it is closed.")
    elif closed is None:
        messages.info(request, "Something is on its way to this line. Look again when it is done.")
    else:
        messages.info(request, "The line still shows the change twice.")
    return hx_redirect(request, "syncops:inbox")


def doubled_of(user: Any) -> Any:
    """Writes that their line seems to show twice, with what a page shows of them."""
    related = ("write__operation__subscription__customer", "write__operation__mapping", "write__operation__connection")
    return DoubledWrite.objects.for_user(user).open().select_related(*related)[:MOST_NAMED]


@require_POST
@requires("mappings.map")
def newcomers_close(request: HttpRequest) -> HttpResponse:
    """What was announced about new subscriptions has been seen, as far as the page showed it."""
    count = newcomers.close(request.user, through=number(request.POST.get("through")) or 0, now=timezone.now())  # type: ignore[arg-type]
    messages.success(request, f"{count} closed. Those that are not mapped stay on the Subscription Mapping page.")
    return hx_redirect(request, "syncops:inbox")


@require_POST
@requires("mappings.map")
def newcomers_retry(request: HttpRequest) -> HttpResponse:
    """Those that were left are looked at again in the background."""
    count = newcomers.try_again(request.user, now=timezone.now())  # type: ignore[arg-type]
    messages.success(request, f"{count} are looked at again in the background.")
    return hx_redirect(request, "syncops:inbox")


def newcomers_of(user: Any) -> Any:
    """New subscriptions that were mapped or left, the latest first, with what a page shows of them."""
    related = ("subscription__customer", "connection")
    return Newcomer.objects.for_user(user).announced().select_related(*related)[:MOST_NAMED]


def _decide(request: HttpRequest, verb: str, form_class: type[GroupForm]) -> HttpResponse:
    if request.method == "GET":
        asked_for = GroupForm(request.GET)
        if not asked_for.is_valid():
            raise Http404("Nothing waits for this reason.")
        named = asked_for.cleaned_data | {"seen_at": timezone.now().isoformat()}
        return _confirm_page(request, verb, form_class(initial=named), named)
    form, user, now = form_class(request.POST), request.user, timezone.now()
    if not form.is_valid():
        return _confirm_page(request, verb, form, form.cleaned_data)
    asked = form.cleaned_data
    decision = groups.decide_group(
        verb,
        kind=asked["kind"],
        words=asked["words"],
        reason=asked.get("reason", ""),
        actor=user,  # type: ignore[arg-type]
        seen_at=min(asked["seen_at"] or now, now),
        now=now,
    )
    if decision is None:
        messages.info(request, "None of these operations waits for you any more.")
    else:
        _begin(request, decision)
    return hx_redirect(request, "syncops:inbox")


def _begin(request: HttpRequest, decision: GroupDecision) -> None:
    """What can be done at once is; the rest goes on in the background."""
    groups.carry_out(decision.pk, budget_s=groups.AT_ONCE_S)
    decision.refresh_from_db()
    done = "sent again in the background" if decision.verb == Verb.RETRY else "dismissed, and stay in the audit log"
    left = f" {decision.left_out} wait for a decision of their own first." if decision.left_out else ""
    if decision.due_at is None:
        messages.success(request, f"{decision.done} operations are {done}.{left}")
    else:
        messages.info(request, f"{decision.total} operations are being dealt with in the background.")


def _confirm_page(request: HttpRequest, verb: str, form: GroupForm, asked: Any) -> HttpResponse:
    user: Any = request.user
    kind, words = asked.get("kind", ""), asked.get("words", "")
    named = groups.members(user.organization_id, kind=kind, words=words, seen_at=timezone.now())
    count = named.count()
    if not count and request.method == "GET":
        raise Http404("Nothing waits for this reason.")
    rows = operations_of(request).filter(pk__in=named)[:MOST_NAMED]
    context = {
        "verb": verb,
        "form": form,
        "words": words,
        "trouble": trouble_of(kind),
        "count": count,
        "rows": rows,
        "more": max(0, count - MOST_NAMED),
    }
    return render_page(request, "syncops/inbox_decide.html", context, status=422 if form.errors else 200)
