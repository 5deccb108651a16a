"""Margins: how selling prices follow from purchase prices."""

from decimal import Decimal
from itertools import groupby
from typing import Any

from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods

from portal.actions.margin_drafts import MarginDraft
from portal.forms.margins import MarginRuleForm, MarginSettingsForm
from portal.htmx import render_page
from portal.models import MarginRule, MarginSettings, Subscription
from portal.permissions import allowed, requires
from portal.pricing import Rule, Sheet, Terms, sell
from portal.views.margin_preview import previewed

EXAMPLE_LIST, EXAMPLE_ERP = Decimal(10), Decimal("12.50")
LEVELS = ("For everybody", "For resellers", "For one customer or reseller", "For one subscription")
MANY = 500  # rules on the page; more than anybody keeps in view


@require_GET
@requires("portal.read")
def margin_list(request: HttpRequest) -> HttpResponse:
    rules = MarginRule.objects.for_user(request.user).select_related("customer", "reseller", "subscription__customer")
    settings = settings_of(request)
    context = {
        "levels": by_level(list(rules.order_by("category", "pk")[:MANY]), settings),
        "settings": settings,
        "example": {"list": EXAMPLE_LIST, "erp": EXAMPLE_ERP},
        "currency": settings.organization.currency,
        "may_change": allowed(request.user, "portal.margins"),
    }
    return render_page(request, "portal/margins.html", context)


@require_http_methods(["GET", "POST"])
@requires("portal.margins")
def margin_create(request: HttpRequest) -> HttpResponse:
    """A new rule; `?subscription=ID` makes it one for that subscription alone."""
    user: Any = request.user
    rule = MarginRule(organization=user.organization)
    if (wanted := request.GET.get("subscription", "")).isdigit():
        mine = Subscription.objects.for_user(user).owned_by(user.organization)
        rule.subscription = get_object_or_404(mine, pk=wanted, margin_rule__isnull=True)
    return edit(request, rule)


@require_http_methods(["GET", "POST"])
@requires("portal.margins")
def margin_edit(request: HttpRequest, pk: int) -> HttpResponse:
    return edit(request, get_object_or_404(MarginRule.objects.for_user(request.user), pk=pk))


def edit(request: HttpRequest, rule: MarginRule) -> HttpResponse:
    """The form; a valid one leads to what it changes of what is billed, and is saved there."""
    user: Any = request.user
    before = MarginRule.objects.filter(pk=rule.pk).first()
    form = MarginRuleForm(request.POST if request.method == "POST" else None, instance=rule)
    if form.is_valid():
        wanted = form.save(commit=False)
        try:
            wanted.full_clean()
        except ValidationError as refusal:
            form.add_error(None, refusal.messages)
        else:
            return previewed(request, MarginDraft(user.organization, before, wanted))
    status = 422 if form.is_bound else 200
    return render_page(request, "portal/margin_form.html", {"form": form, "rule": rule}, status=status)


@require_http_methods(["GET", "POST"])
@requires("portal.margins")
def margin_remove(request: HttpRequest, pk: int) -> HttpResponse:
    user: Any = request.user
    rule = get_object_or_404(MarginRule.objects.for_user(user), pk=pk)
    if request.method == "POST":
        return previewed(request, MarginDraft(user.organization, rule))
    return render_page(request, "portal/margin_remove.html", {"rule": rule}, fragment="confirm")


@require_http_methods(["GET", "POST"])
@requires("portal.margins")
def margin_settings(request: HttpRequest) -> HttpResponse:
    user: Any = request.user
    form = MarginSettingsForm(request.POST if request.method == "POST" else None, instance=settings_of(request))
    if form.is_valid():
        return previewed(request, MarginDraft(user.organization, settings=form.cleaned_data))
    status = 422 if form.is_bound else 200
    return render_page(request, "portal/margin_settings.html", {"form": form}, status=status)


def settings_of(request: HttpRequest) -> MarginSettings:
    """The organization's settings; the defaults, not saved, where it never chose."""
    organization = request.user.organization  # type: ignore[union-attr]
    found = MarginSettings.objects.filter(organization=organization).first()
    return found or MarginSettings(organization=organization)


def by_level(rules: list[MarginRule], settings: MarginSettings) -> list[tuple[str, list[MarginRule]]]:
    """The rules under a heading per level, the most general first, each with the price of the example."""
    terms = Terms(settings.pass_promotions, settings.markup_limit, settings.discount_limit)
    today = timezone.localdate()
    sheet = Sheet(EXAMPLE_LIST, EXAMPLE_ERP, settings.organization.currency, today)
    for rule in rules:
        rule.example = sell(sheet, Rule(rule.kind, rule.percent), terms).unit_price  # type: ignore[attr-defined,arg-type]
    rules.sort(key=level)
    return [(LEVELS[number], list(found)) for number, found in groupby(rules, key=level)]


def level(rule: MarginRule) -> int:
    if rule.subscription_id:
        return 3
    if rule.customer_id or rule.reseller_id:
        return 2
    return 1 if rule.audience == MarginRule.Audience.RESELLERS else 0
