"""The mapping pages of customers and offers: a list whose rows are mapped where they stand."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import SimpleLazyObject
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from connections.models import Connection
from mappings import bulk
from mappings.boards import BOARDS, Board, Refused
from mappings.exporting import exported, header
from mappings.filters import BoardFilter
from mappings.forms import BulkForm, number, search_of
from mappings.models import Suggestion
from mappings.reasons import Reason
from mappings.suggestions import reject_suggestions
from portal.audit import Actor
from portal.htmx import hx_redirect, render_page, wants_fragment
from portal.paging import page_of
from portal.permissions import allowed, requires
from portal.sheets import FORMATS, download

ROWS = 25  # of a page


@require_GET
@requires("mappings.map")
def mapping_home(request: HttpRequest) -> HttpResponse:
    """The connections that something can be mapped on; the only one opens at once."""
    connections = list(_usable(request))
    if len(connections) == 1:
        return hx_redirect(request, "mappings:customer_mapping", connections[0].pk)
    return render_page(request, "mappings/mapping_home.html", {"connections": connections})


@require_GET
@requires("mappings.map")
def mapping_board(request: HttpRequest, connection_id: int, nouns: str) -> HttpResponse:
    board = board_or_404(request, connection_id, nouns)
    filters = BoardFilter(request, board)
    page = page_of(request, filters.qs, order=board.order, size=ROWS)
    context = {
        "filter": filters,
        "formats": FORMATS,
        "page": page,
        "rows": board.rows(page.rows),
        "may_manage": allowed(request.user, "connections.manage"),
    }
    return render_page(request, "mappings/mapping_board.html", about(board) | context, fragment="table")


@require_GET
@requires("mappings.map")
def mapping_export(request: HttpRequest, connection_id: int, nouns: str, kind: str) -> HttpResponseBase:
    """What the filters leave, as a file; a filter that is not understood exports nothing."""
    board = board_or_404(request, connection_id, nouns)
    filters = BoardFilter(request, board)
    if not filters.form.is_valid():
        return hx_redirect(request, f"{address_of(board)}?{request.GET.urlencode()}")
    return download(f"{board.noun}-mapping-{board.today}", kind, header(board), exported(board, filters.qs))


@require_http_methods(["GET", "POST"])
@requires("mappings.map")
def mapping_row(request: HttpRequest, connection_id: int, pk: int, nouns: str) -> HttpResponse:
    """One row with its picker; posted, what was chosen there is mapped."""
    board = board_or_404(request, connection_id, nouns)
    ours = get_object_or_404(board.everything(), pk=pk)
    if request.method == "GET":
        return _row_page(request, board, ours, is_open="closed" not in request.GET)
    try:
        board.map(ours, number(request.POST.get(board.theirs)), actor=actor_of(request), at=timezone.now())
    except Refused as refused:
        return _row_page(request, board, ours, reasons=refused.reasons, status=422)
    return _done(request, board, ours, "{} is mapped.")


@require_POST
@requires("mappings.map")
def mapping_remove(request: HttpRequest, connection_id: int, pk: int, nouns: str) -> HttpResponse:
    """Take the row's mapping away; nothing changes in Autotask."""
    board = board_or_404(request, connection_id, nouns)
    ours = get_object_or_404(board.everything(), pk=pk)
    try:
        board.unmap(ours, actor=actor_of(request), at=timezone.now())
    except Refused as refused:
        return _row_page(request, board, ours, is_open=False, reasons=refused.reasons, status=422)
    return _done(request, board, ours, "{} is not mapped any more. Nothing was changed in Autotask.")


@require_POST
@requires("mappings.map")
def mapping_reject(request: HttpRequest, connection_id: int, pk: int, nouns: str) -> HttpResponse:
    """What is suggested for the row is not it, and is not suggested again."""
    board = board_or_404(request, connection_id, nouns)
    ours = get_object_or_404(board.everything(), pk=pk)
    waiting = Suggestion.objects.waiting().filter(connection=board.connection, **{board.ours: ours})
    reject_suggestions(board.connection, waiting, actor=actor_of(request), at=timezone.now())
    return _done(request, board, ours, "What was suggested for {} is not suggested again.")


@require_POST
@requires("mappings.map")
def mapping_bulk(request: HttpRequest, connection_id: int, nouns: str) -> HttpResponse:
    """Do one thing to every row that was ticked, and say what came of it."""
    board = board_or_404(request, connection_id, nouns)
    form = BulkForm(request.POST)
    if form.is_valid():
        rows = board.everything().filter(pk__in=form.cleaned_data["rows"]).order_by(*board.order)
        outcome = bulk.apply(board, list(rows), form.cleaned_data["do"], actor=actor_of(request), at=timezone.now())
        messages.success(request, outcome.done_in_words)
        for name, reasons in outcome.refused[:5]:
            messages.warning(request, f"{name}: {reasons[0]}")
        if len(outcome.refused) > 5:
            messages.warning(request, f"{len(outcome.refused) - 5} more could not be changed.")
    else:
        messages.error(request, "Tick the rows first, then choose what to do with them.")
    return hx_redirect(request, f"{address_of(board)}?{request.POST.get('query', '')}")


def board_or_404(request: HttpRequest, connection_id: int, nouns: str) -> Board:
    """The page's board on a connection of the person's own organization. Raises Http404 for any other."""
    user: Any = request.user
    connection = get_object_or_404(_usable(request), pk=connection_id)
    return BOARDS[nouns](connection, timezone.localdate(timezone=user.organization.zone))


def address_of(board: Board) -> str:
    return reverse(f"mappings:{board.noun}_mapping", args=[board.connection.pk])


def _usable(request: HttpRequest) -> QuerySet[Connection]:
    return Connection.objects.for_user(request.user).autotask().usable().select_related("organization")


def about(board: Board) -> dict[str, Any]:
    """What every part of a mapping page needs; the progress is counted only where it is shown."""
    return {
        "board": board,
        "connection": board.connection,
        "progress": SimpleLazyObject(board.progress),
        "address": address_of(board),
        "export_url": f"mappings:{board.noun}_export",
        "import_kind": f"{board.noun}_mappings",
        "match_url": f"mappings:{board.noun}_match",
        "cancel_url": f"mappings:{board.noun}_match_cancel",
        "bulk_url": f"mappings:{board.noun}_bulk",
        "row_url": f"mappings:{board.noun}_row",
        "remove_url": f"mappings:{board.noun}_remove",
        "reject_url": f"mappings:{board.noun}_reject",
    }


def _row_page(
    request: HttpRequest,
    board: Board,
    ours: Any,
    *,
    is_open: bool = True,
    reasons: tuple[Reason, ...] = (),
    status: int = 200,
) -> HttpResponse:
    """The row as a part of its list, or as a page of its own with the picker."""
    (row,) = board.rows([ours])
    data = request.POST if request.method == "POST" else request.GET
    search = search_of(data, board.theirs)  # type: ignore[arg-type]
    picker = board.pick(ours, search) if is_open and not row.reasons else None
    context = about(board) | {"row": row, "picker": picker, "reasons": reasons}
    htmx: Any = getattr(request, "htmx", None)
    part = "options" if htmx and htmx.target == f"options-{ours.pk}" else "row"
    return render_page(request, "mappings/mapping_row.html", context, fragment=part, status=status)


def _done(request: HttpRequest, board: Board, ours: Any, words: str) -> HttpResponse:
    """The row as it is now, where it stands in its list; by itself, the list with a message."""
    if wants_fragment(request):
        (row,) = board.rows([ours])
        context = about(board) | {"row": row, "after": True}
        return render_page(request, "mappings/mapping_row.html", context, fragment="row")
    messages.success(request, words.format(ours))
    return hx_redirect(request, address_of(board))


def actor_of(request: HttpRequest) -> Actor:
    return Actor.user(request.user)  # type: ignore[arg-type]
