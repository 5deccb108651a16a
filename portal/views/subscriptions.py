"""Subscriptions: what customers bought, what it costs, what happened to it."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.views.decorators.http import require_GET

from portal.actions.prices import priced
from portal.filters.subscriptions import SubscriptionFilter
from portal.htmx import render_page
from portal.models import MarginRule, Subscription, SubscriptionChange
from portal.paging import page_of
from portal.permissions import allowed, requires
from portal.views.details import changed_rows
from portal.views.rows import with_badges

LATEST = 10  # changes on a subscription's page; its history shows all


@require_GET
@requires("portal.read")
def subscription_list(request: HttpRequest) -> HttpResponse:
    mine = Subscription.objects.for_user(request.user).select_related("customer", "variant__offer", "organization")
    filters = SubscriptionFilter(request, mine)
    page = page_of(request, filters.qs)
    with_badges(page.rows)
    return render_page(request, "portal/subscription_list.html", {"filter": filters, "page": page}, fragment="table")


@require_GET
@requires("portal.read")
def subscription_detail(request: HttpRequest, pk: int) -> HttpResponse:
    user: Any = request.user
    related = ("customer", "variant__offer", "organization__parent", "promotion", "order_line__order")
    subscription = get_object_or_404(Subscription.objects.for_user(user).select_related(*related), pk=pk)
    price = priced(subscription)
    context = {
        "subscription": subscription,
        "is_own": subscription.organization_id == user.organization_id,
        "price": price,
        "total": price.unit_price * subscription.quantity,
        "margin_url": margin_address(subscription),
        "changes": changes_of(subscription),
        "last_request": subscription.requests.order_by("-pk").first(),
        "may_change": allowed(user, "portal.change_subscription"),
        "may_audit": allowed(user, "portal.audit"),
        "may_set_margin": allowed(user, "portal.margins"),
    }
    return render_page(request, "portal/subscription_detail.html", context)


def changes_of(subscription: Subscription) -> list[SubscriptionChange]:
    """The latest changes, newest first, each with the `lines` that it changed."""
    changes = list(subscription.changes.select_related("actor").order_by("-effective_on", "-pk")[:LATEST])
    for change in changes:
        change.lines = [row for row in changed_rows(change.before, change.after) if row.differs]  # type: ignore[attr-defined]
    return changes


def margin_address(subscription: Subscription) -> str:
    """Where the subscription's own margin is set."""
    rule = MarginRule.objects.filter(subscription=subscription).first()
    return (
        f"{reverse('portal:margin_create')}?subscription={subscription.pk}" if rule is None else rule.get_absolute_url()
    )
