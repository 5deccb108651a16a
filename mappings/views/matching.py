"""Matching by name: what it would do, starting it, and how far it is."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from mappings.automatic import exact_names, start_match
from mappings.forms import MatchForm
from mappings.models import MatchRun, Suggestion
from mappings.views.boards import about, actor_of, board_or_404
from portal.htmx import hx_redirect, render_page, wants_fragment
from portal.permissions import requires

LISTED = 50  # of the pairs and of the conflicts


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
        found = exact_names(board)
        open_ = Suggestion.objects.filter(connection=board.connection, state=Suggestion.State.OPEN)
        context |= {
            "found": found,
            "pairs": found.named_pairs[:LISTED],
            "conflicts": found.named_conflicts[:LISTED],
            "suggested": open_.filter(**{f"{board.ours}__isnull": False}).count(),
        }
    status = 422 if form.errors else 200
    return render_page(request, "mappings/mapping_match.html", context, fragment="run", status=status)
