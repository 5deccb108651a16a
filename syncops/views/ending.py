"""Removing the mapping of a subscription: what stays billed, and what becomes of it."""

from __future__ import annotations

from datetime import date
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from mappings.models import SubscriptionMapping
from portal.audit import Actor
from portal.htmx import hx_redirect, render_page
from portal.permissions import requires
from syncops.actions import NotPossible
from syncops.ending import billed_on, end_mapping, why_not

LINE = (
    ("zero", "Set its line to 0 in Autotask from that day on"),
    ("leave", "Leave its line as it is: Autotask goes on billing it until somebody changes it there"),
)


class EndForm(forms.Form):
    """From when the subscription is not billed here any more, and what becomes of its line."""

    day = forms.DateField(label="From", widget=forms.DateInput(attrs={"type": "date"}))
    line = forms.ChoiceField(label="What becomes of the line", choices=LINE, widget=forms.RadioSelect)

    def __init__(self, data: Any, *, first: date, today: date) -> None:
        super().__init__(data, initial={"day": today, "line": "zero"})
        self.fields["day"].widget.attrs |= {"min": str(first), "max": str(today)}


@require_http_methods(["GET", "POST"])
@requires("mappings.map")
def mapping_end(request: HttpRequest, pk: int) -> HttpResponse:
    """What Autotask bills for it now; posted, the mapping ends."""
    user: Any = request.user
    mine = SubscriptionMapping.objects.open().for_user(user).select_related("connection__organization")
    mapping = get_object_or_404(mine.select_related("subscription__customer"), subscription=pk)
    today = timezone.localdate(timezone=user.organization.zone)
    form = EndForm(request.POST or None, first=mapping.starts_on or today, today=today)
    if form.is_valid():
        day, to_zero = form.cleaned_data["day"], form.cleaned_data["line"] == "zero"
        try:
            end_mapping(mapping, day=day, set_to_zero=to_zero, actor=Actor.user(user), today=today, now=timezone.now())
        except NotPossible as error:
            form.add_error(None, str(error))
        else:
            messages.success(request, _words(mapping, to_zero))
            return hx_redirect(request, mapping.subscription)
    context = {"mapping": mapping, "form": form, "billed": billed_on(mapping, today), "problem": why_not(mapping)}
    return render_page(request, "syncops/mapping_end.html", context, status=422 if form.errors else 200)


def _words(mapping: SubscriptionMapping, to_zero: bool) -> str:
    if to_zero and mapping.line_id:
        return "The mapping is removed. Its line is set to 0 in Autotask; follow that under Operations."
    return f"The mapping is removed. Nothing was changed in Autotask: {mapping.contract_name} stays as it is."
