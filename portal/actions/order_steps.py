"""The steps of an order at Microsoft: cart, checkout, waiting for provisioning. One per claim, outside transactions.

An order is *submitted* while surely nothing was bought, *being placed* from before the checkout is sent until its
answer is known, and *provisioning* once Microsoft has taken it. A checkout whose answer was lost is repeated with the
same request id. From then on a refusal does not tell whether something was bought, so a person looks.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid5

import structlog
from django.db import transaction

from portal import leases
from portal.actions import order_endings
from portal.far_side import FarSideError, OutcomeUnknown, Unavailable
from portal.models import AuditEntry, Order, OrderLine
from portal.provider import Checkout, LineRequest, OrderRequest, ProvisionedLine, provider_for
from portal.queue import enqueue

log = structlog.get_logger(__name__)
State = Order.State
TASK = "portal.tasks.advance_order"


@dataclass(frozen=True, slots=True)
class Step:
    """One claimed step. `in_doubt`: an earlier checkout may have reached Microsoft without our knowing."""

    order: Order
    lines: tuple[OrderLine, ...]
    in_doubt: bool

    @property
    def request(self) -> OrderRequest:
        """What is asked of Microsoft: the lines that are still open, by their numbers on the order."""
        order = self.order
        return OrderRequest(
            customer_external_id=order.customer.external_id,
            lines=tuple(_line_request(number, line) for number, line in self.numbered if order_endings.is_open(line)),
            correlation_id=order.correlation_id,
            partner_id=order.organization.mpn_id if order.organization.parent_id else "",
        )

    @property
    def numbered(self) -> list[tuple[int, OrderLine]]:
        return list(enumerate(self.lines))

    @property
    def nothing_is_bought(self) -> bool:
        return self.order.state == State.SUBMITTED or (self.order.state == State.PLACING and not self.in_doubt)

    def request_id(self, name: str) -> UUID:
        """The idempotency key of one verb of this order."""
        return uuid5(self.order.request_id, name)


def _line_request(number: int, line: OrderLine) -> LineRequest:
    variant = line.variant
    return LineRequest(
        number=number,
        catalog_item_id=variant.catalog_item_id,
        quantity=line.quantity,
        term=variant.term,
        billing=variant.billing,
        friendly_name=line.friendly_name,
        promotion_id=line.promotion.promotion_id if line.promotion else "",
    )


def claim(order_id: int, now: datetime) -> Step | None:
    """Take the order. Before a checkout it is marked as being placed, and that is committed before the first byte."""
    rows = Order.objects.filter(state__in=Order.OPEN)
    with transaction.atomic():
        if not leases.claim(rows, order_id, now):
            return None
        order = Order.objects.select_related("organization__parent", "customer", "created_by").get(pk=order_id)
        in_doubt = order.state == State.PLACING
        if order.state == State.SUBMITTED and order.provider_cart_id:
            order.state = State.PLACING
            rows.filter(pk=order_id).update(state=State.PLACING)
        return Step(order, tuple(order_endings.all_lines(order)), in_doubt)


def take(step: Step, now: datetime) -> None:
    """Do the step at Microsoft and write what came of it."""
    order = step.order
    try:
        if leases.exhausted(order.attempts):
            raise OutcomeUnknown("This step was begun again and again without coming to an end.")
        provider = provider_for(order.organization)
        if order.state == State.SUBMITTED:
            settle_cart(step, provider.create_cart(step.request, request_id=step.request_id("cart")), now)
        elif order.state == State.PLACING:
            request_id = step.request_id("checkout")
            settle_checkout(step, provider.checkout(step.request, order.provider_cart_id, request_id=request_id), now)
        else:
            settle_lines(step, provider.order_state(step.request, order.provider_order_ids), now)
    except FarSideError as error:
        settle_error(step, error, now)


def settle_cart(step: Step, cart_id: str, now: datetime) -> None:
    with transaction.atomic():
        if _settle(step, provider_cart_id=cart_id, due_at=now, attempts=0, error="", advice=""):
            enqueue(TASK, step.order.pk)


def settle_checkout(step: Step, checkout: Checkout, now: datetime) -> None:
    """Microsoft took the cart, or some of it. Refused lines fail at once; the rest is waited for."""
    order, lines = step.order, dict(step.numbered)
    with transaction.atomic():
        won = _settle(
            step,
            state=State.PROVISIONING,
            provider_order_ids=[placed.external_id for placed in checkout.orders],
            due_at=now + timedelta(seconds=leases.FIRST_WAITS[0]),
            attempts=0,
            error="",
            advice="",
        )
        if not won:
            return
        order_endings.hold_subscriptions(order)
        for placed in checkout.orders:
            numbered = [lines[number].pk for number in placed.line_numbers]
            OrderLine.objects.filter(pk__in=numbered).update(provider_order_id=placed.external_id)
        for refused in checkout.refused:
            reason = f"{refused.message} {refused.advice}".strip()
            order_endings.fail_lines(order, [lines[refused.number]], reason, now=now)
        _finish_if_done(step, {"refused": [refused.raw for refused in checkout.refused]}, now)


def settle_lines(step: Step, answers: Sequence[ProvisionedLine], now: datetime) -> None:
    """What Microsoft says about each open line; the order is over when none is open any more."""
    order, lines = step.order, dict(step.numbered)
    with transaction.atomic():
        if not _settle(step, due_at=leases.next_try(order.attempts, now), error="", advice=""):
            return
        order_endings.hold_subscriptions(order)
        for answer in answers:
            line = lines[answer.number]
            if answer.state == "completed" and answer.subscription is not None:
                order_endings.provision_line(order, line, answer.subscription, now=now)
            elif answer.state == "failed":
                reason = f"{answer.message} {answer.advice}".strip() or "Microsoft could not provision this."
                order_endings.fail_lines(order, [line], reason, now=now)
        said = [{"line": a.number, "state": a.state, "said": a.raw} for a in answers]
        if not _finish_if_done(step, {"lines": said}, now):
            _explain_stop(order)


def _finish_if_done(step: Step, answered: dict[str, Any], now: datetime) -> bool:
    """End the order once none of its lines is open. Called inside the settling transaction."""
    order = step.order
    lines = order_endings.all_lines(order)
    if any(order_endings.is_open(line) for line in lines):
        return False
    failed = sum(bool(line.error) for line in lines)
    state = State.COMPLETED if not failed else State.FAILED if failed == len(lines) else State.PARTLY_FAILED
    Order.objects.filter(pk=order.pk).update(state=state, due_at=None, finished_at=now)
    status = AuditEntry.Status.FAILED if failed else AuditEntry.Status.SUCCEEDED
    subscriptions = [order_endings.subscription_of(line).external_id for line in lines if not line.error]
    errors = [line.error for line in lines if line.error]
    order_endings.end_audit(order, status, {**answered, "subscriptions": subscriptions, "errors": errors}, now)
    return True


def _explain_stop(order: Order) -> None:
    """An order that is not asked about any more says so."""
    Order.objects.filter(pk=order.pk, due_at__isnull=True).update(
        error="Microsoft has taken the order but has not provisioned it within two hours.",
        advice="Look at the order in Partner Center. Then check again here; nothing is bought twice by it.",
    )


def settle_error(step: Step, error: FarSideError, now: datetime) -> None:
    """Wait, fail, or stop for a person, by what the error says can be known."""
    order = step.order
    is_transient = isinstance(error, OutcomeUnknown | Unavailable)
    if not is_transient and step.nothing_is_bought:
        _fail(step, error, now)
        return
    back = order.state == State.PLACING and not step.in_doubt and isinstance(error, Unavailable)
    due_at = leases.try_after(error, order.attempts, now) if is_transient else None
    _settle(
        step,
        state=State.SUBMITTED if back else order.state,
        due_at=due_at,
        error=error.message,
        advice=error.advice if due_at else f"{error.advice} Then check again here.".strip(),
    )


def _fail(step: Step, error: FarSideError, now: datetime) -> None:
    order = step.order
    with transaction.atomic():
        if not _settle(
            step, state=State.FAILED, due_at=None, finished_at=now, error=error.message, advice=error.advice
        ):
            return
        order_endings.hold_subscriptions(order)
        order_endings.fail_lines(order, order_endings.open_lines(order), str(error), now=now)
        answered = {"error": error.message, "advice": error.advice, "said": error.raw}
        order_endings.end_audit(order, AuditEntry.Status.FAILED, answered, now)


def _settle(step: Step, **values: Any) -> bool:
    """Write what came of the step; False where another worker has the order meanwhile."""
    if not step.order.may_become(values.get("state", step.order.state)):
        raise ValueError(f"{step.order} cannot go from {step.order.state} to {values['state']}.")
    won = leases.settle(step.order, **values)
    if not won:
        log.warning("order.stale_worker", order=step.order.pk, fence=step.order.fence)
    return won
