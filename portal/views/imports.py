"""Files of many rows: handing one in, its dry run, having it applied, and what came of it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, cast

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from portal.actions import imports as actions
from portal.audit import Actor
from portal.forms.imports import ImportForm
from portal.htmx import hx_redirect, render_page, wants_fragment
from portal.imports import KINDS, Kind, Place
from portal.models import ImportRow, SheetImport, User
from portal.paging import page_of
from portal.permissions import allowed, requires
from portal.sheets import FORMATS, download

SHOWN_BEFORE = 5  # the last imports of the same kind and place
Effect = ImportRow.Effect


@require_http_methods(["GET", "POST"])
@requires("portal.read")
def import_new(request: HttpRequest, kind: str, place_id: int) -> HttpResponse:
    """Hand in a file; posted, its dry run begins in the background."""
    rule, place = _place_or_404(request, kind, place_id)
    form = ImportForm(rule, *((request.POST, request.FILES) if request.method == "POST" else ()))
    if form.is_bound and form.is_valid():
        run = actions.start_import(
            rule,
            place,
            content=form.content,
            name=form.cleaned_data["file"].name,
            options=form.options,
            actor=_actor(request),
            now=timezone.now(),
        )
        return hx_redirect(request, run)
    last = SheetImport.objects.for_user(request.user).light().filter(kind=kind, place_id=place_id)
    context = {"kind": rule, "place": place, "form": form, "last": last.exclude(state="discarded")[:SHOWN_BEFORE]}
    return render_page(request, "portal/import_new.html", context, status=422 if form.errors else 200)


@require_GET
@requires("portal.read")
def import_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """How far it is; then row by row what would be done, and at the end what was."""
    run, kind, place = _import_or_404(request, pk)
    if wants_fragment(request) and request.headers.get("HX-Target") == "run":
        if not run.is_working:  # the whole page has changed
            return hx_redirect(request, run)
        return render_page(request, "portal/import_detail.html", {"run": run, "kind": kind}, fragment="run")
    return render_page(request, "portal/import_detail.html", _about(request, run, kind, place), fragment="table")


@require_POST
@requires("portal.read")
def import_apply(request: HttpRequest, pk: int) -> HttpResponse:
    """Have it applied in the background; what was refused is left out where the person accepts that."""
    run, kind, place = _import_or_404(request, pk)
    try:
        actions.accept_import(run, kind, partial="partial" in request.POST, actor=_actor(request), now=timezone.now())
    except actions.NotPossible as problem:
        context = _about(request, run, kind, place) | {"problem": str(problem)}
        return render_page(request, "portal/import_detail.html", context, status=422)
    return hx_redirect(request, run)


@require_POST
@requires("portal.read")
def import_discard(request: HttpRequest, pk: int) -> HttpResponse:
    """A dry run that is not wanted."""
    run, _, place = _import_or_404(request, pk)
    actions.discard_import(run, now=timezone.now())
    messages.success(request, f"{run.file_name} was discarded. Nothing was changed.")
    return hx_redirect(request, place.url)


@require_GET
@requires("portal.read")
def import_report(request: HttpRequest, pk: int, form: str) -> HttpResponseBase:
    """The refused rows as they were handed in, each with the reason: to mend, and to hand in again."""
    run, kind, _ = _import_or_404(request, pk)
    names = [column.name for column in kind.columns]
    header = (*names, "Row", "Refused because", "What to do")
    return download(f"refused-rows-{run.pk}", form, header, _refused(run, names))


def _refused(run: SheetImport, names: list[str]) -> Iterator[tuple[Any, ...]]:
    for row in ImportRow.objects.filter(run=run).not_done().order_by("number").iterator(chunk_size=500):
        why, todo = (" ".join(parts) for parts in zip(*row.reasons, strict=True)) if row.reasons else ("", "")
        yield (*(row.cells.get(name, "") for name in names), row.number, why, todo)


def _about(request: HttpRequest, run: SheetImport, kind: Kind, place: Place) -> dict[str, Any]:
    rows, shown = ImportRow.objects.filter(run=run), request.GET.get("show", "")
    if shown == "not_done":
        rows = rows.not_done()
    elif shown in Effect.values:
        rows = rows.filter(effect=shown)
    counts = actions.counts_of(run)
    return {
        "run": run,
        "kind": kind,
        "place": place,
        "shown": shown,
        "counts": [(effect, effect.label, counts[effect]) for effect in Effect if counts[effect]],
        "wanted": counts[Effect.CREATE] + counts[Effect.CHANGE],
        "refused": counts[Effect.REFUSE],
        "applied": ImportRow.objects.filter(run=run, outcome=ImportRow.Outcome.DONE).count(),
        "not_done": ImportRow.objects.filter(run=run).not_done().count(),
        "page": page_of(request, rows, order=("number", "pk")),
        "formats": FORMATS,
    }


def _place_or_404(request: HttpRequest, kind: str, place_id: int) -> tuple[Kind, Place]:
    rule, user = KINDS.get(kind), cast(User, request.user)
    place = rule.place(user.organization_id, place_id) if rule and user.organization_id else None
    if rule is None or place is None:
        raise Http404("There is nothing that such a file could belong to.")
    if not allowed(request.user, rule.permission):
        raise PermissionDenied(f"This needs the permission {rule.permission}, which your role does not carry.")
    return rule, place


def _import_or_404(request: HttpRequest, pk: int) -> tuple[SheetImport, Kind, Place]:
    """The import, its kind and what it belongs to, as long as the person's organization has that."""
    run = get_object_or_404(SheetImport.objects.for_user(request.user).light(), pk=pk)
    return run, *_place_or_404(request, run.kind, run.place_id)


def _actor(request: HttpRequest) -> Actor:
    return Actor.user(request.user)  # type: ignore[arg-type]
