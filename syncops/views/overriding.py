"""Billing an offer as another service on one contract: which one, from when, every line in money, and the yes."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from connections.psa.types import Service
from mappings.models import SubscriptionMapping
from portal.audit import Actor
from portal.far_side import FarSideError
from portal.htmx import hx_redirect, render_page
from portal.permissions import requires
from syncops import overriding
from syncops.actions import NotPossible, Refused
from syncops.asking import asking
from syncops.move_preview import MovePreview
from syncops.overriding import Asked, bill_as, eligible, mapped_service, open_override

LISTED = 20


class OverrideForm(forms.Form):
    """Which service, from when and why; `seen` is what the preview showed."""

    service = forms.IntegerField(widget=forms.HiddenInput, error_messages={"required": "Choose a service."})
    day = forms.DateField(label="From", widget=forms.DateInput(attrs={"type": "date"}))
    reason = forms.CharField(label="Reason", max_length=300, help_text="Shown on its page and kept in the audit log.")
    beside = forms.BooleanField(
        label="Add a line beside one of that service that is on the contract already", required=False
    )
    seen = forms.CharField(required=False, max_length=64, widget=forms.HiddenInput)


@require_http_methods(["GET", "POST"])
@requires("mappings.map")
def contract_service(request: HttpRequest, pk: int) -> HttpResponse:
    """Choosing; posted, the preview; posted again with what was seen there, the change."""
    user: Any = request.user
    mine = SubscriptionMapping.objects.open().for_user(user).select_related(*overriding.RELATED)
    mapping = get_object_or_404(mine, subscription=pk)
    today, now = timezone.localdate(timezone=user.organization.zone), timezone.now()
    text = (request.GET.get("q") or request.POST.get("q") or "")[:100]
    form = OverrideForm(request.POST or None, initial={"day": today})
    services = _services(mapping, text, today, form["service"].value() if form.is_bound else None)
    context: dict[str, Any] = {
        "mapping": mapping,
        "form": form,
        "services": services,
        "q": text,
        "held": open_override(mapping),
        "mapped": mapped_service(mapping),
    }
    service = _chosen(form, services) if request.method == "POST" else None
    if service is None:
        return _page(request, context)
    how = {"day": form.cleaned_data["day"], "why": form.cleaned_data["reason"], "beside": form.cleaned_data["beside"]}
    asked = Asked(mapping, service, **how)
    try:
        with asking(mapping.connection) as psa:
            moving = overriding.read(asked, psa)
    except FarSideError as error:
        form.add_error(None, f"{error.message} {error.advice} Nothing was changed.")
        return _page(request, context, 503)
    if problem := overriding.why_not(asked):
        form.add_error(None, problem)
        return _page(request, context)
    seen = overriding.preview(asked, moving, today=today, now=now)
    for problem in (*overriding.refusals(seen), *_lines_there(seen, service)):
        form.add_error(None, problem)
    if form.errors:
        return _page(request, context)
    digest = _digest(asked, seen)
    if form.cleaned_data["seen"] != digest:
        changed = bool(form.cleaned_data["seen"])
        return _page(request, context | {"seen": seen, "digest": digest, "service": service, "changed": changed})
    try:
        bill_as(asked, moving, actor=Actor.user(user), today=today, now=now)
    except (NotPossible, Refused) as error:
        form.add_error(None, str(error))
        return _page(request, context)
    messages.success(request, f"It is billed as {service.name} from then on. Follow it under Operations.")
    return hx_redirect(request, mapping.subscription)


def _services(mapping: SubscriptionMapping, text: str, today: Any, chosen: Any) -> list[Service]:
    """What may be chosen: what the search finds, and what was chosen before it."""
    found = eligible(mapping, text, today, LISTED)
    if chosen and not any(str(one.id) == str(chosen) for one in found):
        found = [one for one in eligible(mapping, "", today, 10_000) if str(one.id) == str(chosen)] + found
    return found


def _chosen(form: OverrideForm, services: list[Service]) -> Service | None:
    """The service that was posted, where everything else could be read."""
    if not form.is_valid():
        return None
    chosen = next((one for one in services if one.id == form.cleaned_data["service"]), None)
    if chosen is None:
        form.add_error("service", "That service cannot bill it. Choose one of the list.")
    return chosen


def _lines_there(seen: list[MovePreview], service: Service) -> list[str]:
    if not any(one.needs_line_choice for one in seen):
        return []
    return [f"The contract holds a line of {service.name} already. Tick the box to add another beside it."]


def _page(request: HttpRequest, context: dict[str, Any], status: int = 422) -> HttpResponse:
    wrong = context["form"].errors or context.get("changed")
    return render_page(request, "syncops/contract_service.html", context, status=status if wrong else 200)


def _digest(asked: Asked, seen: list[MovePreview]) -> str:
    """Tells whether what is confirmed is what was shown."""
    lines = [[one.put.as_json() if one.put else None, one.taken.as_json() if one.taken else None] for one in seen]
    shown = json.dumps([asked.service.id, str(asked.day), asked.beside, lines], sort_keys=True)
    return hashlib.sha256(shown.encode()).hexdigest()[:24]
