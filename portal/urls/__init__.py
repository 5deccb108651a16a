"""The whole site's addresses. The higher apps are included by name."""

from django.contrib import admin
from django.urls import include, path

urlpatterns = [
    path("", include("portal.urls.portal")),
    path("", include("connections.urls")),
    path("", include("mappings.urls")),
    path("", include("syncops.urls")),
    path("accounts/", include("allauth.urls")),
    path("admin/", admin.site.urls),
]
