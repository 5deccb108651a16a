"""Leaving units of a subscription out of billing, or all of it, with a reason; and taking them back in."""

from __future__ import annotations

import hashlib
import json
from datetime import date
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST

from mappings.exclusions import StillBilled, leave_out, take_in
from mappings.models import Exclusion, SubscriptionMapping
from portal.audit import Actor
from portal.htmx import hx_redirect, render_page
from portal.models import Subscription
from portal.permissions import requires
from syncops.actions import NotPossible
from syncops.excluding import exclude_units, exclusion_of, money_left_out, preview_exclusion
from syncops.preview import ChangePreview


class ReasonForm(forms.Form):
    """Why, in a person's words; it is shown wherever what was left out is missing."""

    reason = forms.CharField(label="Reason", max_length=300, help_text="Shown on its page and kept in the audit log.")


class ExcludeForm(ReasonForm):
    """How many units are left out, and from when; `seen` is what the preview showed."""

    units = forms.IntegerField(label="Units that are not billed", min_value=0, help_text="0: all are billed again.")
    day = forms.DateField(label="From", widget=forms.DateInput(attrs={"type": "date"}))
    seen = forms.CharField(required=False, max_length=64, widget=forms.HiddenInput)
    field_order = ("units", "day", "reason")

    def __init__(self, data: Any, mapping: SubscriptionMapping, existing: Exclusion | None, today: date) -> None:
        initial = {"units": existing.units if existing else 1, "day": max(today, mapping.starts_on or today)}
        super().__init__(data, initial=initial)
        most = mapping.subscription.quantity
        units: Any = self.fields["units"]
        units.max_value = most
        units.validators.append(_at_most(most))
        units.widget.attrs["max"] = most
        self.fields["reason"].required = not (data and data.get("units") == "0")


@require_http_methods(["GET", "POST"])
@requires("mappings.map")
def subscription_exclude(request: HttpRequest, pk: int) -> HttpResponse:
    """Choosing; posted, the preview; posted again with what was seen there, the change."""
    user: Any = request.user
    mine = SubscriptionMapping.objects.open().for_user(user)
    related = ("connection__organization", "subscription__customer", "subscription__variant__offer")
    mapping = get_object_or_404(mine.select_related(*related), subscription=pk)
    existing, today = exclusion_of(mapping.subscription), timezone.localdate(timezone=user.organization.zone)
    form = ExcludeForm(request.POST or None, mapping, existing, today)
    context: dict[str, Any] = {"mapping": mapping, "form": form, "existing": existing}
    if existing:
        context["amount"] = money_left_out(mapping, existing, today)
    if request.method == "GET" or not form.is_valid():
        return _page(request, context, 422 if form.errors else 200)
    units, day = form.cleaned_data["units"], form.cleaned_data["day"]
    seen = preview_exclusion(mapping, units, day, today=today)
    digest = _digest(units, day, seen)
    if seen.problem:
        form.add_error(None, seen.problem)
        return _page(request, context, 422)
    if form.cleaned_data["seen"] != digest:
        changed = bool(form.cleaned_data["seen"])
        shown = {"preview": seen, "digest": digest, "units": units, "day": day, "changed": changed}
        return _page(request, context | shown, 422 if changed else 200)
    try:
        why = form.cleaned_data["reason"]
        exclude_units(mapping, units=units, day=day, why=why, actor=Actor.user(user), now=timezone.now(), seen=seen)
    except NotPossible as error:
        form.add_error(None, str(error))
        return _page(request, context, 422)
    done = (
        f"{units} unit{'s are' if units != 1 else ' is'} left out." if units else "All of its units are billed again."
    )
    messages.success(request, done)
    return hx_redirect(request, mapping.subscription)


@require_http_methods(["GET", "POST"])
@requires("mappings.map")
def subscription_leave_out(request: HttpRequest, pk: int) -> HttpResponse:
    """Leave a subscription out that is not mapped: nobody maps it until it is taken in again."""
    subscription = _subscription_or_404(request, pk)
    form = ReasonForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            leave_out(subscription, why=form.cleaned_data["reason"], **_who(request))
            messages.success(request, "It is left out, and nobody maps it until it is taken in again.")
            return hx_redirect(request, subscription)
        except StillBilled as error:
            form.add_error(None, str(error))
    context = {"subscription": subscription, "form": form}
    return render_page(request, "syncops/subscription_leave_out.html", context, status=422 if form.errors else 200)


@require_POST
@requires("mappings.map")
def subscription_take_in(request: HttpRequest, pk: int) -> HttpResponse:
    """It may be mapped again."""
    subscription = _subscription_or_404(request, pk)
    take_in(subscription, **_who(request))
    messages.success(request, "It is taken in again and may be mapped.")
    return hx_redirect(request, subscription)


def _page(request: HttpRequest, context: dict[str, Any], status: int) -> HttpResponse:
    return render_page(request, "syncops/subscription_exclude.html", context, status=status)


def _subscription_or_404(request: HttpRequest, pk: int) -> Subscription:
    user: Any = request.user
    owned = Subscription.objects.owned_by(user.organization).select_related("customer", "organization")
    return get_object_or_404(owned, pk=pk)


def _who(request: HttpRequest) -> dict[str, Any]:
    user: Any = request.user
    now, zone = timezone.now(), user.organization.zone
    return {"actor": Actor.user(user), "today": timezone.localdate(now, timezone=zone), "now": now}


def _digest(units: int, day: date, seen: ChangePreview) -> str:
    """Tells whether what is confirmed is what was shown."""
    shown = json.dumps([units, str(day), seen.as_json()], sort_keys=True)
    return hashlib.sha256(shown.encode()).hexdigest()[:24]


def _at_most(most: int) -> Any:
    def check(value: int) -> None:
        if value > most:
            raise forms.ValidationError(f"The subscription has {most} units. Leave out at most as many.")

    return check
