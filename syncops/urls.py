"""Addresses of the app."""

from django.urls import path

from syncops.views import operations, sync_to_connection

app_name = "syncops"
urlpatterns = [
    path("operations/", operations.operation_list, name="operation_list"),
    path("operations/<int:pk>/", operations.operation_detail, name="operation_detail"),
    path("operations/<int:pk>/state/", operations.operation_state, name="operation_state"),
    path("operations/<int:pk>/retry/", operations.operation_retry, name="operation_retry"),
    path("operations/<int:pk>/dismiss/", operations.operation_dismiss, name="operation_dismiss"),
    path("operations/<int:pk>/decide/", operations.operation_decide, name="operation_decide"),
    path("inbox/", operations.inbox, name="inbox"),
    path("subscriptions/<int:pk>/sync/", sync_to_connection.sync_to_connection, name="sync_to_connection"),
    path("subscriptions/<int:pk>/sync/state/", operations.mapping_state, name="mapping_state"),
    path("subscriptions/<int:pk>/sync/preview/", sync_to_connection.sync_preview, name="sync_preview"),
    path("subscriptions/<int:pk>/sync/confirm/", sync_to_connection.sync_confirm, name="sync_confirm"),
]
