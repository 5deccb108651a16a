"""Addresses of margins."""

from django.urls import path

from portal.views import margins

urlpatterns = [
    path("margins/", margins.margin_list, name="margins"),
    path("margins/add/", margins.margin_create, name="margin_create"),
    path("margins/settings/", margins.margin_settings, name="margin_settings"),
    path("margins/<int:pk>/", margins.margin_edit, name="margin_edit"),
    path("margins/<int:pk>/remove/", margins.margin_remove, name="margin_remove"),
]
