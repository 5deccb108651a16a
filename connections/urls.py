"""Addresses of the app."""

from django.urls import path

from connections.views import (
    connections,
    credentials,
    imports,
    modes,
    notifications,
    policies,
    requests,
    setup,
)

app_name = "connections"
urlpatterns = [
    path("connections/", connections.connection_list, name="connection_list"),
    path("connections/new/", setup.connection_create, name="connection_create"),
    path("connections/new/<slug:kind>/", setup.connection_credentials, name="connection_credentials"),
    path("connections/<int:pk>/", connections.connection_detail, name="connection_detail"),
    path("connections/<int:pk>/set-up/", setup.connection_setup, name="connection_setup"),
    path("connections/<int:pk>/set-up/policies/", setup.connection_setup_policies, name="connection_setup_policies"),
    path("connections/<int:pk>/set-up/discard/", setup.connection_discard, name="connection_discard"),
    path("connections/<int:pk>/ready/", setup.connection_ready, name="connection_ready"),
    path("connections/<int:pk>/test/", connections.connection_test, name="connection_test"),
    path("connections/<int:pk>/refresh/", connections.connection_refresh, name="connection_refresh"),
    path("connections/<int:pk>/count/", requests.connection_count, name="connection_count"),
    path("connections/<int:pk>/share/", requests.connection_share, name="connection_share"),
    path("connections/<int:pk>/drop/", connections.connection_drop, name="connection_drop"),
    path("connections/<int:pk>/pause/", connections.connection_pause, name="connection_pause"),
    path("connections/<int:pk>/resume/", connections.connection_resume, name="connection_resume"),
    path("connections/<int:pk>/rehearse/", modes.connection_rehearse, name="connection_rehearse"),
    path("connections/<int:pk>/rename/", connections.connection_rename, name="connection_rename"),
    path("connections/<int:pk>/credentials/", credentials.connection_rotate, name="connection_rotate"),
    path("connections/<int:pk>/policies/", policies.connection_policies, name="connection_policies"),
    path("connections/<int:pk>/import/", imports.import_detail, name="import_detail"),
    path("connections/<int:pk>/import/register/", notifications.notification_register, name="notification_register"),
    path("notifications/partner-center/<slug:key>/", notifications.notification, name="notification"),
    path("connections/<int:pk>/import/start/", imports.import_start, name="import_start"),
    path("connections/<int:pk>/import/decide/", imports.import_decide, name="import_decide"),
    path("subscriptions/sync/", imports.subscriptions_sync, name="subscriptions_sync"),
    path("subscriptions/<int:pk>/sync-now/", imports.subscription_sync, name="subscription_sync"),
    path("subscriptions/<int:pk>/look/", imports.subscription_look, name="subscription_look"),
    path("customers/<int:pk>/sync/", imports.customer_sync, name="customer_sync"),
    path("connections/<int:pk>/retire/", connections.connection_retire, name="connection_retire"),
]
