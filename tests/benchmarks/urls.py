"""The product's addresses, and an empty page that asks for the same session, person and permission as the others."""

from django.http import HttpRequest, HttpResponse
from django.urls import include, path

from portal.permissions import requires

EMPTY = "/benchmark/empty/"


@requires("portal.read")
def empty(request: HttpRequest) -> HttpResponse:
    return HttpResponse("")


urlpatterns = [path(EMPTY.lstrip("/"), empty), path("", include("portal.urls"))]
