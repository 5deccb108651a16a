"""Mappings for support staff: to look at, not to change, because a change here would miss its audit entry."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib import admin
from django.http import HttpRequest

from mappings.models import (
    CustomerMapping,
    DefaultContract,
    Exclusion,
    MatchRun,
    OfferMapping,
    ServiceOverride,
    SubscriptionMapping,
    Suggestion,
)


class ReadOnlyAdmin(admin.ModelAdmin):
    """What all tables of this app have in common."""

    list_filter: ClassVar[tuple[str, ...]] = ("connection__organization",)
    show_full_result_count = False

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class MappingAdmin(ReadOnlyAdmin):
    date_hierarchy = "created_at"


@admin.register(Suggestion)
class SuggestionAdmin(ReadOnlyAdmin):
    list_display = ("__str__", "score", "why", "state", "connection", "decided_by", "found_at")
    list_select_related = ("customer", "variant__offer", "connection", "decided_by")
    list_filter = ("state", "connection__organization")
    raw_id_fields = ("connection", "customer", "variant", "decided_by")
    search_fields = ("customer__name", "variant__offer__title", "remote_name", "=remote_id")


@admin.register(MatchRun)
class MatchRunAdmin(ReadOnlyAdmin):
    list_display = ("kind", "nouns", "connection", "state", "done", "total", "outcome", "started_by", "started_at")
    list_select_related = ("connection", "started_by")
    list_filter = ("state", "kind", "connection__organization")
    raw_id_fields = ("connection", "started_by")
    search_fields = ("connection__name",)


@admin.register(DefaultContract)
class DefaultContractAdmin(ReadOnlyAdmin):
    list_display = ("customer", "period", "contract_name", "contract_id", "connection")
    list_select_related = ("customer", "connection")
    raw_id_fields = ("connection", "customer")
    search_fields = ("customer__name", "contract_name", "=contract_id")


@admin.register(CustomerMapping)
class CustomerMappingAdmin(MappingAdmin):
    list_display = ("customer", "company_name", "company_id", "connection", "created_by", "created_at")
    list_select_related = ("customer", "connection", "created_by")
    raw_id_fields = ("connection", "customer", "created_by")
    search_fields = ("customer__name", "company_name", "=company_id")


@admin.register(OfferMapping)
class OfferMappingAdmin(MappingAdmin):
    list_display = ("variant", "service_name", "service_id", "connection", "created_by", "created_at")
    list_select_related = ("variant__offer", "connection", "created_by")
    raw_id_fields = ("connection", "variant", "created_by")
    search_fields = ("variant__offer__title", "service_name", "=service_id")


@admin.register(SubscriptionMapping)
class SubscriptionMappingAdmin(MappingAdmin):
    list_display = ("subscription", "contract_name", "service_name", "line_id", "connection", "starts_on", "ends_on")
    list_select_related = ("subscription__customer", "connection")
    raw_id_fields = ("connection", "subscription", "created_by")
    search_fields = (
        "subscription__friendly_name",
        "subscription__external_id",
        "subscription__customer__name",
        "contract_name",
        "service_name",
        "=contract_id",
        "=line_id",
    )


@admin.register(ServiceOverride)
class ServiceOverrideAdmin(ReadOnlyAdmin):
    list_display = ("variant", "service_name", "contract_name", "connection", "starts_on", "ends_before", "created_by")
    list_select_related = ("variant__offer", "connection", "created_by")
    raw_id_fields = ("connection", "variant", "created_by")
    search_fields = ("variant__offer__title", "service_name", "contract_name")


@admin.register(Exclusion)
class ExclusionAdmin(ReadOnlyAdmin):
    list_display = ("subscription", "units", "starts_on", "ends_before", "reason", "created_by")
    list_filter = ("subscription__organization",)
    list_select_related = ("subscription__customer", "created_by")
    raw_id_fields = ("subscription", "created_by")
    search_fields = ("subscription__search_text", "reason")
