"""Where Partner Center delivers its notifications, and the button that asks it to."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from connections.models import Registration
from connections.provider.partner_center import notifications
from connections.provider.partner_center.reach import READS
from connections.provider.partner_center.registering import register
from connections.refusals import Refused
from connections.views.access import MANAGE, actor_of, connection_of
from portal.far_side import FarSideError
from portal.htmx import hx_redirect
from portal.permissions import public, requires


@require_POST
@csrf_exempt
@public(because="Partner Center delivers here; every delivery is signed, and only says that one should look there.")
def notification(request: HttpRequest, key: str) -> HttpResponse:
    """One delivery: written down and answered. Whom it is for, and whether anybody reads it, is not told."""
    rows = Registration.objects.filter(connection__state__in=READS).select_related("connection__organization")
    registration = get_object_or_404(rows, key=key)
    if int(request.META.get("CONTENT_LENGTH") or 0) > notifications.LARGEST:
        return HttpResponse(status=413)
    answer = notifications.receive(registration, request.body, request.headers, now=timezone.now())
    return HttpResponse(status=answer.value, content_type="text/plain")


@require_POST
@requires(MANAGE)
def notification_register(request: HttpRequest, pk: int) -> HttpResponse:
    """Have notifications delivered here; `replace` takes them over from another address."""
    connection = connection_of(request, pk)
    replace = request.POST.get("replace") == "yes"
    try:
        register(connection, replace=replace, actor=actor_of(request), now=timezone.now())
        messages.success(request, "Partner Center tells this portal from now on when something changes.")
    except (Refused, FarSideError) as error:
        Registration.objects.filter(connection=connection).update(problem=str(error))
        messages.error(request, str(error))
    return hx_redirect(request, connection)
