"""Having a service or a contract created in the PSA: what will be made, then made, and picked where it was missing."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any, cast

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods

from connections import creations
from connections.models import Connection, Creation, MirroredCompany
from connections.psa.types import ContractRequest, Period, ServiceRequest
from connections.refusals import Refused
from connections.registry import psa_for
from mappings import creating
from mappings.creation_forms import ContractForm, CreationForm, ServiceForm
from mappings.eligibility import PERIOD_LABELS
from mappings.forms import number
from mappings.models import CustomerMapping
from mappings.resolve import company_of, facts_of, offer_facts
from mappings.views.boards import board_or_404
from portal.far_side import FarSideError, Unauthorized
from portal.htmx import hx_redirect, render_page
from portal.models import Customer, OfferVariant, Subscription, VariantPrice
from portal.permissions import requires

Facts = list[tuple[str, Any]]


@dataclass(frozen=True)
class Asked:
    """What one page is about: for whom, on which connection, and where a person goes on afterwards."""

    connection: Connection
    noun: str
    subject: Any
    back: str
    onward: str


@require_http_methods(["GET", "POST"])
@requires("mappings.map")
def service_create(request: HttpRequest, connection_id: int, pk: int) -> HttpResponse:
    """A service for an offer that has none; posted, what will be made; confirmed, made."""
    board = board_or_404(request, connection_id, "offers")
    variant: OfferVariant = get_object_or_404(board.everything(), pk=pk)
    connection, facts = board.connection, offer_facts(variant, board.connection, today=board.today)
    row = reverse("mappings:offer_row", args=[connection_id, pk])
    asked = Asked(connection, "service", variant, row, f"{row}?service={{}}")
    try:
        codes, missing = _ask(connection, "service")
    except FarSideError as error:
        return _page(request, asked, None, problems=[f"{error.message} {error.advice}"], status=503)
    initial = {"name": f"{variant.offer.title}, {variant.terms}"[:150]}
    listed = None if facts.is_azure_plan else _listed(variant, connection, board.today)
    form = ServiceForm(request.POST or None, codes=codes, listed=listed, initial=initial)
    if missing or not form.is_valid():
        return _page(request, asked, form, problems=[missing] if missing else [])
    key = form.cleaned_data["key"] or uuid.uuid4()
    wanted = form.request(facts.period, f"Made by the portal for {variant}"[:300] + f" ({creations.key_text(key)})")
    shown: Facts = [
        ("Service", wanted.name),
        ("Period type", PERIOD_LABELS[wanted.period]),
        ("Billing code", form.code_name),
        ("Unit price", (wanted.unit_price, connection.currency)),
        ("Unit cost", (wanted.unit_cost, connection.currency)),
        ("Description", wanted.note),
    ]
    problems = [str(one) for one in creating.service_refusals(wanted, facts)]
    return _weigh(request, asked, form, key, wanted, shown, problems)


@require_http_methods(["GET", "POST"])
@requires("mappings.map")
def contract_create(request: HttpRequest, connection_id: int, subscription_id: int) -> HttpResponse:
    """A recurring service contract that can bill a subscription; posted, what will be made; confirmed, made."""
    user: Any = request.user
    board = board_or_404(request, connection_id, "customers")
    related = ("customer", "variant__offer", "organization")
    owned = Subscription.objects.owned_by(user.organization).select_related(*related)
    subscription = get_object_or_404(owned, pk=subscription_id)
    connection, facts = board.connection, facts_of(subscription, board.connection, today=board.today)
    sync = f"{reverse('syncops:sync_to_connection', args=[subscription_id])}?connection={connection_id}"
    company = _company(connection, subscription.customer, number(request.GET.get("company")))
    onward = f"{sync}&company={company.remote_id if company else ''}&contract={{}}"
    asked = Asked(connection, "contract", subscription, sync, onward)
    if company is None or not facts.period:
        what = "Map its customer to a company first." if company is None else "Its billing cannot be mapped."
        return _page(request, asked, None, problems=[what])
    try:
        preferences, missing = _ask(connection, "contract")
    except FarSideError as error:
        return _page(request, asked, None, problems=[f"{error.message} {error.advice}"], status=503)
    start = creating.contract_start(facts)
    initial = {
        "name": creating.contract_name(facts.period, azure=facts.is_azure_plan),
        "period": facts.period,
        "starts_on": start,
        "ends_on": creating.contract_end(start, facts),
    }
    form = ContractForm(request.POST or None, preferences=preferences, initial=initial)
    if missing or not form.is_valid():
        return _page(request, asked, form, problems=[missing] if missing else [])
    said = form.cleaned_data
    key = said["key"] or uuid.uuid4()
    period = cast(Period, said["period"])
    wanted = ContractRequest(
        company.remote_id,
        said["name"].strip(),
        period,
        said["starts_on"],
        said["ends_on"],
        creations.key_text(key),
        said["billing"],
    )
    shown: Facts = [
        ("Company", f"{company.name} (#{company.remote_id})"),
        ("Contract", wanted.name),
        ("Type", "Recurring Service"),
        ("Billing period", PERIOD_LABELS[period]),
        ("First day", wanted.starts_on),
        ("Last day", wanted.ends_on),
        ("Billing of time and charges", wanted.billing or "As Autotask does it by itself"),
        ("Status", "Active"),
        ("External contract number", wanted.number),
    ]
    problems = [str(one) for one in creating.contract_refusals(wanted, facts, company_of(company))]
    return _weigh(request, asked, form, key, wanted, shown, problems)


@require_GET
@requires("mappings.map")
def creation_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """What became of it; followed while nobody knows."""
    rows = Creation.objects.for_user(request.user).select_related("connection", "asked_by")
    row = get_object_or_404(rows, pk=pk)
    return render_page(request, "mappings/creation_detail.html", {"row": row}, fragment="state")


def _weigh(
    request: HttpRequest,
    asked: Asked,
    form: CreationForm,
    key: uuid.UUID,
    wanted: ServiceRequest | ContractRequest,
    shown: Facts,
    problems: list[str],
) -> HttpResponse:
    """Show what will be made, or make it where that was pressed; with what stands against it neither."""
    there = creations.same_there(asked.connection, wanted)
    known = Creation.objects.filter(key=key, connection=asked.connection).exists()
    if there is not None and not known:
        problems.append(f"{there.name} is there already (#{there.remote_id}). Choose it, or give this another name.")
    if problems:
        return _page(request, asked, form, problems=problems)
    if not form.cleaned_data["confirmed"]:
        return _page(request, asked, form, shown=shown, key=key)
    try:
        row = creations.create(asked.connection, wanted, key, actor=request.user, clock=timezone.now)  # type: ignore[arg-type]
    except (Refused, Unauthorized) as error:
        return _page(request, asked, form, problems=[str(error)])
    if row.state == Creation.State.MADE:
        messages.success(request, f"{row.name} is created in Autotask (#{row.remote_id}), and chosen below.")
        return hx_redirect(request, asked.onward.format(row.remote_id))
    if row.is_open:
        return hx_redirect(request, "mappings:creation_detail", row.pk)
    return _page(request, asked, form, problems=[f"{row.error} {row.advice} Nothing was created."])


def _page(
    request: HttpRequest,
    asked: Asked,
    form: CreationForm | None,
    *,
    problems: list[str] | None = None,
    shown: Facts | None = None,
    key: uuid.UUID | None = None,
    status: int = 422,
) -> HttpResponse:
    context = {"asked": asked, "form": form, "problems": problems or [], "shown": shown, "key": key}
    wrong = bool(problems) or bool(form and form.errors)
    return render_page(request, "mappings/creation.html", context, status=status if wrong else 200)


def _ask(connection: Connection, noun: Any) -> tuple[Any, str]:
    """What can be chosen, and the right that is missing, in words. Raises the errors of `portal.far_side`."""
    if connection.state == Connection.State.UNAUTHORIZED:
        raise Unauthorized(f"{connection} refuses the credentials that are stored.", "An administrator sets new ones.")
    psa = psa_for(connection)
    missing = psa.missing_right(noun)
    if missing:
        return (), missing
    return (psa.billing_codes(of_services=True) if noun == "service" else psa.billing_preferences()), ""


def _company(connection: Connection, customer: Customer, chosen: int | None) -> MirroredCompany | None:
    """The company that the customer is mapped to; else the one that was chosen on the page before."""
    mapped = CustomerMapping.objects.filter(connection=connection, customer=customer).first()
    remote_id = mapped.company_id if mapped else chosen
    rows = MirroredCompany.objects.filter(connection=connection)
    return rows.filter(remote_id=remote_id).first() if remote_id else None


def _listed(variant: OfferVariant, connection: Connection, today: date) -> tuple[Decimal, Decimal] | None:
    """Microsoft's list and retail price in the connection's currency, where they are known."""
    prices = VariantPrice.objects.filter(variant=variant, currency=connection.currency, valid_from__lte=today)
    price = prices.order_by("-valid_from").first()
    return (price.list_price, price.erp) if price else None
