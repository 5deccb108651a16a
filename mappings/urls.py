"""Addresses of the app."""

from django.urls import path

from mappings import views

app_name = "mappings"
PLACE = "connections/<int:connection_id>/subscriptions/<int:subscription_id>"
urlpatterns = [
    path(f"{PLACE}/companies/", views.company_picker, name="company_picker"),
    path(f"{PLACE}/services/", views.service_picker, name="service_picker"),
    path(f"{PLACE}/contracts/", views.contract_picker, name="contract_picker"),
]
