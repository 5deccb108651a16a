"""The whole history of a subscription, in pages."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.views.decorators.http import require_GET

from portal.htmx import render_page
from portal.models import Subscription
from portal.permissions import requires
from syncops.history import history_of


@require_GET
@requires("portal.read")
def subscription_history(request: HttpRequest, pk: int) -> HttpResponse:
    mine = Subscription.objects.for_user(request.user).select_related("customer", "variant__offer", "organization")
    subscription = get_object_or_404(mine, pk=pk)
    context = {"subscription": subscription, "page": history_of(subscription, request.user, request.GET.get("after"))}
    return render_page(request, "syncops/subscription_history.html", context, fragment="table")
