"""Customers: whom the organization sells to."""

from collections.abc import Sequence
from typing import Any

from django.db.models import Count
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.views.decorators.http import require_GET

from portal.filters.customers import CustomerFilter
from portal.htmx import render_page
from portal.models import Customer, Order, Subscription
from portal.paging import page_of
from portal.panels import badges_for
from portal.permissions import allowed, requires
from portal.views.rows import with_badges

SHOWN = 50  # of a customer's subscriptions, before the full list is offered
LATEST_ORDERS = 5


@require_GET
@requires("portal.read")
def customer_list(request: HttpRequest) -> HttpResponse:
    filters = CustomerFilter(request, Customer.objects.for_user(request.user).select_related("organization"))
    page = page_of(request, filters.qs, order=("name", "pk"))
    counts, badges = billed_subscriptions(page.ids), badges_for("customer", page.ids)
    for customer in page.rows:
        customer.billed, customer.badges = counts.get(customer.pk, 0), badges.get(customer.pk, [])
    return render_page(request, "portal/customer_list.html", {"filter": filters, "page": page}, fragment="table")


def billed_subscriptions(ids: Sequence[int]) -> dict[int, int]:
    """How many active or suspended subscriptions each customer has."""
    billed = Subscription.objects.filter(customer__in=ids, status__in=Subscription.BILLED)
    return dict(billed.order_by().values_list("customer").annotate(Count("pk")))


@require_GET
@requires("portal.read")
def customer_detail(request: HttpRequest, pk: int) -> HttpResponse:
    mine = Customer.objects.for_user(request.user).select_related("organization")
    customer = get_object_or_404(mine, pk=pk)
    subscriptions = Subscription.objects.filter(customer=customer).select_related("variant__offer")[: SHOWN + 1]
    orders = Order.objects.filter(customer=customer).submitted().select_related("created_by")
    context: dict[str, Any] = {
        "customer": customer,
        "subscriptions": with_badges(list(subscriptions)[:SHOWN]),
        "has_more": len(subscriptions) > SHOWN,
        "orders": orders[:LATEST_ORDERS],
        "may_order": allowed(request.user, "portal.order"),
        "may_audit": allowed(request.user, "portal.audit"),
    }
    return render_page(request, "portal/customer_detail.html", context)
