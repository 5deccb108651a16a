"""Connections for support staff. Secrets are never shown, and what was read or happened is read-only."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from connections.models import (
    Connection,
    ConnectionSecret,
    Creation,
    Hint,
    MirroredCompany,
    MirroredContract,
    MirroredLine,
    MirroredService,
    MirrorRefresh,
    Pace,
    ProviderCustomer,
    ProviderImport,
    Registration,
    RequestBudget,
    RequestSlot,
)


class ReadOnlyAdmin(admin.ModelAdmin):
    """Rows that only the product itself writes."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(Connection)
class ConnectionAdmin(ReadOnlyAdmin):
    """Everything here changes on the connection's own page, where it is tested and audited."""

    list_display = ("name", "organization", "kind", "currency", "state", "mode", "last_success_at", "mirrored_at")
    list_filter = ("kind", "state", "mode")
    list_select_related = ("organization",)
    search_fields = ("name", "organization__name")
    raw_id_fields = ("organization",)


@admin.register(ConnectionSecret)
class ConnectionSecretAdmin(ReadOnlyAdmin):
    list_display = ("name", "connection", "hint", "set_at")
    list_select_related = ("connection",)
    raw_id_fields = ("connection",)
    search_fields = ("name", "connection__name")
    fields = ("connection", "name", "hint", "set_at")


@admin.register(RequestBudget)
class RequestBudgetAdmin(ReadOnlyAdmin):
    list_display = ("organization", "share", "limit", "others", "counted_at", "blocked_until")
    list_select_related = ("organization",)
    raw_id_fields = ("organization",)
    search_fields = ("organization__name",)
    exclude = ("identity",)


@admin.register(RequestSlot)
class RequestSlotAdmin(ReadOnlyAdmin):
    list_display = ("budget", "entity", "number", "lease_until", "wanted_until")
    list_select_related = ("budget__organization",)
    raw_id_fields = ("budget",)
    search_fields = ("entity", "budget__organization__name")


@admin.register(MirrorRefresh)
class MirrorRefreshAdmin(ReadOnlyAdmin):
    list_display = ("connection", "scope", "state", "started_at", "finished_at", "attempts", "message")
    list_filter = ("scope", "state")
    list_select_related = ("connection",)
    raw_id_fields = ("connection",)
    search_fields = ("connection__name", "message")


@admin.register(MirroredCompany, MirroredService, MirroredContract)
class MirroredAdmin(ReadOnlyAdmin):
    list_display = ("name", "remote_id", "connection", "is_active", "read_at")
    list_filter = ("is_active",)
    list_select_related = ("connection",)
    raw_id_fields = ("connection",)
    search_fields = ("search_name", "=remote_id")
    show_full_result_count = False


@admin.register(MirroredLine)
class MirroredLineAdmin(ReadOnlyAdmin):
    list_display = ("remote_id", "connection", "contract_remote_id", "service_remote_id", "key", "read_at")
    list_select_related = ("connection",)
    raw_id_fields = ("connection",)
    search_fields = ("=remote_id", "=contract_remote_id", "key")
    show_full_result_count = False


@admin.register(ProviderImport)
class ProviderImportAdmin(ReadOnlyAdmin):
    list_display = ("connection", "scope", "state", "started_at", "finished_at", "attempts", "message")
    list_filter = ("scope", "state")
    list_select_related = ("connection",)
    raw_id_fields = ("connection",)
    search_fields = ("connection__name", "message")


@admin.register(ProviderCustomer)
class ProviderCustomerAdmin(ReadOnlyAdmin):
    list_display = ("customer", "connection", "external_id", "seen_at", "read_at")
    list_select_related = ("customer", "connection")
    raw_id_fields = ("connection", "customer")
    search_fields = ("external_id", "customer__search_text")
    show_full_result_count = False


@admin.register(Hint)
class HintAdmin(ReadOnlyAdmin):
    list_display = ("connection", "source", "state", "customer_external_id", "subscription_external_id", "received_at")
    list_filter = ("source", "state")
    list_select_related = ("connection",)
    raw_id_fields = ("connection",)
    search_fields = ("=customer_external_id", "=subscription_external_id", "message")
    exclude = ("delivery",)  # its headers carry a signature
    show_full_result_count = False


@admin.register(Pace)
class PaceAdmin(ReadOnlyAdmin):
    list_display = ("identity", "level", "at", "blocked_until")
    search_fields = ("identity",)


@admin.register(Creation)
class CreationAdmin(ReadOnlyAdmin):
    list_display = ("name", "noun", "connection", "state", "remote_id", "asked_by", "sent_at", "settled_at")
    list_filter = ("noun", "state")
    list_select_related = ("connection", "asked_by")
    raw_id_fields = ("connection", "asked_by", "began")
    search_fields = ("name", "=remote_id", "connection__name")


@admin.register(Registration)
class RegistrationAdmin(ReadOnlyAdmin):
    list_display = ("connection", "events", "registered_at", "delivered_at", "problem")
    list_select_related = ("connection",)
    raw_id_fields = ("connection",)
    search_fields = ("connection__name", "problem")
    exclude = ("key",)
