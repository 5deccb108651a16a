"""Moving a subscription to another contract: where to, from when, both lines in money, and the confirmation."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, replace
from datetime import date
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from connections.models import MirroredContract
from connections.psa.types import Contract
from mappings import eligibility
from mappings.forms import LARGEST_ID
from mappings.models import CustomerMapping, SubscriptionMapping
from mappings.pickers import MOST_CONTRACTS, Option
from mappings.resolve import contract_of, facts_of
from portal.audit import Actor
from portal.far_side import FarSideError
from portal.htmx import hx_redirect, render_page
from portal.permissions import requires
from syncops.actions import NotPossible, Refused
from syncops.asking import asking
from syncops.ending import billed_on
from syncops.move_preview import MoveFacts, MovePreview, preview_move, read_move, why_not
from syncops.moving import company_of
from syncops.preview import MappingChoice
from syncops.remapping import move_mapping
from syncops.succession_facts import choice_for

LINE = (
    ("zero", "Set the old line to 0 from that day on, once the new one is proved"),
    ("leave", "Leave the old line as it is: Autotask bills it in addition until somebody changes it there"),
)


class MoveForm(forms.Form):
    """Where to, from when, and what becomes of the old line; `adopt` where the contract holds such a line already."""

    contract = forms.TypedChoiceField(coerce=int, widget=forms.RadioSelect, label="Contract")
    day = forms.DateField(label="From", widget=forms.DateInput(attrs={"type": "date"}))
    line = forms.ChoiceField(label="The old line", choices=LINE, widget=forms.RadioSelect)
    adopt = forms.RegexField(r"^(beside|adopt-\d{1,18})$", required=False)
    seen = forms.CharField(required=False, max_length=64)

    def __init__(self, data: Any, options: list[Option], *, first: date, today: date) -> None:
        super().__init__(data, initial={"day": today, "line": "zero"})
        choices = [(one.id, str(one.row.name)) for one in options if not one.reasons and one.id <= LARGEST_ID]
        self.fields["contract"].choices = choices  # type: ignore[attr-defined]
        self.fields["day"].widget.attrs |= {"min": str(first), "max": str(today)}

    @property
    def to_zero(self) -> bool:
        return bool(self.cleaned_data["line"] == "zero")

    @property
    def adopted(self) -> dict[str, Any]:
        adopt = self.cleaned_data["adopt"]
        line_id = int(adopt.removeprefix("adopt-")) if adopt.startswith("adopt-") else None
        return {"adopt_line_id": line_id, "add_beside": adopt == "beside"}


@require_http_methods(["GET", "POST"])
@requires("mappings.map")
def mapping_move(request: HttpRequest, pk: int) -> HttpResponse:
    """Choosing; posted, the preview; posted again with what was seen there, the move."""
    user: Any = request.user
    mine = (
        SubscriptionMapping.objects.open()
        .for_user(user)
        .select_related(
            "connection__organization",
            "subscription__customer",
            "subscription__variant__offer",
            "subscription__organization",
        )
    )
    mapping = get_object_or_404(mine, subscription=pk)
    today = timezone.localdate(timezone=user.organization.zone)
    options = contracts_for(mapping, today)
    form = MoveForm(request.POST or None, options, first=mapping.starts_on or today, today=today)
    if request.method == "GET" or not form.is_valid():
        return _page(request, mapping, form, options, today)
    choice = choice_for(mapping, form.cleaned_data["contract"], **form.adopted)
    if isinstance(choice, str):
        form.add_error(None, choice)
        return _page(request, mapping, form, options, today)
    try:
        with asking(mapping.connection) as psa:
            found = read_move(mapping, choice, psa)
    except FarSideError as error:
        form.add_error(None, f"{error.message} {error.advice} Nothing was changed.")
        return _page(request, mapping, form, options, today, status=503)
    how = {"day": form.cleaned_data["day"], "to_zero": form.to_zero, "today": today}
    seen = preview_move(mapping, choice, found, **how)
    for problem in (seen.problem, *map(str, seen.refusals)):
        if problem:
            form.add_error(None, problem)
    if form.errors:
        return _page(request, mapping, form, options, today)
    digest = digest_of(choice, seen)
    if not seen.can_be_confirmed or form.cleaned_data["seen"] != digest:
        return _preview(request, mapping, choice, found, form, seen, digest)
    try:
        move_mapping(mapping, choice, found, actor=Actor.user(user), now=timezone.now(), **how)
    except (NotPossible, Refused) as error:
        form.add_error(None, str(error))
        return _page(request, mapping, form, options, today)
    messages.success(request, f"It goes on on {choice_name(form)}. Follow it under Operations.")
    return hx_redirect(request, mapping.subscription)


def contracts_for(mapping: SubscriptionMapping, today: date) -> list[Option]:
    """The company's other contracts, judged for a move today; those that can take it first."""
    company = company_of(mapping)
    own = CustomerMapping.objects.filter(
        connection=mapping.connection, customer=mapping.subscription.customer_id
    ).first()
    if own is not None:
        company = replace(company, id=own.company_id, name=own.company_name)
    rows = MirroredContract.objects.filter(connection=mapping.connection, company_remote_id=company.id)
    others = rows.exclude(remote_id=mapping.contract_id).order_by("-ends_on", "remote_id")[:MOST_CONTRACTS]
    facts = replace(
        facts_of(mapping.subscription, mapping.connection, today=today, mapped_before=True), remapped_on=today
    )
    judged = [
        Option(
            contract,
            eligibility.contract_reasons(contract, facts, company=company),
            eligibility.contract_warnings(contract, facts),
        )
        for contract in map(contract_of, others)
    ]
    return sorted(judged, key=lambda one: bool(one.reasons))


def choice_name(form: MoveForm) -> str:
    return str(dict(form.fields["contract"].choices)[form.cleaned_data["contract"]])  # type: ignore[attr-defined]


def digest_of(choice: MappingChoice, seen: MovePreview) -> str:
    """Tells whether what is confirmed is what was shown."""
    lines = [one.as_json() if one else None for one in (seen.put, seen.taken)]
    shown = json.dumps([asdict(choice), str(seen.day), lines, seen.goes_along], default=str, sort_keys=True)
    return hashlib.sha256(shown.encode()).hexdigest()[:24]


def _page(
    request: HttpRequest,
    mapping: SubscriptionMapping,
    form: MoveForm,
    options: list[Option],
    today: date,
    *,
    status: int = 422,
) -> HttpResponse:
    context = {
        "mapping": mapping,
        "form": form,
        "options": [one for one in options if not one.reasons],
        "left_out": [one for one in options if one.reasons],
        "billed": billed_on(mapping, today),
        "problem": why_not(mapping, today, today),
    }
    return render_page(request, "syncops/mapping_move.html", context, status=status if form.errors else 200)


def _preview(
    request: HttpRequest,
    mapping: SubscriptionMapping,
    choice: MappingChoice,
    found: MoveFacts,
    form: MoveForm,
    seen: MovePreview,
    digest: str,
) -> HttpResponse:
    contract: Contract | None = found.there.contract
    context = {
        "mapping": mapping,
        "form": form,
        "seen": seen,
        "contract": contract,
        "service": found.there.service,
        "digest": digest,
        "currency": mapping.connection.currency,
        "changed": bool(form.cleaned_data["seen"]),
        "lines": [(f"adopt-{line.line_id}", line) for line in seen.existing_lines],
        "chosen_line": form.cleaned_data["adopt"],
    }
    status = 422 if form.cleaned_data["seen"] else 200
    return render_page(request, "syncops/mapping_move_preview.html", context, status=status)
