"""Orders: submitted once, taken to Microsoft step by step in the background, looked at by a person where they stop."""

from datetime import date, datetime

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import F

from portal.actions import order_endings, order_steps
from portal.actions.carts import CartQuote, QuotedLine, line_prices, quote
from portal.audit import Actor, record
from portal.folding import folded
from portal.models import AuditEntry, Order, OrderLine, Subscription, User
from portal.queue import enqueue

ADVANCE = "portal.tasks.advance_order"
CHECK_ORDER = "Check Order"


def submit_order(order: Order, *, seen: str, actor: User, now: datetime) -> bool:
    """Turn the cart into an order, with a pending subscription per line, and send it in the background.

    `seen` is the fingerprint of the quote that the person agreed to. False where it is submitted already: of two clicks
    one wins. Raises ValidationError, with the reason in words, where the cart cannot be bought or is not what was seen.
    """
    today = now.astimezone(order.organization.zone).date()
    with transaction.atomic():
        won = Order.objects.filter(pk=order.pk, state=Order.State.CART).update(
            state=Order.State.SUBMITTED, submitted_at=now, due_at=now
        )
        if not won:
            return False
        quoted = quote(order, today)
        if not quoted.can_be_bought:
            raise ValidationError("This cart cannot be bought as it is. Mend or remove what is marked.")
        if quoted.fingerprint != seen:
            raise ValidationError("The cart or its prices have changed meanwhile. Look again before you submit.")
        for line in quoted.lines:
            _buy(order, line, today)
        _begin_audit(order, quoted, actor, now)
        enqueue(ADVANCE, order.pk)
    return True


def _buy(order: Order, quoted: QuotedLine, today: date) -> None:
    """The subscription that the line is going to be, with the prices agreed to."""
    line, price = quoted.line, quoted.price
    if price is None:
        raise ValidationError("A line without a price cannot be bought.")
    title = line.variant.offer.title
    name = line.friendly_name or title
    subscription = Subscription.objects.create(
        organization=order.organization,
        customer=order.customer,
        variant=line.variant,
        friendly_name=name,
        quantity=line.quantity,
        status=Subscription.Status.PENDING,
        currency=order.currency,
        list_price=price.list_price,
        erp=price.erp,
        promotion_id=price.promotion.id if price.promotion else None,
        created_on=today,
        search_text=folded(name, title),
    )
    OrderLine.objects.filter(pk=line.pk).update(subscription=subscription, **line_prices(price))


def _begin_audit(order: Order, quoted: CartQuote, actor: User, now: datetime) -> None:
    record(
        order_endings.CREATE_ORDER,
        actor=Actor.user(actor),
        organization=order.organization,
        status=AuditEntry.Status.IN_PROGRESS,
        subject=f"{order} for {order.customer}",
        customer=order.customer,
        asked={
            "order": order.number,
            "currency": order.currency,
            "lines": [
                {
                    "offer": str(line.line.variant),
                    "catalog_item_id": line.line.variant.catalog_item_id,
                    "quantity": line.line.quantity,
                    "unit_price": line.price and line.price.unit_price,
                }
                for line in quoted.lines
            ],
        },
        correlation_id=order.correlation_id,
        at=now,
    )


def advance_order(order_id: int, now: datetime) -> bool:
    """Take the order one step further; False where it is not due or another worker has it."""
    step = order_steps.claim(order_id, now)
    if step is None:
        return False
    order_steps.take(step, now)
    return True


def resume_order(order: Order, *, actor: User, now: datetime) -> bool:
    """Let a stopped order go on where it stopped; False where it is not stopped."""
    with transaction.atomic():
        resumed = Order.objects.stalled().filter(pk=order.pk).update(due_at=now, attempts=0, error="", advice="") == 1
        if resumed:
            record(
                CHECK_ORDER,
                actor=Actor.user(actor),
                organization=order.organization,
                subject=f"{order} for {order.customer}",
                customer=order.customer,
                correlation_id=order.correlation_id,
                at=now,
            )
            enqueue(ADVANCE, order.pk)
    return resumed


def give_up_order(order: Order, *, actor: User, now: datetime) -> bool:
    """End a stopped order of which surely nothing was bought; False where that is not so."""
    with transaction.atomic():
        ended = (
            Order.objects.stalled()
            .filter(pk=order.pk, state=Order.State.SUBMITTED)
            .update(state=Order.State.FAILED, finished_at=now, fence=F("fence") + 1)
        )
        if ended:
            order_endings.hold_subscriptions(order)
            order_endings.fail_lines(order, order_endings.open_lines(order), f"{actor} gave the order up.", now=now)
            order_endings.end_audit(order, AuditEntry.Status.FAILED, {"given_up_by": actor.email}, now)
    return bool(ended)
