"""The audit log: what happened, who did it, what the far side said."""

import json
from collections.abc import Iterator
from datetime import tzinfo
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase, QueryDict
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET

from portal.audit import entry_hash
from portal.filters.audit import AuditFilter
from portal.htmx import hx_redirect, render_page
from portal.models import AuditEntry
from portal.paging import page_of
from portal.permissions import requires
from portal.sheets import FORMATS, MOST_ROWS, download
from portal.views.details import Details, changed_rows

RELATED = 50  # entries of one correlation that a page lists
EXPORTED = (
    "Number",
    "Started",
    "Ended",
    "Operation",
    "Status",
    "Who",
    "Organization",
    "Customer",
    "Subscription",
    "Connection",
    "Subject",
    "Asked",
    "Answered",
    "Before",
    "After",
    "Correlation",
    "Hash",
)


@require_GET
@requires("portal.audit")
def audit_list(request: HttpRequest) -> HttpResponse:
    filters = _narrowed(request)
    context = {"filter": filters, "page": page_of(request, filters.qs), "formats": FORMATS}
    return render_page(request, "portal/audit_list.html", context, fragment="table")


@require_GET
@requires("portal.audit")
def audit_export(request: HttpRequest, kind: str) -> HttpResponseBase:
    """Everything that the filters leave, as a file; a table too long for a spreadsheet is asked to be narrowed."""
    filters, zone = _narrowed(request), timezone.get_current_timezone()
    back = f"{reverse('portal:audit_list')}?{_filters_of(request.GET).urlencode()}"
    if not filters.form.is_valid():
        return hx_redirect(request, back)  # it says there what is wrong
    if filters.qs.order_by().values("pk")[MOST_ROWS:].exists():
        messages.error(request, f"More than {MOST_ROWS:,} entries match. Choose a shorter range of dates, then export.")
        return hx_redirect(request, back)
    entries = filters.qs.select_related("customer", "organization", "subscription", "began").order_by("-pk")
    name = f"audit-{timezone.localdate():%Y-%m-%d}"
    return download(name, kind, EXPORTED, _exported(entries.iterator(chunk_size=2000), zone))


@require_GET
@requires("portal.audit")
def audit_detail(request: HttpRequest, pk: int) -> HttpResponse:
    mine = AuditEntry.objects.for_user(request.user)
    related = mine.select_related("organization", "tenant", "customer", "subscription", "began", "ended_by")
    entry = get_object_or_404(related, pk=pk)
    together = mine.filter(correlation_id=entry.correlation_id).select_related("ended_by").order_by("pk")
    context = {
        "entry": entry,
        "asked": Details.of(entry.asked or (entry.began.asked if entry.began else {})),
        "answered": Details.of(entry.answered),
        "changed": changed_rows(entry.before, entry.after),
        "same_correlation": together[:RELATED],
        "chain": chain_state(entry),
    }
    return render_page(request, "portal/audit_detail.html", context)


def _narrowed(request: HttpRequest) -> AuditFilter:
    mine = AuditEntry.objects.for_user(request.user).current().select_related("customer", "organization")
    return AuditFilter(request, mine)


def _filters_of(given: QueryDict) -> QueryDict:
    """What narrows the list, without the place in it."""
    kept = given.copy()
    for name in ("after", "before"):
        kept.pop(name, None)
    return kept


def _exported(entries: Iterator[AuditEntry], zone: tzinfo) -> Iterator[tuple[Any, ...]]:
    """Rows as EXPORTED names them, made while the file is sent: by then the request's time zone is gone."""
    for entry in entries:
        began = entry.began
        yield (
            entry.sequence,
            (began or entry).started_at.astimezone(zone),
            entry.finished_at.astimezone(zone) if entry.finished_at else None,
            entry.name,
            entry.get_status_display(),
            entry.actor_label,
            str(entry.organization),
            str(entry.customer or ""),
            entry.subscription.external_id if entry.subscription else "",
            entry.connection_name,
            entry.subject,
            *(_json(value) for value in (entry.asked or (began.asked if began else {}), entry.answered)),
            *(_json(value) for value in (entry.before, entry.after)),
            str(entry.correlation_id),
            entry.hash,
        )


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, sort_keys=True) if value else ""


def chain_state(entry: AuditEntry) -> dict[str, Any]:
    """Whether this entry and its joint to the one before it are as they were written."""
    before = AuditEntry.objects.filter(tenant_id=entry.tenant_id, sequence=entry.sequence - 1).first()
    joined = entry.sequence == 1 or (before is not None and before.hash == entry.previous_hash)
    return {"unaltered": entry.hash == entry_hash(entry), "joined": joined}
