"""Addresses of margins."""

from django.urls import path

from portal.views import margin_preview, margins

urlpatterns = [
    path("margins/", margins.margin_list, name="margins"),
    path("margins/add/", margins.margin_create, name="margin_create"),
    path("margins/preview/", margin_preview.margin_preview, name="margin_preview"),
    path("margins/settings/", margins.margin_settings, name="margin_settings"),
    path("margins/<int:pk>/", margins.margin_edit, name="margin_edit"),
    path("margins/<int:pk>/remove/", margins.margin_remove, name="margin_remove"),
]
