"""What new margins do to what is billed, before they are saved."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.views.decorators.http import require_http_methods

from portal.actions.margin_drafts import MarginDraft, Repriced, draft_of, make, repriced
from portal.audit import Actor
from portal.currencies import to_minor_unit
from portal.htmx import hx_redirect, render_page
from portal.models import Subscription
from portal.permissions import requires

AT_ONCE = 25


@dataclass(frozen=True, slots=True)
class Shown:
    """A page of a dry run: what the higher apps' panels add to. `previous` and `next` as in `portal.paging`."""

    draft: MarginDraft
    rows: list[Repriced]
    previous: int | None
    next: int | None


@require_http_methods(["GET", "POST"])
@requires("portal.margins")
def margin_preview(request: HttpRequest) -> HttpResponse:
    """Every subscription whose price changes, old and new, with what it makes in a month; POST makes the change."""
    user: Any = request.user
    text = (request.POST if request.method == "POST" else request.GET).get("draft", "")
    try:
        draft = draft_of(text, user.organization)
    except ValidationError as refusal:
        messages.error(request, " ".join(refusal.messages))
        return hx_redirect(request, "portal:margins")
    if draft is None:
        raise Http404("There is no such draft.")
    rows = repriced(draft, timezone.localdate(timezone=user.organization.zone))
    if request.method == "GET":
        return _page(request, draft, text, rows)
    if rows and request.POST.get("seen") != _digest(rows):
        return _page(request, draft, text, rows, changed=True, status=422)
    return save(request, draft)


def save(request: HttpRequest, draft: MarginDraft) -> HttpResponse:
    """Make the change, and say so."""
    user: Any = request.user
    try:
        make(draft, actor=Actor.user(user), at=timezone.now())
    except ValidationError as refusal:
        messages.error(request, " ".join(refusal.messages))
        return hx_redirect(request, "portal:margins")
    messages.success(request, f"Saved: {draft.words}. It prices new orders and what is billed already.")
    number = draft.subscription_id
    own = Subscription.objects.for_user(user).filter(pk=number).first() if number else None
    return hx_redirect(request, own or "portal:margins")


def previewed(request: HttpRequest, draft: MarginDraft) -> HttpResponse:
    """On to the page that shows what is billed already; saved at once where nothing of that changes."""
    user: Any = request.user
    if not repriced(draft, timezone.localdate(timezone=user.organization.zone)):
        return save(request, draft)
    return hx_redirect(request, f"{reverse('portal:margin_preview')}?{urlencode({'draft': draft.signed()})}")


def _page(
    request: HttpRequest, draft: MarginDraft, text: str, rows: list[Repriced], *, status: int = 200, **more: Any
) -> HttpResponse:
    context = {
        "draft": draft,
        "text": text,
        "count": len(rows),
        "page": _shown(request, draft, rows),
        "totals": _totals(rows),
        "digest": _digest(rows),
    }
    return render_page(request, "portal/margin_preview.html", context | more, fragment="rows", status=status)


def _shown(request: HttpRequest, draft: MarginDraft, rows: list[Repriced]) -> Shown:
    """The rows from `?after=ID` on, or before `?before=ID`."""
    places = {str(row.subscription.pk): number for number, row in enumerate(rows)}
    after, before = places.get(request.GET.get("after", "")), places.get(request.GET.get("before", ""))
    start = after + 1 if after is not None else max(0, before - AT_ONCE) if before is not None else 0
    page = rows[start : start + AT_ONCE]
    first = page[0].subscription.pk if page and start else None
    last = page[-1].subscription.pk if page and start + AT_ONCE < len(rows) else None
    return Shown(draft, page, first, last)


def _totals(rows: list[Repriced]) -> list[tuple[str, Decimal]]:
    """What a month brings more or less, by currency."""
    sums: dict[str, Decimal] = defaultdict(Decimal)
    for row in rows:
        sums[row.currency] += row.effect
    return [(currency, to_minor_unit(amount, currency)) for currency, amount in sorted(sums.items())]


def _digest(rows: list[Repriced]) -> str:
    """Tells whether what is confirmed is what was shown."""
    shown = [(row.subscription.pk, row.subscription.quantity, row.before, row.after) for row in rows]
    return hashlib.sha256(repr(shown).encode()).hexdigest()[:24]
