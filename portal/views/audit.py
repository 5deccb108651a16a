"""The audit log: what happened, who did it, what the far side said."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.views.decorators.http import require_GET

from portal.audit import entry_hash
from portal.filters.audit import AuditFilter
from portal.htmx import render_page
from portal.models import AuditEntry
from portal.paging import page_of
from portal.permissions import requires
from portal.views.details import Details, changed_rows

RELATED = 50  # entries of one correlation that a page lists


@require_GET
@requires("portal.audit")
def audit_list(request: HttpRequest) -> HttpResponse:
    mine = AuditEntry.objects.for_user(request.user).current().select_related("customer", "organization")
    filters = AuditFilter(request, mine)
    context = {"filter": filters, "page": page_of(request, filters.qs)}
    return render_page(request, "portal/audit_list.html", context, fragment="table")


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


def chain_state(entry: AuditEntry) -> dict[str, Any]:
    """Whether this entry and its joint to the one before it are as they were written."""
    before = AuditEntry.objects.filter(tenant_id=entry.tenant_id, sequence=entry.sequence - 1).first()
    joined = entry.sequence == 1 or (before is not None and before.hash == entry.previous_hash)
    return {"unaltered": entry.hash == entry_hash(entry), "joined": joined}
