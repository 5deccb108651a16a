"""Addresses of the app."""

from django.urls import path

from syncops.views import (
    ending,
    history,
    inbox,
    mapping,
    margins,
    mending,
    operations,
    remapping,
    successions,
    sync_to_connection,
)

app_name = "syncops"
MAPPING = "connections/<int:connection_id>/subscriptions/"
urlpatterns = [
    path("operations/", operations.operation_list, name="operation_list"),
    path("operations/<int:pk>/", operations.operation_detail, name="operation_detail"),
    path("operations/<int:pk>/state/", operations.operation_state, name="operation_state"),
    path("operations/<int:pk>/retry/", operations.operation_retry, name="operation_retry"),
    path("operations/<int:pk>/dismiss/", operations.operation_dismiss, name="operation_dismiss"),
    path("operations/<int:pk>/release/", operations.operation_release, name="operation_release"),
    path("operations/<int:pk>/decide/", operations.operation_decide, name="operation_decide"),
    path("operations/<int:pk>/extend/", mending.contract_extend, name="contract_extend"),
    path("operations/<int:pk>/undo/", mending.operation_undo, name="operation_undo"),
    path("shortfalls/<int:pk>/charge/", mending.shortfall_charge, name="shortfall_charge"),
    path("margins/updates/<int:pk>/", margins.margin_update, name="margin_update"),
    path(MAPPING, mapping.subscription_mapping, name="subscription_mapping"),
    path(f"{MAPPING}export/<slug:kind>/", mapping.mapping_export, name="mapping_export"),
    path(f"{MAPPING}rehearse/", mapping.mapping_rehearse, name="mapping_rehearse"),
    path(f"{MAPPING}map/", mapping.mapping_start, name="mapping_start"),
    path(f"{MAPPING}contract/", mapping.default_contract, name="default_contract"),
    path("inbox/", inbox.inbox, name="inbox"),
    path("inbox/retry/", inbox.inbox_retry, name="inbox_retry"),
    path("inbox/dismiss/", inbox.inbox_dismiss, name="inbox_dismiss"),
    path("inbox/new/close/", inbox.newcomers_close, name="newcomers_close"),
    path("inbox/new/retry/", inbox.newcomers_retry, name="newcomers_retry"),
    path("inbox/doubled/<int:pk>/", inbox.doubled_accept, name="doubled_accept"),
    path("inbox/doubled/<int:pk>/look/", inbox.doubled_look, name="doubled_look"),
    path("inbox/renewals/<int:pk>/", successions.succession_detail, name="succession_detail"),
    path("inbox/renewals/<int:pk>/accept/", successions.succession_accept, name="succession_accept"),
    path("inbox/renewals/<int:pk>/reject/", successions.succession_reject, name="succession_reject"),
    path("subscriptions/<int:pk>/history/", history.subscription_history, name="subscription_history"),
    path("subscriptions/<int:pk>/sync/", sync_to_connection.sync_to_connection, name="sync_to_connection"),
    path("subscriptions/<int:pk>/sync/end/", ending.mapping_end, name="mapping_end"),
    path("subscriptions/<int:pk>/sync/move/", remapping.mapping_move, name="mapping_move"),
    path("subscriptions/<int:pk>/sync/now/", operations.mapping_sync, name="mapping_sync"),
    path("subscriptions/<int:pk>/sync/state/", operations.mapping_state, name="mapping_state"),
    path("subscriptions/<int:pk>/sync/preview/", sync_to_connection.sync_preview, name="sync_preview"),
    path("subscriptions/<int:pk>/sync/confirm/", sync_to_connection.sync_confirm, name="sync_confirm"),
]
