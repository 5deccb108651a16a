"""Changing how many of a subscription there are."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from portal.actions.carts import charged
from portal.actions.prices import priced
from portal.actions.subscriptions import quantity_problem, request_quantity, resume_request, seats_problem
from portal.commitments import cancellation, per_period
from portal.forms.quantities import QuantityForm
from portal.htmx import hx_redirect, render_page, wants_fragment
from portal.models import Subscription, SubscriptionRequest
from portal.permissions import requires

RELATED = ("customer", "variant__offer", "organization__parent", "promotion")


@dataclass(frozen=True, slots=True)
class Preview:
    """What a new quantity costs. `request` is unsaved: what the higher apps' panels preview."""

    request: SubscriptionRequest
    quantity: int
    unit: Decimal
    before: Decimal
    after: Decimal
    currency: str
    per: str

    @property
    def difference(self) -> Decimal:
        return self.after - self.before


@require_http_methods(["GET", "POST"])
@requires("portal.change_subscription")
def subscription_quantity(request: HttpRequest, pk: int) -> HttpResponse:
    """How many there shall be: GET with a quantity previews it, POST asks Microsoft for it."""
    subscription = subscription_of(request, pk)
    form = form_of(subscription, request)
    if request.method == "POST" and form.is_valid():
        user: Any = request.user
        shown = request.POST.get("shown", "").replace("\x00", "")
        try:
            request_quantity(subscription, quantity=form.quantity, actor=user, now=timezone.now(), shown=shown)
            return hx_redirect(request, "portal:subscription_quantity", pk)
        except ValidationError as refusal:
            form.add_error("quantity", refusal)
    return show(request, subscription, form)


@require_GET
@requires("portal.change_subscription")
def quantity_state(request: HttpRequest, pk: int) -> HttpResponse:
    """How far the last change is; nothing at all (204) while it looks as the page has it."""
    if not wants_fragment(request):
        return hx_redirect(request, "portal:subscription_quantity", pk)
    subscription = subscription_of(request, pk)
    last = subscription.requests.order_by("-pk").first()
    if last is not None and request.GET.get("seen") == appearance(last):
        return HttpResponse(status=204)
    if last is None or not last.is_open:
        return hx_redirect(request, "portal:subscription_quantity", pk)
    context = {"subscription": subscription, "last": last, "look": appearance(last)}
    return render_page(request, "portal/subscription_quantity.html", context, fragment="state")


@require_POST
@requires("portal.change_subscription")
def quantity_resume(request: HttpRequest, pk: int) -> HttpResponse:
    """Go on with a change that stopped."""
    for stopped in subscription_of(request, pk).requests.filter(state__in=SubscriptionRequest.OPEN):
        resume_request(stopped, now=timezone.now())
    return hx_redirect(request, "portal:subscription_quantity", pk)


def subscription_of(request: HttpRequest, pk: int) -> Subscription:
    mine = Subscription.objects.for_user(request.user).select_related(*RELATED)
    return get_object_or_404(mine, pk=pk)


def form_of(subscription: Subscription, request: HttpRequest) -> QuantityForm:
    """Bound by a POST, and by a GET that names a quantity to preview."""
    data = request.POST if request.method == "POST" else request.GET if "quantity" in request.GET else None
    initial = {"quantity": subscription.quantity}
    return QuantityForm(subscription.variant, data, label="New quantity", initial=initial)


def show(request: HttpRequest, subscription: Subscription, form: QuantityForm) -> HttpResponse:
    last = subscription.requests.order_by("-pk").first()
    preview = preview_of(request, subscription, form) if form.is_bound and form.is_valid() else None
    context = {
        "subscription": subscription,
        "form": form,
        "last": last,
        "look": appearance(last) if last else "",
        "problem": seats_problem(subscription),
        "preview": preview,
        "cancellation": cancellation(subscription.variant.offer.category),
    }
    status = 422 if request.method == "POST" else 200
    return render_page(request, "portal/subscription_quantity.html", context, fragment="preview", status=status)


def preview_of(request: HttpRequest, subscription: Subscription, form: QuantityForm) -> Preview | None:
    """What the quantity in the form costs; None, with the reason on the form, where it cannot be had."""
    if problem := quantity_problem(subscription, form.quantity):
        form.add_error("quantity", problem)
        return None
    price = priced(subscription)
    user: Any = request.user
    unit = charged(price, subscription.organization_id, user)
    wanted = SubscriptionRequest(subscription=subscription, kind="quantity", wanted={"quantity": form.quantity})
    return Preview(
        request=wanted,
        quantity=form.quantity,
        unit=unit,
        before=unit * subscription.quantity,
        after=unit * form.quantity,
        currency=price.currency,
        per=per_period(subscription.variant.billing),
    )


def appearance(request: SubscriptionRequest) -> str:
    """Changes with anything that the page shows of a request."""
    return f"{request.pk}-{request.state}-{request.is_stalled}-{bool(request.error)}"
