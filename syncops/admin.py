"""Django admin for support staff: the work is read there, never edited; people change it on its own pages."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from syncops.models import (
    AzureAlarm,
    AzureMonth,
    DoubledWrite,
    GoingLive,
    GroupDecision,
    JournalEntry,
    Lane,
    MarginPreview,
    MarginUpdate,
    Newcomer,
    Rehearsal,
    Run,
    Shortfall,
    Stream,
    Succession,
    SyncOperation,
    Write,
)


class ReadOnlyAdmin(admin.ModelAdmin):
    """Rows that nobody adds, edits or deletes by hand."""

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(SyncOperation)
class SyncOperationAdmin(ReadOnlyAdmin):
    list_display = ("pk", "kind", "subscription", "connection", "effective_on", "state", "error_kind", "created_at")
    list_filter = ("state", "kind", "error_kind", "connection")
    list_select_related = ("subscription__customer", "connection")
    search_fields = ("subscription__external_id", "subscription__search_text", "correlation_id", "error")


@admin.register(Stream)
class StreamAdmin(ReadOnlyAdmin):
    list_display = ("pk", "subscription", "connection", "due", "lease_until", "owner", "fence")
    list_select_related = ("subscription__customer", "connection")
    search_fields = ("subscription__external_id", "subscription__search_text")


@admin.register(Run)
class RunAdmin(ReadOnlyAdmin):
    list_display = ("pk", "operation_id", "number", "fence", "started_at", "finished_at", "outcome")
    search_fields = ("operation__correlation_id", "operation__subscription__external_id")


@admin.register(Write)
class WriteAdmin(ReadOnlyAdmin):
    list_display = ("pk", "kind", "state", "contract_id", "line_id", "effective_on", "unit_change", "price", "sent_at")
    list_filter = ("state", "kind")
    search_fields = ("=line_id", "=contract_id", "operation__correlation_id")


@admin.register(JournalEntry)
class JournalEntryAdmin(ReadOnlyAdmin):
    list_display = ("pk", "run_id", "fence", "phase", "at")
    list_filter = ("phase",)
    search_fields = ("run__operation__correlation_id",)


@admin.register(Shortfall)
class ShortfallAdmin(ReadOnlyAdmin):
    list_display = ("pk", "operation_id", "reason", "starts_on", "ends_on", "units", "amount", "currency")
    list_filter = ("reason", "currency")
    search_fields = ("operation__correlation_id", "stream__subscription__search_text")


@admin.register(MarginPreview)
class MarginPreviewAdmin(ReadOnlyAdmin):
    list_display = ("pk", "key", "mapping_id", "shown_at")
    search_fields = ("=key",)


@admin.register(MarginUpdate)
class MarginUpdateAdmin(ReadOnlyAdmin):
    list_display = ("pk", "what", "organization", "effective_on", "actor", "created_at", "finished_at")
    list_select_related = ("organization", "actor")
    search_fields = ("what", "correlation_id")


@admin.register(Lane)
class LaneAdmin(ReadOnlyAdmin):
    list_display = ("connection", "lease_until", "owner")
    search_fields = ("connection__name",)


@admin.register(GroupDecision)
class GroupDecisionAdmin(ReadOnlyAdmin):
    list_display = ("pk", "verb", "error_kind", "error_group", "actor", "total", "done", "left_out", "due_at")
    list_filter = ("verb", "error_kind")
    search_fields = ("error_group", "reason", "actor__email")


@admin.register(DoubledWrite)
class DoubledWriteAdmin(ReadOnlyAdmin):
    list_display = ("pk", "write_id", "line_id", "found_at", "found_units", "closed_at", "closed_by")
    search_fields = ("=line_id", "write__operation__correlation_id")


@admin.register(Succession)
class SuccessionAdmin(ReadOnlyAdmin):
    list_display = ("pk", "old_contract_name", "new_contract_name", "connection", "day", "state", "moved", "refused")
    list_select_related = ("connection",)
    list_filter = ("state",)
    search_fields = ("old_contract_name", "new_contract_name", "=old_contract_id", "=new_contract_id")


@admin.register(Newcomer)
class NewcomerAdmin(ReadOnlyAdmin):
    list_display = ("pk", "subscription_id", "connection", "state", "contract_name", "came_at", "done_at", "seen_by")
    list_select_related = ("connection", "seen_by")
    list_filter = ("state",)
    search_fields = ("subscription__search_text", "contract_name")


@admin.register(AzureMonth)
class AzureMonthAdmin(ReadOnlyAdmin):
    list_display = ("pk", "subscription", "month", "cost", "price", "currency", "is_complete", "set_at", "posted_at")
    list_filter = ("is_complete", "source", "sent_as", "connection")
    list_select_related = ("subscription__customer",)
    search_fields = ("subscription__external_id", "subscription__search_text")


@admin.register(AzureAlarm)
class AzureAlarmAdmin(ReadOnlyAdmin):
    list_display = ("pk", "mapping", "period", "price", "found_at", "closed_at")
    list_select_related = ("mapping__subscription__customer",)
    search_fields = ("mapping__subscription__search_text", "=mapping__line_id")


@admin.register(GoingLive)
class GoingLiveAdmin(ReadOnlyAdmin):
    list_display = ("connection", "actor", "sent", "dismissed", "created_at")
    list_select_related = ("connection", "actor")
    raw_id_fields = ("connection", "actor")
    search_fields = ("connection__name",)


@admin.register(Rehearsal)
class RehearsalAdmin(ReadOnlyAdmin):
    list_display = ("operation", "verdict", "choice", "this_bill", "next_bill", "shortfall", "rehearsed_at")
    list_filter = ("verdict", "choice")
    list_select_related = ("operation__subscription__customer",)
    raw_id_fields = ("operation", "going_live")
    search_fields = ("operation__subscription__search_text", "problem")
