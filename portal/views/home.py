"""The first page: what needs a person, what is on its way, what was bought lately."""

from datetime import timedelta
from typing import Any

from django.db.models import Count, F, QuerySet, Sum
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_GET

from portal.htmx import render_page
from portal.models import Customer, OfferVariant, Order, OrderLine
from portal.needs import needs_of
from portal.permissions import allowed, requires

LATEST = 6
MONTH = timedelta(days=30)
MANY = 99  # counts stop here, so that the page is as quick with a million rows


@require_GET
@requires("portal.read")
def home(request: HttpRequest) -> HttpResponse:
    user: Any = request.user
    now = timezone.now()
    orders = Order.objects.for_user(user).submitted()
    latest = orders.select_related("customer").annotate(line_count=Count("lines")).order_by("-pk")
    context = {
        "needs": needs_of(user, now),
        "latest": latest[:LATEST],
        "open_orders": at_most(orders.filter(state__in=Order.OPEN)),
        "customers": at_most(Customer.objects.for_user(user)),
        "many": MANY,
        "bought": bought(OrderLine.objects.filter(order__organization=user.organization), since=now - MONTH),
        "may_connect": allowed(user, "connections.manage"),
        "may_audit": allowed(user, "portal.audit"),
    }
    return render_page(request, "portal/home.html", context)


def at_most(rows: QuerySet[Any]) -> int:
    """How many rows there are, counted no further than one past MANY."""
    return rows.order_by()[: MANY + 1].count()


def bought(lines: QuerySet[OrderLine], *, since: Any) -> list[dict[str, Any]]:
    """What was ordered since then, as money per currency and billing frequency, at the customers' prices."""
    sums = (
        lines.filter(order__submitted_at__gte=since)
        .exclude(order__state=Order.State.FAILED)
        .order_by()
        .values("order__currency", "variant__billing")
        .annotate(total=Sum(F("quantity") * F("unit_price")))
        .order_by("order__currency", "-total")
    )
    per = dict(OfferVariant.Billing.choices)
    return [
        {"currency": row["order__currency"], "per": per[row["variant__billing"]].lower(), "total": row["total"]}
        for row in sums
    ]
