"""A renewed contract: what moving its subscriptions would send and bill, one decision, and how far it is."""

from __future__ import annotations

from collections import defaultdict
from decimal import Decimal
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from portal.far_side import FarSideError
from portal.htmx import hx_redirect, render_page, wants_fragment
from portal.permissions import requires
from syncops import successions
from syncops.actions import NotPossible
from syncops.asking import asking
from syncops.models import Succession
from syncops.move_preview import MovePreview
from syncops.succession_facts import read_renewal

LISTED = 50
State = Succession.State


@require_GET
@requires("mappings.map")
def succession_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """Both lines of each subscription in money, while nobody has decided; afterwards how far it is."""
    row = _row_or_404(request, pk)
    context: dict[str, Any] = {"row": row}
    if not wants_fragment(request) and row.state in Succession.NEEDS_A_PERSON:
        context |= _preview(row)
    return render_page(request, "syncops/succession_detail.html", context, fragment="run")


@require_POST
@requires("mappings.map")
def succession_accept(request: HttpRequest, pk: int) -> HttpResponse:
    """Move all of its subscriptions in the background."""
    row = _row_or_404(request, pk)
    try:
        successions.accept_succession(row, actor=request.user, now=timezone.now())  # type: ignore[arg-type]
    except NotPossible as error:
        messages.warning(request, str(error))
    return hx_redirect(request, row)


@require_POST
@requires("mappings.map")
def succession_reject(request: HttpRequest, pk: int) -> HttpResponse:
    """Leave them where they are; it is not proposed again."""
    row = _row_or_404(request, pk)
    try:
        successions.reject_succession(row, actor=request.user, now=timezone.now())  # type: ignore[arg-type]
    except NotPossible as error:
        messages.warning(request, str(error))
        return hx_redirect(request, row)
    messages.success(request, f"Rejected: the subscriptions stay on {row.old_contract_name}. It is not proposed again.")
    return hx_redirect(request, "syncops:inbox")


def _row_or_404(request: HttpRequest, pk: int) -> Succession:
    rows = Succession.objects.for_user(request.user).select_related("connection__organization", "decided_by")
    return get_object_or_404(rows, pk=pk)


def _preview(row: Succession) -> dict[str, Any]:
    """The first of its subscriptions, each with both lines, or why it would stay; four reads for all of them."""
    mappings = successions.mappings_on(row.connection_id, row.old_contract_id)
    listed, count = list(mappings[:LISTED]), mappings.count()
    try:
        with asking(row.connection) as psa:
            renewal = read_renewal(row, listed, psa)
    except FarSideError as error:
        return {"count": count, "error": error}
    today = timezone.localdate(timezone=row.connection.organization.zone)
    ready, left = [], []
    for mapping in listed:
        judged = successions.judge(row, mapping, renewal, today=today)
        if isinstance(judged, str):
            left.append((mapping, judged))
        else:
            ready.append((mapping, judged[0].adopt_line_id, judged[2]))
    seen = [preview for _, _, preview in ready]
    more, totals = count - len(listed), _totals(seen, row.connection.currency)
    waits = row.day > today
    return {"count": count, "ready": ready, "left": left, "more": more, "totals": totals, "waits": waits}


def _totals(seen: list[MovePreview], currency: str) -> list[tuple[str, Decimal, str]]:
    """What the bills of both lines together change by, where every price is known: label, amount, currency."""
    sums: defaultdict[str, Decimal] = defaultdict(Decimal)
    for preview in seen:
        for line in filter(None, (preview.put, preview.taken)):
            for bill in line.bills:
                if bill.before is not None and bill.after is not None:
                    sums[bill.label] += bill.after - bill.before
    return [(label, amount, currency) for label, amount in sums.items()]
