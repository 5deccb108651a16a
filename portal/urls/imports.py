"""Addresses of files of many rows."""

from django.urls import path

from portal.views import imports

urlpatterns = [
    path("imports/<int:pk>/", imports.import_detail, name="import_detail"),
    path("imports/<int:pk>/apply/", imports.import_apply, name="import_apply"),
    path("imports/<int:pk>/discard/", imports.import_discard, name="import_discard"),
    path("imports/<int:pk>/report/<slug:form>/", imports.import_report, name="import_report"),
    path("imports/<slug:kind>/<int:place_id>/", imports.import_new, name="import_new"),
]
