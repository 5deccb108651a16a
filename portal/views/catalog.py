"""The catalogue: what can be bought for a customer, at which price."""

from datetime import date
from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods

from portal.actions.carts import add_to_cart, cart_of, charged
from portal.actions.prices import priced_variants
from portal.commitments import cancellation, per_period
from portal.filters.catalog import CatalogFilter
from portal.forms.quantities import QuantityForm
from portal.htmx import hx_redirect, render_page
from portal.models import Customer, OfferVariant
from portal.paging import page_of
from portal.permissions import requires


@require_GET
@requires("portal.order")
def catalog(request: HttpRequest, pk: int) -> HttpResponse:
    customer = customer_of(request, pk)
    user: Any = request.user
    variants = OfferVariant.objects.for_user(user).purchasable().select_related("offer")
    filters = CatalogFilter(request, variants)
    page = page_of(request, filters.qs, order=("search_text", "pk"))
    with_prices(page.rows, customer, user)
    cart = cart_of(customer, user)
    context = {"customer": customer, "filter": filters, "page": page, "cart": cart, "currency": currency_of(customer)}
    return render_page(request, "portal/catalog.html", context, fragment="table")


@require_http_methods(["GET", "POST"])
@requires("portal.order")
def cart_add(request: HttpRequest, pk: int) -> HttpResponse:
    """One variant of the catalogue: how many of it."""
    customer = customer_of(request, pk)
    user: Any = request.user
    variant = variant_of(request, (request.POST if request.method == "POST" else request.GET).get("variant", ""))
    form = QuantityForm(
        variant, request.POST if request.method == "POST" else None, initial={"quantity": variant.minimum_quantity}
    )
    if form.is_valid():
        try:
            line = add_to_cart(customer, variant, quantity=form.quantity, user=user, today=today_of(customer))
        except ValidationError as refusal:
            form.add_error("quantity", refusal)
        else:
            messages.success(request, f"In the cart: {line.quantity:,} × {variant}.")
            return hx_redirect(request, "portal:cart", line.order_id)
    with_prices([variant], customer, user)
    context = {
        "customer": customer,
        "variant": variant,
        "form": form,
        "currency": currency_of(customer),
        "cart": cart_of(customer, user),
        "cancellation": cancellation(variant.offer.category),
    }
    return render_page(request, "portal/cart_add.html", context, status=422 if form.is_bound else 200)


def customer_of(request: HttpRequest, pk: int) -> Customer:
    """The customer, where the person may see it."""
    mine = Customer.objects.for_user(request.user).select_related("organization__parent")
    return get_object_or_404(mine, pk=pk)


def variant_of(request: HttpRequest, pk: str) -> OfferVariant:
    """The variant of the person's catalogue with this id, as it came from outside."""
    if not (pk.isascii() and pk.isdigit() and len(pk) < 19):
        raise Http404("No such offer.")
    return get_object_or_404(OfferVariant.objects.for_user(request.user).select_related("offer"), pk=int(pk))


def with_prices(variants: list[Any], customer: Customer, user: Any) -> None:
    """Give each variant its `price` (None without one), the `unit` that is charged, and `per` which period."""
    prices = priced_variants(customer.organization, customer, variants, today_of(customer))
    for variant in variants:
        variant.price = prices.get(variant.pk)
        variant.unit = charged(variant.price, customer.organization_id, user) if variant.price else None
        variant.per = per_period(variant.billing)


def today_of(customer: Customer) -> date:
    """Today where the customer's organization is."""
    return timezone.now().astimezone(customer.organization.zone).date()


def currency_of(customer: Customer) -> str:
    return customer.organization.currency
