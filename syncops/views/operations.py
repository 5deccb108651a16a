"""Operations: the list, one operation from its change to its proof, and what a person decides about it."""

from collections.abc import Callable, Mapping
from typing import Any

from django.contrib import messages
from django.forms import Form
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from mappings.models import SubscriptionMapping
from portal.htmx import hx_redirect, render_page, wants_fragment
from portal.models import AuditEntry
from portal.paging import page_of
from portal.permissions import allowed, requires
from syncops import actions
from syncops.chain import chain_of
from syncops.evidence import attempts_of, comparison_of, evidence_of, rehearsed_of, story_of
from syncops.filters import OperationFilter
from syncops.forms import DecisionForm, ReasonForm, ReleaseForm
from syncops.mending import mending_of
from syncops.models import SyncOperation, Write
from syncops.panels import appearance, appearances, standing_of
from syncops.undoing import may_be_undone

SEEN = "X-Seen"  # what the page that follows a list shows of it


def operations_of(request: HttpRequest) -> Any:
    """The operations that the person may see, with what their rows show."""
    return SyncOperation.objects.for_user(request.user).select_related(
        "subscription__customer", "connection", "mapping", "actor", "superseded_by", "after", "change__actor"
    )


@require_GET
@requires("portal.read")
def operation_list(request: HttpRequest) -> HttpResponse:
    """The list, newest first; as a fragment nothing at all (204) while it looks as the page that follows it has it."""
    filters = OperationFilter(request, operations_of(request))
    page = page_of(request, filters.qs)
    look = appearances(page.rows)
    if wants_fragment(request) and request.headers.get(SEEN) == look:
        return HttpResponse(status=204)
    live = any(operation.is_moving for operation in page.rows)
    context = {"filter": filters, "page": page, "look": look, "live": live}
    return render_page(request, "syncops/operation_list.html", context, fragment="table")


@require_GET
@requires("portal.read")
def operation_detail(request: HttpRequest, pk: int) -> HttpResponse:
    return _detail(request, get_object_or_404(operations_of(request), pk=pk))


@require_GET
@requires("portal.read")
def operation_state(request: HttpRequest, pk: int) -> HttpResponse:
    """What the page of an operation shows, as a fragment; nothing at all (204) while it looks as the page has it."""
    operation = get_object_or_404(operations_of(request), pk=pk)
    if not wants_fragment(request):
        return redirect(operation)
    if request.GET.get("seen") == appearance(operation):
        return HttpResponse(status=204)
    return _detail(request, operation)


@require_GET
@requires("portal.read")
def mapping_state(request: HttpRequest, pk: int) -> HttpResponse:
    """Where a mapped subscription stands, as a fragment; nothing at all (204) while it looks as the page has it."""
    mappings = SubscriptionMapping.objects.open().for_user(request.user).select_related("connection", "subscription")
    mapping = get_object_or_404(mappings, subscription=pk)
    if not wants_fragment(request):
        return redirect(mapping.subscription)
    standing = standing_of(mapping, request.user)
    if request.GET.get("seen") == standing["look"]:
        return HttpResponse(status=204)
    return render_page(request, "syncops/_mapping_state.html", standing | {"watched": True})


@require_POST
@requires("syncops.sync")
def mapping_sync(request: HttpRequest, pk: int) -> HttpResponse:
    """Send what waits on a subscription's line, oldest date first, and stop at the first failure."""
    mappings = SubscriptionMapping.objects.open().for_user(request.user).select_related("connection", "subscription")
    mapping = get_object_or_404(mappings, subscription=pk)
    try:
        count = actions.sync_now(mapping, actor=request.user, now=timezone.now())  # type: ignore[arg-type]
    except actions.NotPossible as error:
        messages.warning(request, str(error))
    else:
        what = "1 operation is" if count == 1 else f"{count} operations are"
        messages.success(request, f"{what} sent in the background, oldest first; it stops at the first that fails.")
    return hx_redirect(request, mapping.subscription)


@require_POST
@requires("syncops.sync")
def operation_retry(request: HttpRequest, pk: int) -> HttpResponse:
    operation = get_object_or_404(operations_of(request), pk=pk)
    try:
        actions.retry_operation(operation, actor=request.user)  # type: ignore[arg-type]
    except actions.NotPossible as error:
        return _detail(request, operation, problem=str(error))
    messages.success(request, "The operation is sent again in the background.")
    return hx_redirect(request, operation)


@require_POST
@requires("syncops.resolve")
def operation_dismiss(request: HttpRequest, pk: int) -> HttpResponse:
    done = "The operation is dismissed; it stays in this list and in the audit log."
    return _with_reason(request, pk, ReasonForm(request.POST), "dismiss", actions.dismiss_operation, done)


@require_POST
@requires("syncops.resolve")
def operation_release(request: HttpRequest, pk: int) -> HttpResponse:
    """Let what waits behind this operation go on, with why."""
    done = "Later operations go on. This one still waits for you."
    return _with_reason(request, pk, ReleaseForm(request.POST), "release", actions.release_line, done)


def _with_reason(
    request: HttpRequest, pk: int, form: Form, name: str, decide: Callable[..., Any], done: str
) -> HttpResponse:
    """Carry a decision out that needs a reason; `name` is the form's on the page, which keeps what was typed."""
    operation = get_object_or_404(operations_of(request), pk=pk)
    if not form.is_valid():
        return _detail(request, operation, forms={name: form})
    try:
        decide(operation, reason=form.cleaned_data["reason"], actor=request.user, now=timezone.now())
    except actions.NotPossible as error:
        return _detail(request, operation, problem=str(error), forms={name: form})
    messages.success(request, done)
    return hx_redirect(request, operation)


@require_POST
@requires("syncops.resolve")
def operation_decide(request: HttpRequest, pk: int) -> HttpResponse:
    operation = get_object_or_404(operations_of(request), pk=pk)
    form = DecisionForm(request.POST)
    if not form.is_valid():
        return _detail(request, operation, forms={"decide": form})
    try:
        actions.decide_write(
            operation,
            applied=form.cleaned_data["applied"] == "yes",
            reason=form.cleaned_data["reason"],
            actor=request.user,  # type: ignore[arg-type]
            now=timezone.now(),
        )
    except actions.NotPossible as error:
        return _detail(request, operation, problem=str(error), forms={"decide": form})
    messages.success(request, "Thank you: the operation goes on from there.")
    return hx_redirect(request, operation)


def _detail(
    request: HttpRequest, operation: SyncOperation, *, problem: str = "", forms: Mapping[str, Form] | None = None
) -> HttpResponse:
    forms = forms or {}
    undecided = (
        operation.state == SyncOperation.State.HELD and operation.writes.filter(state__in=Write.UNPROVED).exists()
    )
    context = {
        "operation": operation,
        "look": appearance(operation),
        "evidence": evidence_of(operation),
        "mending": mending_of(operation),
        "may_undo": allowed(request.user, "syncops.resolve") and may_be_undone(operation),
        "writes": operation.writes.order_by("pk"),
        "attempts": attempts_of(operation),
        "story": story_of(operation),
        "comparison": comparison_of(operation),
        "entries": AuditEntry.objects.for_user(request.user).current().filter(correlation_id=operation.correlation_id),
        "undecided": undecided,
        "rehearsed": rehearsed_of(operation),
        "chain": chain_of(operation.mapping),
        "problem": problem,
        "release": ReleaseForm(),
        "dismiss": ReasonForm(),
        "decide": DecisionForm(),
        "may_sync": allowed(request.user, "syncops.sync"),
        "may_resolve": allowed(request.user, "syncops.resolve"),
        "may_audit": allowed(request.user, "portal.audit"),
    }
    status = 422 if forms or problem else 200
    return render_page(request, "syncops/operation_detail.html", context | dict(forms), fragment="live", status=status)
