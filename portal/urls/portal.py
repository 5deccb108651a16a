"""Addresses of the portal app, joined from one file per noun."""

from portal.urls import audit, catalog, customers, health, home, imports, margins, members, orders, subscriptions

app_name = "portal"
urlpatterns = [
    *home.urlpatterns,
    *customers.urlpatterns,
    *catalog.urlpatterns,
    *orders.urlpatterns,
    *subscriptions.urlpatterns,
    *audit.urlpatterns,
    *margins.urlpatterns,
    *members.urlpatterns,
    *imports.urlpatterns,
    *health.urlpatterns,
]
