"""A price on an Azure plan's line that no month asks for: what setting it to 0 would bill, and doing it."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from portal.far_side import FarSideError
from portal.htmx import hx_redirect, render_page
from portal.permissions import requires
from syncops.actions import NotPossible
from syncops.asking import asking
from syncops.azure.looking import look_again
from syncops.azure.mending import mend, preview_mend
from syncops.models import AzureAlarm


@require_http_methods(["GET", "POST"])
@requires("syncops.resolve")
def azure_alarm(request: HttpRequest, pk: int) -> HttpResponse:
    """What mending would send and bill; posted, it is mended, or with `look` the line is read again."""
    user: Any = request.user
    related = ("mapping__subscription__customer", "mapping__connection__organization", "operation")
    alarm = get_object_or_404(AzureAlarm.objects.for_user(user).select_related(*related), pk=pk)
    if alarm.operation and (alarm.is_being_mended or alarm.closed_at):
        return hx_redirect(request, alarm.operation)
    today, now = timezone.localdate(timezone=user.organization.zone), timezone.now()
    try:
        with asking(alarm.mapping.connection) as psa:
            closed = alarm.closed_at is not None or look_again(alarm, psa, now)
            preview = None if closed else preview_mend(alarm, psa, today=today)
    except FarSideError as error:
        return render_page(request, "syncops/azure_alarm.html", {"alarm": alarm, "error": error}, status=503)
    if preview is None:
        messages.success(request, "The line shows 0 there by now; the alarm is closed.")
        return hx_redirect(request, "syncops:inbox")
    context = {"alarm": alarm, "preview": preview}
    if request.method == "GET" or preview.problem:
        return render_page(request, "syncops/azure_alarm.html", context)
    if request.POST.get("seen") != preview.digest:
        return render_page(request, "syncops/azure_alarm.html", context | {"changed": True}, status=422)
    try:
        operation = mend(alarm, preview, actor=user, now=now)
    except NotPossible as error:
        messages.info(request, str(error))
        return hx_redirect(request, "syncops:inbox")
    messages.success(request, "The price is set to 0 in the background; this page follows it.")
    return hx_redirect(request, operation)
