"""Matching by name: what it would do, starting it, how far it is, and ending it."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST

from mappings.automatic import start_match
from mappings.boards import Board
from mappings.cancelling import cancel_run
from mappings.findings import exact_names
from mappings.forms import MatchForm
from mappings.models import MatchRun, Suggestion
from mappings.views.boards import about, actor_of, board_or_404
from portal.htmx import hx_redirect, render_page, wants_fragment
from portal.permissions import requires

AT_ONCE = 2000  # more names than that are looked at in the background
CHANGING = (MatchRun.Kind.EXACT, MatchRun.Kind.ACCEPT)  # after one of these a dry run is out of date


@require_http_methods(["GET", "POST"])
@requires("mappings.map")
def mapping_match(request: HttpRequest, connection_id: int, nouns: str) -> HttpResponse:
    """The dry run, with what can be started from it; posted, it is started in the background."""
    board = board_or_404(request, connection_id, nouns)
    form = MatchForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        start_match(board, **form.cleaned_data, actor=actor_of(request), now=timezone.now())
        return hx_redirect(request, request.path)
    run = MatchRun.objects.filter(connection=board.connection, nouns=nouns).first()
    context = about(board) | {"run": run, "form": form}
    if not wants_fragment(request) and (run is None or run.state != MatchRun.State.RUNNING):
        open_ = Suggestion.objects.filter(connection=board.connection, state=Suggestion.State.OPEN)
        context |= {"idle": True, "suggested": open_.filter(**{f"{board.ours}__isnull": False}).count()}
        context |= _dry_run(board)
    status = 422 if form.errors else 200
    return render_page(request, "mappings/mapping_match.html", context, fragment="run", status=status)


@require_POST
@requires("mappings.map")
def match_cancel(request: HttpRequest, connection_id: int, nouns: str) -> HttpResponse:
    """End what goes on here; what it has mapped so far stays mapped."""
    board = board_or_404(request, connection_id, nouns)
    run = MatchRun.objects.running().filter(connection=board.connection, nouns=nouns).first()
    if run is None or not cancel_run(run, actor=actor_of(request), at=timezone.now()):
        messages.info(request, "It had ended already.")
    return hx_redirect(request, f"mappings:{board.noun}_match", board.connection.pk)


def _dry_run(board: Board) -> dict[str, Any]:
    """What equal names would do: `found` is Findings.shown, None where many names were not looked at yet; `looked` is
    the run that looked at them.
    """
    left = board.progress().left
    if left <= AT_ONCE:
        return {"found": exact_names(board).shown()}
    runs = MatchRun.objects.filter(connection=board.connection, nouns=board.nouns)
    last = runs.filter(kind__in=(MatchRun.Kind.DRY, *CHANGING)).exclude(shown={}, kind=MatchRun.Kind.DRY).first()
    looked = last if last and last.kind == MatchRun.Kind.DRY else None
    return {"left": left, "looked": looked, "found": looked.shown if looked else None}
