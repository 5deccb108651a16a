"""Carts: what is about to be bought, and buying it."""

from typing import Any

from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from portal.actions.carts import CartQuote, quote, remove_line, set_line_quantity
from portal.actions.orders import submit_order
from portal.forms.quantities import QuantityForm
from portal.htmx import hx_redirect, render_page
from portal.models import Order, OrderLine
from portal.permissions import requires
from portal.views.catalog import today_of

RELATED = ("customer__organization__parent", "organization__parent", "created_by")


@require_GET
@requires("portal.order")
def cart(request: HttpRequest, pk: int) -> HttpResponse:
    order = order_of(request, pk)
    return show(request, order) if order.state == Order.State.CART else hx_redirect(request, order)


@require_POST
@requires("portal.order")
def cart_line(request: HttpRequest, pk: int) -> HttpResponse:
    """Change how many, or take the line out."""
    carts = Order.objects.carts_of(request.user).select_related(*RELATED)
    line = get_object_or_404(OrderLine.objects.filter(order__in=carts).select_related("variant"), pk=pk)
    order = carts.get(pk=line.order_id)
    if "remove" in request.POST:
        remove_line(line)
        return show_changed(request, order)
    form = line_form(line, request.POST)
    if not form.is_valid():
        return show(request, order, form, status=422)
    set_line_quantity(line, form.quantity)
    return show_changed(request, order)


@require_http_methods(["GET", "POST"])
@requires("portal.order")
def order_submit(request: HttpRequest, pk: int) -> HttpResponse:
    """What will be bought, and what it binds the customer to; POST buys it, once."""
    order = order_of(request, pk)
    user: Any = request.user
    problem = None
    if order.state == Order.State.CART and request.method == "POST":
        try:
            submit_order(order, seen=request.POST.get("seen", ""), actor=user, now=timezone.now())
            return hx_redirect(request, "portal:order_detail", order.pk)
        except ValidationError as refusal:
            problem = refusal.messages[0]
    if order.state != Order.State.CART:
        return hx_redirect(request, order)
    quoted = quote(order, today_of(order.customer))
    if not quoted.lines:
        return hx_redirect(request, "portal:cart", order.pk)
    context = {"order": order, "quote": quoted, "problem": problem, "is_own": is_own(request, order)}
    return render_page(request, "portal/order_submit.html", context, status=422 if problem else 200)


def order_of(request: HttpRequest, pk: int) -> Order:
    """The person's own cart, or an order that they may see: a cart that was submitted meanwhile leads to its order."""
    visible = Order.objects.for_user(request.user)
    seen = visible.submitted() | visible.filter(created_by=request.user.pk)
    return get_object_or_404(seen.select_related(*RELATED), pk=pk)


def show(request: HttpRequest, order: Order, wrong: QuantityForm | None = None, *, status: int = 200) -> HttpResponse:
    quoted = quote(order, today_of(order.customer))
    context = {
        "order": order,
        "quote": quoted,
        "rows": rows_of(quoted, wrong),
        "is_own": is_own(request, order),
    }
    return render_page(request, "portal/cart.html", context, fragment="cart", status=status)


def show_changed(request: HttpRequest, order: Order) -> HttpResponse:
    """The changed cart in place; without HTMX by its own address, so that reloading repeats nothing."""
    return show(request, order) if request.headers.get("HX-Request") else hx_redirect(request, "portal:cart", order.pk)


def rows_of(quoted: CartQuote, wrong: QuantityForm | None) -> list[dict[str, Any]]:
    """The cart's lines, each with its form; the one that was wrong keeps what was typed."""
    forms = [line_form(row.line) for row in quoted.lines]
    return [
        {"quoted": row, "form": wrong if wrong is not None and wrong.prefix == form.prefix else form}
        for row, form in zip(quoted.lines, forms, strict=True)
    ]


def line_form(line: OrderLine, data: Any = None) -> QuantityForm:
    return QuantityForm(line.variant, data, prefix=f"line-{line.pk}", initial={"quantity": line.quantity})


def is_own(request: HttpRequest, order: Order) -> bool:
    """True where the person's organization sells to this customer itself."""
    user: Any = request.user
    return bool(order.organization_id == user.organization_id)
