"""New margins on their way to the subscriptions that they price."""

from django.db.models import Count, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.views.decorators.http import require_GET

from portal.htmx import render_page
from portal.paging import page_of
from portal.permissions import requires
from syncops.models import MarginUpdate, SyncOperation


@require_GET
@requires("portal.read")
def margin_update(request: HttpRequest, pk: int) -> HttpResponse:
    """How far they are, and the operation of each subscription; follows by itself until all have come to an end."""
    update = get_object_or_404(MarginUpdate.objects.for_user(request.user).select_related("actor"), pk=pk)
    operations = update.operations.select_related("subscription__customer", "connection", "mapping")
    progress = progress_of(operations, all_there=update.finished_at is not None)
    context = {"update": update, "progress": progress, "page": page_of(request, operations)}
    return render_page(request, "syncops/margin_update.html", context, fragment="live")


def progress_of(operations: QuerySet[SyncOperation], *, all_there: bool = True) -> dict[str, object]:
    """How many operations there are, how many do not go on by themselves any more, and how many are in each state."""
    counted = dict(operations.order_by().values_list("state").annotate(Count("pk")))
    states = [(state, state.label, counted[state]) for state in SyncOperation.State if state in counted]
    ended = sum(number for state, number in counted.items() if state not in SyncOperation.MOVING)
    total = sum(counted.values())
    return {"states": states, "total": total, "ended": ended, "open": not all_there or ended < total}
