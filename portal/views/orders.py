"""Orders: what was bought, and how far it is."""

import hashlib
from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from portal.actions.orders import give_up_order, resume_order
from portal.commitments import per_period, totals_by_period
from portal.filters.orders import OrderFilter
from portal.htmx import hx_redirect, render_page, wants_fragment
from portal.models import Order, OrderLine
from portal.paging import page_of
from portal.permissions import allowed, requires


@require_GET
@requires("portal.read")
def order_list(request: HttpRequest) -> HttpResponse:
    mine = Order.objects.for_user(request.user).submitted().select_related("customer", "organization", "created_by")
    filters = OrderFilter(request, mine.prefetch_related("lines__variant__offer"))
    page = page_of(request, filters.qs)
    for order in page.rows:
        with_totals(order, order.lines.all(), request.user)
    return render_page(request, "portal/order_list.html", {"filter": filters, "page": page}, fragment="table")


@require_GET
@requires("portal.read")
def order_detail(request: HttpRequest, pk: int) -> HttpResponse:
    return show(request, pk)


@require_GET
@requires("portal.read")
def order_state(request: HttpRequest, pk: int) -> HttpResponse:
    """The part of the order page that changes; nothing at all (204) while it looks as the page has it."""
    if not wants_fragment(request):
        return hx_redirect(request, "portal:order_detail", pk)
    return show(request, pk, seen=request.GET.get("seen", ""))


@require_POST
@requires("portal.order")
def order_resume(request: HttpRequest, pk: int) -> HttpResponse:
    """Go on with an order that stopped."""
    order = get_object_or_404(Order.objects.for_user(request.user).submitted(), pk=pk)
    user: Any = request.user
    if not resume_order(order, actor=user, now=timezone.now()):
        messages.info(request, "This order is on its way already.")
    return hx_redirect(request, "portal:order_detail", pk)


@require_POST
@requires("portal.order")
def order_give_up(request: HttpRequest, pk: int) -> HttpResponse:
    """End an order that stopped before anything was bought."""
    order = get_object_or_404(Order.objects.for_user(request.user).submitted(), pk=pk)
    user: Any = request.user
    if not give_up_order(order, actor=user, now=timezone.now()):
        messages.error(request, "This order cannot be given up: it is over, on its way, or maybe with Microsoft.")
    return hx_redirect(request, "portal:order_detail", pk)


def show(request: HttpRequest, pk: int, seen: str = "") -> HttpResponse:
    related = ("customer", "organization", "created_by")
    order = get_object_or_404(Order.objects.for_user(request.user).submitted().select_related(*related), pk=pk)
    lines = list(order.lines.select_related("variant__offer", "subscription", "promotion").order_by("pk"))
    look = appearance(order, lines)
    if seen == look:
        return HttpResponse(status=204)
    with_totals(order, lines, request.user)
    for line in lines:
        line.state, line.state_words = line_state(order, line)  # type: ignore[attr-defined]
    user: Any = request.user
    context = {
        "order": order,
        "lines": lines,
        "look": look,
        "is_own": order.organization_id == user.organization_id,
        "may_order": allowed(user, "portal.order"),
        "done": sum(line.state in ("active", "failed") for line in lines),  # type: ignore[attr-defined]
    }
    return render_page(request, "portal/order_detail.html", context, fragment="state")


def with_totals(order: Any, lines: Iterable[Any], user: Any) -> None:
    """Give each line its `unit`, `total` and `per` period, and the order its `totals` by period without what failed.

    The person's organization charges its own customers the price, and its resellers their cost.
    """
    amounts: list[tuple[str, Decimal]] = []
    for line in lines:
        line.unit = line.unit_price if order.organization_id == user.organization_id else line.unit_cost
        line.total = line.unit * line.quantity
        line.per = per_period(line.variant.billing)
        if not line.error:
            amounts.append((line.variant.billing, line.total))
    order.totals = totals_by_period(amounts)


def line_state(order: Order, line: OrderLine) -> tuple[str, str]:
    """Where a line is: a state with a tone of its own, and the words for it."""
    if line.error:
        return "failed", "Failed"
    if line.subscription is not None and line.subscription.external_id:
        return "active", "Provisioned"
    if order.state == Order.State.PROVISIONING:
        return "provisioning", "Being provisioned"
    return "pending", "Waiting"


def appearance(order: Order, lines: Iterable[OrderLine]) -> str:
    """Changes with anything that the order page shows of its state."""
    states = [(line.error, line.subscription and line.subscription.external_id) for line in lines]
    shown = (order.state, order.is_stalled, order.error, order.advice, states)
    return hashlib.sha256(repr(shown).encode()).hexdigest()[:16]
