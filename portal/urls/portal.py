"""Addresses of the portal app, joined from one file per noun."""

from portal.urls import audit, customers, health, home, margins, members, subscriptions

app_name = "portal"
urlpatterns = [
    *home.urlpatterns,
    *customers.urlpatterns,
    *subscriptions.urlpatterns,
    *audit.urlpatterns,
    *margins.urlpatterns,
    *members.urlpatterns,
    *health.urlpatterns,
]
