"""Sync to Connection: from a subscription to a line on a contract. Every step carries what was chosen in its fields."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, replace
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from connections.models import Connection, MirroredCompany, MirroredContract, MirroredService
from mappings import eligibility, pickers
from mappings.actions import refuse_mapping
from mappings.forms import CHOICES, SINCE, ChoiceForm, number, search_of
from mappings.models import SubscriptionMapping
from mappings.pickers import Picker, Scope
from mappings.reasons import Reason, reason
from mappings.resolve import company_for, company_of, facts_of, open_mapping, service_for
from mappings.views.pickers import scope_or_404
from portal.audit import Actor
from portal.far_side import FarSideError
from portal.htmx import hx_redirect, render_page
from portal.models import Subscription
from portal.permissions import requires
from syncops.actions import Refused
from syncops.actions import sync_to_connection as confirm
from syncops.asking import asking
from syncops.bills import difference
from syncops.panels import standing_of
from syncops.preview import Facts, MappingChoice, MappingPreview, preview_mapping, read_facts, there

LANDING = {"open": "Open", "next": "Next period", "future": "Later period", "posted": "Posted already"}


@dataclass(frozen=True, slots=True)
class Weighed:
    """A choice that nothing stands against, with what the PSA says about it now and what it would do."""

    scope: Scope
    choice: MappingChoice
    facts: Facts
    preview: MappingPreview

    @property
    def digest(self) -> str:
        """Tells whether what is confirmed is what was shown."""
        shown = json.dumps([asdict(self.choice), asdict(self.preview)], default=str, sort_keys=True)
        return hashlib.sha256(shown.encode()).hexdigest()[:24]


@require_GET
@requires("mappings.map")
def sync_to_connection(request: HttpRequest, pk: int) -> HttpResponse:
    """Where a mapped subscription stands; for another the choice of the connection, then that of the three fields."""
    subscription = _subscription_or_404(request, pk)
    mapping = open_mapping(subscription)
    if mapping is not None:
        return _mapped_page(request, mapping)
    connections = list(Connection.objects.for_user(request.user).autotask().usable())
    chosen = number(request.GET.get("connection")) or (connections[0].pk if len(connections) == 1 else None)
    if chosen is None:
        return _connections_page(request, subscription, connections)
    scope = scope_or_404(request, connection_id=chosen, subscription_id=pk)
    return _fields_page(request, scope, request.GET)


@require_http_methods(["GET", "POST"])
@requires("mappings.map")
def sync_preview(request: HttpRequest, pk: int) -> HttpResponse:
    """What confirming the choice would write and bill. By its address alone it leads back to the choice."""
    if request.method == "GET":
        return hx_redirect(request, _back_to_fields(pk, request.GET))
    weighed = _weigh(request, pk)
    return weighed if isinstance(weighed, HttpResponse) else _preview_page(request, weighed)


@require_POST
@requires("mappings.map")
def sync_confirm(request: HttpRequest, pk: int) -> HttpResponse:
    """Map the subscription and queue what writes it. The preview is worked out again from what the PSA says now."""
    weighed = _weigh(request, pk)
    if isinstance(weighed, HttpResponse):
        return weighed
    missing, digest = weighed.preview.needs_line_choice, weighed.digest
    if missing or request.POST.get("seen", digest) != digest:
        overtaken = _overtaken(request, weighed.scope.subscription)
        return overtaken or _preview_page(request, weighed, missing=missing, changed=not missing, status=422)
    today, actor = weighed.scope.facts.today, request.user
    try:
        confirm(weighed.choice, weighed.facts, actor=actor, today=today, now=timezone.now())  # type: ignore[arg-type]
    except Refused as refused:
        return _refused(request, weighed.scope, refused.reasons)
    return hx_redirect(request, "syncops:sync_to_connection", pk)


def _weigh(request: HttpRequest, pk: int) -> Weighed | HttpResponse:
    """Check what was posted, first against the mirror, then against the PSA; or the page that says what is wrong."""
    subscription = _subscription_or_404(request, pk)
    if overtaken := _overtaken(request, subscription):
        return overtaken
    scope = _scope_or_refused(request, subscription)
    form = ChoiceForm(request.POST)
    if not form.is_valid():
        return _fields_page(request, scope, request.POST, form=form, status=422)
    choice = MappingChoice(
        connection_id=scope.connection.pk,
        subscription_id=pk,
        company_id=form.cleaned_data["company"],
        service_id=form.cleaned_data["service"],
        contract_id=form.cleaned_data["contract"],
        adopt_line_id=form.adopt_line_id,
        add_beside=form.add_beside,
        since=form.cleaned_data["since"] or "today",
    )
    _must_be_known(request, scope, choice)
    choice = there(choice, scope.variant_id, scope.facts.today)
    try:
        facts = _read(choice, scope.connection)
    except FarSideError as error:
        return _fields_page(request, scope, request.POST, error=error, status=503)
    preview = preview_mapping(choice, facts, today=scope.facts.today)
    if preview.refusals:
        return _refused(request, scope, preview.refusals)
    return Weighed(scope, choice, facts, preview)


def _read(choice: MappingChoice, connection: Connection) -> Facts:
    with asking(connection) as psa:
        return read_facts(choice, psa)


def _subscription_or_404(request: HttpRequest, pk: int) -> Subscription:
    """A subscription that the person's own organization bills; a POST that names another is kept in the audit log."""
    user: Any = request.user
    owned = Subscription.objects.owned_by(user.organization).select_related(
        "customer", "variant__offer", "organization"
    )
    subscription = owned.filter(pk=pk).first()
    if subscription is None:
        raise _not_found(request, "subscription", pk)
    return subscription


def _scope_or_refused(request: HttpRequest, subscription: Subscription) -> Scope:
    posted = number(request.POST.get("connection"))
    try:
        return scope_or_404(request, connection_id=posted or 0, subscription_id=subscription.pk)
    except Http404:
        raise _not_found(request, "connection", posted, subscription=subscription) from None


def _must_be_known(request: HttpRequest, scope: Scope, choice: MappingChoice) -> None:
    """Raise Http404 for a company, service or contract that is not one of this connection's."""
    named: tuple[tuple[str, Any, int], ...] = (
        ("company", MirroredCompany, choice.company_id),
        ("service", MirroredService, choice.service_id),
        ("contract", MirroredContract, choice.contract_id),
    )
    for noun, mirror, remote_id in named:
        if not mirror.objects.filter(connection=scope.connection, remote_id=remote_id).exists():
            raise _not_found(request, noun, remote_id, subscription=scope.subscription, connection=scope.connection)


def _not_found(request: HttpRequest, noun: str, value: int | None, **about: Any) -> Http404:
    """The 404 for what is not theirs; where somebody posted it, the attempt is recorded."""
    if request.method == "POST":
        _record_refusal(request, (reason("not_yours", noun=noun, value=value),), **about)
    return Http404(f"There is no such {noun}.")


def _record_refusal(request: HttpRequest, reasons: tuple[Reason, ...], **about: Any) -> None:
    user: Any = request.user
    asked = {name: request.POST[name] for name in CHOICES if name in request.POST}
    refuse_mapping(
        organization=user.organization,
        asked=asked,
        reasons=reasons,
        actor=Actor.user(user),
        at=timezone.now(),
        **about,
    )


def _refused(request: HttpRequest, scope: Scope, reasons: tuple[Reason, ...]) -> HttpResponse:
    if overtaken := _overtaken(request, scope.subscription):
        return overtaken
    _record_refusal(request, reasons, subscription=scope.subscription, connection=scope.connection)
    return _fields_page(request, scope, request.POST, reasons=reasons, status=422)


def _overtaken(request: HttpRequest, subscription: Subscription) -> HttpResponse | None:
    """The answer where it is mapped, be it since a moment ago. The same choice again is no error: a second click on
    Confirm Sync shows what the first one began.
    """
    mapping = open_mapping(subscription)
    if mapping is None:
        return None
    place = {"connection": mapping.connection_id, "service": mapping.service_id, "contract": mapping.contract_id}
    if any(number(request.POST.get(name)) != value for name, value in place.items()):
        messages.warning(request, f"Nothing was changed: it is mapped to {mapping.contract_name} already.")
    return hx_redirect(request, "syncops:sync_to_connection", mapping.subscription_id)


def _connections_page(request: HttpRequest, subscription: Subscription, connections: list[Connection]) -> HttpResponse:
    today = timezone.localdate(timezone=subscription.organization.zone)
    judged = [(one, eligibility.subscription_reasons(facts_of(subscription, one, today=today))) for one in connections]
    return render_page(
        request, "syncops/sync_to_connection.html", {"subscription": subscription, "connections": judged}
    )


def _fields_page(
    request: HttpRequest,
    scope: Scope,
    data: QueryDict,
    *,
    form: ChoiceForm | None = None,
    reasons: tuple[Reason, ...] = (),
    error: FarSideError | None = None,
    status: int = 200,
) -> HttpResponse:
    """The three fields, with everything that was chosen so far."""
    others = Connection.objects.for_user(request.user).autotask().usable().exclude(pk=scope.connection.pk)
    context = {
        "scope": scope,
        "pickers": _pickers(scope, data),
        "blocked": eligibility.subscription_reasons(scope.facts),
        "line": data.get("line", ""),
        "sinces": SINCE if _was_bought_before(scope) else (),
        "since": data.get("since") or SINCE[0][0],
        "form": form,
        "reasons": reasons,
        "error": error,
        "alone": not others.exists(),
    }
    return render_page(request, "syncops/sync_fields.html", context, status=status)


def _was_bought_before(scope: Scope) -> bool:
    """Whether it is a question from when it is billed: one of today's order is billed from its start."""
    subscription = scope.subscription
    is_pending = subscription.status == Subscription.Status.PENDING
    return bool(subscription.starts_on) and not is_pending and subscription.created_on < scope.facts.today


def _pickers(scope: Scope, data: QueryDict) -> list[Picker]:
    """Company, service and contract; what is mapped or fits is chosen where the person chose nothing yet."""
    company = pickers.company_picker(
        scope, search_of(data, "company"), company_for(scope.subscription, scope.connection, scope.facts)
    )
    service = pickers.service_picker(
        scope, search_of(data, "service"), service_for(scope.subscription, scope.connection, scope.facts)
    )
    row = MirroredCompany.objects.filter(connection=scope.connection, remote_id=company.chosen or -1).first()
    asked = search_of(data, "contract")
    if row is not None:
        asked = replace(asked, carried={**asked.carried, "company": row.remote_id})
    return [company, service, pickers.contract_picker(scope, asked, company_of(row) if row else None)]


def _preview_page(
    request: HttpRequest, weighed: Weighed, *, missing: bool = False, changed: bool = False, status: int = 200
) -> HttpResponse:
    preview = weighed.preview
    context = {
        "scope": weighed.scope,
        "facts": weighed.facts,
        "preview": preview,
        "existing_lines": [(f"adopt-{line.line_id}", line) for line in preview.existing_lines],
        "adjustments": [
            (f"{one.unit_change:+,d}".replace("-", "\u2212"), LANDING.get(one.lands_in, one.lands_in), one)
            for one in preview.adjustments
        ],
        "bills": [(bill, difference(bill.before, bill.after)) for bill in preview.bills],
        "line": request.POST.get("line", ""),
        "since": weighed.choice.since,
        "back": _back_to_fields(weighed.scope.subscription.pk, request.POST),
        "digest": weighed.digest,
        "missing": missing,
        "changed": changed,
    }
    return render_page(request, "syncops/sync_preview.html", context, status=status)


def _mapped_page(request: HttpRequest, mapping: SubscriptionMapping) -> HttpResponse:
    context = {"subscription": mapping.subscription} | standing_of(mapping, request.user)
    return render_page(request, "syncops/sync_started.html", context)


def _back_to_fields(pk: int, data: QueryDict) -> str:
    chosen = {name: data[name] for name in CHOICES if data.get(name)}
    address = reverse("syncops:sync_to_connection", args=[pk])
    return f"{address}?{urlencode(chosen)}" if chosen else address
