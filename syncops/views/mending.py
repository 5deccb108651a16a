"""What a person does about what could not be mended: one charge for a shortfall, a later end for a contract."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, fields
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from connections.charge_codes import charge_code_of, choose_charge_code
from connections.psa.types import BillingCode
from mappings.models import SubscriptionMapping
from portal.audit import Actor
from portal.far_side import FarSideError
from portal.htmx import hx_redirect, render_page
from portal.permissions import requires
from syncops.actions import NotPossible
from syncops.asking import asking
from syncops.charges import ChargeDraft, charge_shortfalls, chargeable, draft_charge
from syncops.extensions import Extension, extend_contract, preview_extension
from syncops.forms import ExtensionForm
from syncops.models import Shortfall, SyncOperation
from syncops.undoing import UndoPreview, preview_undo, under_way, undo_operation
from syncops.views.operations import operations_of


@dataclass(frozen=True, slots=True)
class Row:
    """One shortfall to choose on the page of a charge."""

    gap: Shortfall
    chosen: bool


@require_http_methods(["GET", "POST"])
@requires("syncops.resolve")
def shortfall_charge(request: HttpRequest, pk: int) -> HttpResponse:
    """The one charge that makes up for the chosen shortfalls of a mapping: its preview, and by POST its making."""
    mappings = SubscriptionMapping.objects.for_user(request.user).select_related("connection__organization")
    mapping = get_object_or_404(mappings.select_related("subscription__customer"), pk=pk)
    rows = _rows(request, chargeable(mapping))
    if request.method == "POST" and not rows:
        return _made_already(request, mapping)
    try:
        with asking(mapping.connection) as psa:
            draft = draft_charge(mapping, [row.gap for row in rows if row.chosen], psa, today=_today(mapping))
    except FarSideError as error:
        return _charge_page(request, mapping, rows, error=error, status=503)
    if request.method == "GET":
        return _charge_page(request, mapping, rows, draft)
    return _make_charge(request, mapping, rows, draft)


def _make_charge(
    request: HttpRequest, mapping: SubscriptionMapping, rows: list[Row], draft: ChargeDraft
) -> HttpResponse:
    code = next((one for one in draft.codes if str(one.id) == request.POST.get("code")), None)
    if draft.can_be_made and (code is None or request.POST.get("seen") != _digest(draft)):
        wrong = {"code_missing": code is None, "changed": code is not None}
        return _charge_page(request, mapping, rows, draft, status=422, **wrong)
    actor: Any = request.user
    try:
        operation = charge_shortfalls(draft, code or BillingCode(0, ""), actor=actor, now=timezone.now())
    except NotPossible as error:
        return _charge_page(request, mapping, rows, draft, problem=str(error), status=422)
    if code is not None:
        choose_charge_code(mapping.connection, code, actor=Actor.user(actor), now=timezone.now())
    messages.success(request, "The charge is made in the background; this page follows it.")
    return hx_redirect(request, operation)


def _rows(request: HttpRequest, open_ones: list[Shortfall]) -> list[Row]:
    """What can be charged, with those chosen that the address or the form names; all where it names none."""
    asked = request.POST if request.method == "POST" else request.GET
    named = {value for value in asked.getlist("shortfall") if value.isdigit()}
    of_operation = asked.get("operation", "")
    if not named and of_operation:
        named = {str(gap.pk) for gap in open_ones if str(gap.operation_id) == of_operation}
    return [Row(gap, chosen=not named or str(gap.pk) in named) for gap in open_ones]


def _made_already(request: HttpRequest, mapping: SubscriptionMapping) -> HttpResponse:
    """Nothing is left to charge: a second click shows what the first began."""
    asked = [int(value) for value in request.POST.getlist("shortfall") if value.isdigit()]
    settled = SyncOperation.objects.filter(mapping=mapping, settles__in=asked).order_by("pk").last()
    return hx_redirect(request, settled or mapping.subscription)


def _charge_page(
    request: HttpRequest,
    mapping: SubscriptionMapping,
    rows: list[Row],
    draft: ChargeDraft | None = None,
    *,
    status: int = 200,
    **more: Any,
) -> HttpResponse:
    left_out = [row.gap.amount or 0 for row in rows if not row.chosen]
    total = draft.unit_price if draft else 0
    context = {
        "mapping": mapping,
        "rows": rows,
        "draft": draft,
        "digest": _digest(draft) if draft else "",
        "code": request.POST.get("code") or charge_code_of(mapping.connection),
        "offsets": any(amount * total < 0 for amount in left_out),
    }
    return render_page(request, "syncops/shortfall_charge.html", context | more, status=status)


@require_http_methods(["GET", "POST"])
@requires("syncops.resolve")
def contract_extend(request: HttpRequest, pk: int) -> HttpResponse:
    """A later end for the contract of an operation that waits for one: its preview, and by POST its sending."""
    operation = get_object_or_404(operations_of(request).select_related("stream"), pk=pk)
    form = ExtensionForm(request.POST if request.method == "POST" else request.GET or None)
    until = form.cleaned_data["until"] if form.is_bound and form.is_valid() else None
    try:
        with asking(operation.connection) as psa:
            extension = preview_extension(operation, psa, until=until)
    except NotPossible as error:
        messages.info(request, str(error))
        return hx_redirect(request, operation)
    except FarSideError as error:
        return _extend_page(request, operation, form, error=error, status=503)
    if request.method == "GET":
        return _extend_page(request, operation, form, extension)
    if until is None or extension.problem or request.POST.get("seen") != _digest(extension):
        return _extend_page(request, operation, form, extension, changed=until is not None, status=422)
    actor: Any = request.user
    try:
        sent = extend_contract(extension, actor=actor, today=_today(operation.mapping), now=timezone.now())
    except NotPossible as error:
        messages.info(request, str(error))
        return hx_redirect(request, operation)
    messages.success(request, "The contract is extended in the background; what waits for it follows by itself.")
    return hx_redirect(request, sent)


def _extend_page(
    request: HttpRequest,
    operation: SyncOperation,
    form: ExtensionForm,
    extension: Extension | None = None,
    *,
    status: int = 200,
    **more: Any,
) -> HttpResponse:
    if extension and not form.errors:
        form = ExtensionForm({"until": extension.new_end})
    context = {
        "operation": operation,
        "form": form,
        "extension": extension,
        "digest": _digest(extension) if extension else "",
    }
    return render_page(request, "syncops/contract_extend.html", context | more, status=status)


@require_http_methods(["GET", "POST"])
@requires("syncops.resolve")
def operation_undo(request: HttpRequest, pk: int) -> HttpResponse:
    """What taking an operation back would send and bill; by POST it is taken back. A second click shows the first."""
    operation = get_object_or_404(operations_of(request).select_related("stream"), pk=pk)
    begun = under_way(operation)
    if begun is not None:
        return hx_redirect(request, begun)
    try:
        with asking(operation.connection) as psa:
            preview = preview_undo(operation, psa, today=_today(operation.mapping))
    except FarSideError as error:
        context = {"operation": operation, "error": error}
        return render_page(request, "syncops/operation_undo.html", context, status=503)
    changed = request.method == "POST" and request.POST.get("seen") != _digest(preview)
    if request.method == "GET" or preview.problem or changed:
        context = {"operation": operation, "preview": preview, "digest": _digest(preview), "changed": changed}
        return render_page(request, "syncops/operation_undo.html", context, status=422 if changed else 200)
    actor: Any = request.user
    try:
        undoing = undo_operation(operation, actor=actor, now=timezone.now(), preview=preview)
    except NotPossible as error:
        messages.info(request, str(error))
        return hx_redirect(request, operation)
    messages.success(request, "The operation is taken back in the background; this page follows it.")
    return hx_redirect(request, undoing)


def _digest(shown: ChargeDraft | Extension | UndoPreview) -> str:
    """Tells whether what is confirmed is what was shown."""
    parts = [(field.name, getattr(shown, field.name)) for field in fields(shown) if field.name != "codes"]
    return hashlib.sha256(repr([(name, str(value)) for name, value in parts]).encode()).hexdigest()[:24]


def _today(mapping: SubscriptionMapping) -> Any:
    return timezone.localdate(timezone=mapping.connection.organization.zone)
