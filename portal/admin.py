"""The support admin: the portal's own models. What the product writes for ever is shown, never changed."""

from typing import Any

# Their admins are imported so that they are registered before they are replaced below.
import allauth.mfa.admin
import allauth.socialaccount.admin
import allauth.usersessions.admin  # noqa: F401
from allauth.account.decorators import secure_admin_login
from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialApp, SocialToken
from allauth.usersessions.models import UserSession
from django.contrib import admin
from django.contrib.auth.admin import UserAdmin
from django.http import HttpRequest

from portal.audit import Actor, record
from portal.models import (
    AuditEntry,
    AuditHead,
    Customer,
    ImportRow,
    MarginRule,
    MarginSettings,
    Offer,
    OfferVariant,
    Order,
    OrderLine,
    Organization,
    Promotion,
    SheetImport,
    Subscription,
    SubscriptionChange,
    SubscriptionRequest,
    User,
    VariantPrice,
)

admin.site.site_header = admin.site.site_title = "CSP Portal support"
admin.site.index_title = "Records"
# The same way in as everybody's, second factor included.
admin.site.login = secure_admin_login(admin.site.login)  # type: ignore[method-assign]


# These hold secrets in clear text: application secrets, tokens, the seeds of second factors, session keys.
for model in (SocialApp, SocialToken, Authenticator, UserSession):
    admin.site.unregister(model)


class ReadOnly(admin.ModelAdmin):
    """Records that are evidence: looked at, never added, changed or deleted here."""

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class Recorded(admin.ModelAdmin):
    """Records that support may change; the tenant reads of it in its audit log.

    The admin calls these in the transaction that it changes the record in, but for its actions on many: there are none.
    """

    actions = None

    def log_addition(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        tell(request, "Add by Support", obj, message)
        return super().log_addition(request, obj, message)

    def log_change(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        tell(request, "Change by Support", obj, message)
        return super().log_change(request, obj, message)

    def log_deletions(self, request: HttpRequest, queryset: Any) -> Any:
        for obj in queryset:
            tell(request, "Remove by Support", obj, "")
        return super().log_deletions(request, queryset)


def tell(request: HttpRequest, name: str, obj: Any, message: Any) -> None:
    """Record what support did to `obj`. What belongs to no organization is in the admin's own log alone."""
    if organization := organization_of(obj):
        person: Any = request.user
        what = {"record": obj._meta.verbose_name, "id": obj.pk, "fields": message}
        record(name, actor=Actor.user(person), organization=organization, subject=str(obj), asked=what)


def organization_of(obj: Any) -> Organization | None:
    """Whose record it is."""
    match obj:
        case Organization():
            return obj
        case Offer() | Promotion():
            return obj.owner
        case OfferVariant():
            return obj.offer.owner
        case VariantPrice():
            return obj.variant.offer.owner
        case Authenticator() | UserSession():
            return organization_of(obj.user)
        case _:
            found: Organization | None = obj.organization
            return found


@admin.register(Organization)
class OrganizationAdmin(Recorded):
    list_display = ("name", "kind", "parent", "currency", "country", "require_mfa")
    list_filter = ("kind", "require_mfa")
    list_select_related = ("parent",)
    raw_id_fields = ("parent",)
    search_fields = ("name", "microsoft_tenant_id", "mpn_id")

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(User)
class PersonAdmin(Recorded, UserAdmin):
    ordering = ("email",)
    list_display = ("email", "organization", "role", "is_active", "is_staff", "last_login")
    list_filter = ("role", "is_active", "is_staff")
    list_select_related = ("organization",)
    raw_id_fields = ("organization",)
    search_fields = ("email", "first_name", "last_name", "organization__name")
    readonly_fields = ("last_login", "date_joined")
    fieldsets = (
        (None, {"fields": ("email", "password")}),
        ("Person", {"fields": ("first_name", "last_name", "organization", "role")}),
        ("Access", {"fields": ("is_active", "is_staff", "is_superuser", "groups", "user_permissions")}),
        ("Dates", {"fields": ("last_login", "date_joined")}),
    )
    add_fieldsets = (
        (None, {"classes": ("wide",), "fields": ("email", "organization", "role", "password1", "password2")}),
    )


@admin.register(Customer)
class CustomerAdmin(Recorded):
    list_display = ("name", "organization", "domain", "country", "created_at")
    list_select_related = ("organization",)
    raw_id_fields = ("organization",)
    search_fields = ("name", "domain", "external_id")


@admin.register(Offer)
class OfferAdmin(Recorded):
    list_display = ("title", "category", "owner", "product_id", "sku_id", "is_trial", "is_addon")
    list_filter = ("category", "is_trial", "is_addon")
    list_select_related = ("owner",)
    raw_id_fields = ("owner",)
    search_fields = ("title", "product_id", "sku_id")


class VariantPriceInline(admin.TabularInline):
    model = VariantPrice
    extra = 0


@admin.register(OfferVariant)
class OfferVariantAdmin(Recorded):
    list_display = ("offer", "segment", "term", "billing", "is_purchasable")
    list_filter = ("segment", "term", "billing", "is_purchasable")
    list_select_related = ("offer",)
    raw_id_fields = ("offer",)
    search_fields = ("search_text", "offer__title", "availability_id")
    inlines = (VariantPriceInline,)


@admin.register(VariantPrice)
class VariantPriceAdmin(Recorded):
    list_display = ("variant", "currency", "list_price", "erp", "valid_from", "valid_to")
    list_filter = ("currency",)
    list_select_related = ("variant__offer",)
    raw_id_fields = ("variant",)
    search_fields = ("variant__offer__title",)


@admin.register(Promotion)
class PromotionAdmin(Recorded):
    list_display = ("name", "owner", "percent", "starts_on", "ends_on")
    list_select_related = ("owner",)
    raw_id_fields = ("owner", "variants")
    search_fields = ("name", "promotion_id")


class SubscriptionChangeInline(admin.TabularInline):
    model = SubscriptionChange
    extra = 0
    can_delete = False
    fields = readonly_fields = ("kind", "effective_on", "recorded_at", "source", "before", "after", "actor")

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(Subscription)
class SubscriptionAdmin(ReadOnly):
    """Looked at only: a changed row without its change would never reach the bill."""

    list_display = ("friendly_name", "customer", "organization", "quantity", "status", "ends_on")
    list_filter = ("status", "variant__offer__category")
    list_select_related = ("customer", "organization")
    search_fields = ("friendly_name", "external_id", "key", "customer__name")
    inlines = (SubscriptionChangeInline,)


@admin.register(SubscriptionChange)
class SubscriptionChangeAdmin(ReadOnly):
    list_display = ("subscription", "kind", "effective_on", "source", "recorded_at", "actor")
    list_filter = ("kind", "source")
    list_select_related = ("subscription__customer", "actor")
    search_fields = ("subscription__friendly_name", "subscription__customer__name", "correlation_id")


@admin.register(SubscriptionRequest)
class SubscriptionRequestAdmin(ReadOnly):
    list_display = ("subscription", "kind", "state", "attempts", "requested_at", "actor")
    list_filter = ("state", "kind")
    list_select_related = ("subscription__customer", "actor")
    search_fields = ("subscription__friendly_name", "subscription__customer__name", "request_id")


class OrderLineInline(admin.TabularInline):
    model = OrderLine
    extra = 0
    can_delete = False
    fields = readonly_fields = ("variant", "quantity", "unit_cost", "unit_price", "subscription", "error")

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(Order)
class OrderAdmin(ReadOnly):
    list_display = ("number", "customer", "organization", "state", "attempts", "submitted_at", "created_by")
    list_filter = ("state",)
    list_select_related = ("customer", "organization", "created_by")
    search_fields = ("=id", "customer__name", "provider_cart_id", "request_id", "correlation_id")
    inlines = (OrderLineInline,)


@admin.register(OrderLine)
class OrderLineAdmin(ReadOnly):
    list_display = ("order", "variant", "quantity", "unit_cost", "unit_price", "subscription")
    list_select_related = ("order", "variant__offer", "subscription__customer")
    search_fields = ("=order__id", "variant__offer__title", "provider_order_id")


@admin.register(MarginRule)
class MarginRuleAdmin(ReadOnly):
    """Changed on the portal's own page, where the audit entry is written with it."""

    list_display = ("organization", "audience", "category", "customer", "reseller", "subscription", "kind", "percent")
    list_filter = ("audience", "category", "kind")
    list_select_related = ("organization", "customer", "reseller", "subscription__customer")
    search_fields = ("organization__name", "customer__name", "subscription__friendly_name")


@admin.register(MarginSettings)
class MarginSettingsAdmin(ReadOnly):
    list_display = ("organization", "pass_promotions", "markup_limit", "discount_limit")
    list_select_related = ("organization",)
    search_fields = ("organization__name",)


@admin.register(AuditEntry)
class AuditEntryAdmin(ReadOnly):
    list_display = ("name", "status", "organization", "actor_label", "customer", "started_at", "sequence")
    list_filter = ("status",)
    list_select_related = ("organization", "customer")
    search_fields = ("name", "actor_label", "subject", "=correlation_id", "customer__name")
    show_full_result_count = False


@admin.register(AuditHead)
class AuditHeadAdmin(ReadOnly):
    list_display = ("tenant", "sequence", "hash")
    list_select_related = ("tenant",)
    search_fields = ("tenant__name",)


class RemovedOnly(Recorded):
    """What people made for themselves: support takes it away where they ask for it, and sees no secret of it."""

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(Authenticator)
class AuthenticatorAdmin(RemovedOnly):
    """A second factor; removed for somebody who lost it."""

    exclude = ("data",)
    list_display = ("user", "type", "created_at", "last_used_at")
    list_filter = ("type",)
    list_select_related = ("user",)
    search_fields = ("user__email",)


@admin.register(UserSession)
class UserSessionAdmin(RemovedOnly):
    """Where somebody is signed in; removing it signs them out."""

    exclude = ("session_key", "data")
    list_display = ("user", "ip", "user_agent", "created_at", "last_seen_at")
    list_select_related = ("user",)
    search_fields = ("user__email", "ip")

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        obj.end()


@admin.register(SheetImport)
class SheetImportAdmin(ReadOnly):
    list_display = ("file_name", "kind", "place_name", "organization", "state", "total", "started_at", "finished_at")
    list_filter = ("kind", "state")
    list_select_related = ("organization",)
    raw_id_fields = ("organization", "started_by", "accepted_by")
    search_fields = ("file_name", "place_name", "organization__name")
    exclude = ("content",)


@admin.register(ImportRow)
class ImportRowAdmin(ReadOnly):
    list_display = ("number", "run", "effect", "outcome", "ours", "words")
    list_filter = ("effect", "outcome")
    list_select_related = ("run",)
    raw_id_fields = ("run",)
    search_fields = ("ours", "words", "run__file_name")
    show_full_result_count = False
