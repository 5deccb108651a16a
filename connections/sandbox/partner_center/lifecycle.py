"""What time alone does to a subscription: provisioning ends, changes become visible, terms renew or run out."""

from dataclasses import replace
from datetime import datetime, timedelta

from . import documents, terms
from .subscription import Subscription

EXPIRED_FOR = timedelta(days=30)
DISABLED_FOR = timedelta(days=90)


def settled(subscription: Subscription, now: datetime) -> Subscription:
    """The subscription as it stands at `now`. Each step is taken at most once, the oldest first."""
    while True:
        later = _next_step(subscription, now)
        if later is None:
            return subscription
        subscription = later


def _next_step(held: Subscription, now: datetime) -> Subscription | None:
    if held.activates and held.activates <= now and held.status == "pending":
        return replace(held.changed(status="active"), activates=None)
    if held.pending and held.pending.due <= now:
        return replace(held, document=held.pending.document, batches=held.pending.batches, pending=None)
    if "commitmentEndDate" not in held.document or not held.is_licence:
        return None
    over = terms.at_midnight(terms.day_of(held.document["commitmentEndDate"]) + timedelta(days=1))
    match held.status:
        case "active" if over <= now:
            return _renewed(held, over) if held.document["autoRenewEnabled"] else held.changed(status="expired")
        case "suspended" if over <= now:
            return held.changed(status="disabled")
        case "expired" if over + EXPIRED_FOR <= now:
            return held.changed(status="disabled", autoRenewEnabled=False)
        case "disabled" if over + EXPIRED_FOR + DISABLED_FOR <= now:
            return held.changed(status="deleted")
    return _next_cycle(held, now)


def _renewed(held: Subscription, start: datetime) -> Subscription:
    """A new term on the scheduled (or the same) plan and quantity; every seat may be given back for seven days."""
    scheduled = held.document.get("scheduledNextTermInstructions") or {}
    product = scheduled.get("product") or {}
    term = product.get("termDuration") or held.document["termDuration"]
    cycle = str(product.get("billingCycle") or held.document["billingCycle"]).lower()
    quantity = int(scheduled.get("quantity") or held.quantity)
    until = start + terms.WINDOW
    renewed = held.changed(
        quantity=quantity,
        termDuration=term,
        billingCycle=cycle,
        isTrial=False,
        scheduledNextTermInstructions=None,
        nextChargeInstructions=None,
        effectiveStartDate=terms.iso(start),
        **documents.term_dates(start, term, cycle, today=start.date()),
    )
    return replace(renewed, batches=((quantity, until),))


def _next_cycle(held: Subscription, now: datetime) -> Subscription | None:
    """The billing month or year moves on; a changed billing plan takes effect with it."""
    current = held.document.get("billingCycleEndDate")
    end = terms.day_of(held.document["commitmentEndDate"])
    if held.status not in ("active", "suspended") or not current or terms.day_of(current) >= min(now.date(), end):
        return None
    start = terms.day_of(held.document["effectiveStartDate"])
    cycle = held.document["billingCycle"]
    planned = (held.document.get("nextChargeInstructions") or {}).get("product") or {}
    cycle = str(planned.get("billingCycle", cycle))
    billed = min(end, terms.cycle_end(start, cycle, min(now.date(), end)))
    return held.changed(
        billingCycle=cycle,
        nextChargeInstructions=None,
        billingCycleEndDate=terms.midnight(billed),
        billingCycleEndDateTime=terms.last_second(billed),
    )
