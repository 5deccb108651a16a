"""The product's addresses, and an empty page that asks for the same session, person and permission as the others."""

from django.http import HttpRequest, HttpResponse
from django.urls import include, path
from django.views.decorators.http import require_GET

from portal.permissions import requires


@require_GET
@requires("portal.read")
def empty(request: HttpRequest) -> HttpResponse:
    return HttpResponse("")


urlpatterns = [path("benchmark/empty/", empty), path("", include("portal.urls"))]
