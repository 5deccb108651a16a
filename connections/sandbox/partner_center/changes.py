"""The rules of PATCH on a subscription, as functions from a subscription and a body to the changed subscription.

The service takes the whole resource. What is left out keeps its value, except three members: without `autoRenewEnabled`
renewal is turned off, without `scheduledNextTermInstructions` or `nextChargeInstructions` these are deleted. Read-only
members are ignored. A change that is not allowed is refused with the published code.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from . import documents, terms
from .errors import refused
from .subscription import Subscription

Document = dict[str, Any]

MOST_UPDATES = 1200
_NAMES = (
    "attributes", "autoRenewEnabled", "availabilityId", "billingCycle", "customTermEndDate", "etag", "friendlyName",
    "nextChargeInstructions", "partnerId", "product", "productId", "promotionId", "quantity",
    "scheduledNextTermInstructions", "skuId", "status", "termDuration",
)  # fmt: skip
_SPELLING = {name.lower(): name for name in _NAMES}
_TERM_ORDER = ("P1M", "P1Y", "P3Y")
_CYCLE_TERMS = {"monthly": "P1M", "annual": "P1Y", "triennial": "P3Y"}


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a rule has to know beside the subscription.

    `item` is None for what is no longer sold; `end_dates` are those of the customer's active licences.
    """

    now: datetime
    item: documents.Item | None
    has_active_entitlements: bool = False
    end_dates: frozenset[date] = frozenset()


def spelled(value: Any) -> Any:
    """A request body with its known member names as the service writes them: names are read without regard to case."""
    if isinstance(value, Mapping):
        return {_SPELLING.get(str(name).lower(), name): spelled(member) for name, member in value.items()}
    return [spelled(member) for member in value] if isinstance(value, list) else value


def patched(held: Subscription, body: Mapping[str, Any], around: Surroundings) -> Subscription:
    """The subscription after a PATCH with `body` (names as from `spelled`)."""
    _refuse_by_state(held)
    target = str(body.get("status") or held.status).lower()
    if target == held.status:
        after = _edited(held, body, around)
    elif target == "deleted":
        after = _cancelled(held, around)
    elif target == "suspended" and held.status == "active":
        after = _suspended(held, around)
    elif target == "active" and held.status == "suspended":
        after = held.changed(status="active", suspensionReasons=None, autoRenewEnabled=_renews(body))
    else:
        raise refused(400, 800096)
    return replace(_versioned(after), updates=held.updates + 1)


def _refuse_by_state(held: Subscription) -> None:
    match held.status:
        case "deleted":
            raise refused(400, 2011, held.id)
        case "expired":
            raise refused(400, 900277)
        case "disabled":
            raise refused(400, 900279)
        case "pending":
            raise refused(409, 800082)
    if held.updates >= MOST_UPDATES:
        raise refused(400, 900311)


def _cancelled(held: Subscription, around: Surroundings) -> Subscription:
    if held.kind == documents.AZURE:
        raise refused(400, 800096)
    if held.kind != "legacy":
        until = held.document.get("cancellationAllowedUntilDate")
        started = terms.moment_of(held.document["effectiveStartDate"])
        if around.now > (terms.moment_of(until) if until else started + terms.WINDOW):
            raise refused(400, 900117, 7)
    gone = held.changed(status="deleted", suspensionReasons=None, scheduledNextTermInstructions=None)
    return replace(gone.changed(autoRenewEnabled=False), batches=())


def _suspended(held: Subscription, around: Surroundings) -> Subscription:
    if held.kind == documents.AZURE and around.has_active_entitlements:
        raise refused(403, 900115)
    if held.kind in (documents.SOFTWARE, documents.RESERVATION):
        raise refused(400, 800096)
    return held.changed(
        status="suspended",
        autoRenewEnabled=False,
        suspensionReasons=["Partner"],
        scheduledNextTermInstructions=None,
    )


def _edited(held: Subscription, body: Mapping[str, Any], around: Surroundings) -> Subscription:
    """Everything but the status: term or billing plan, seats, renewal, names."""
    after = _named(held, body)
    after = _replanned(after, body, around)
    resized = _resized(after, body, around)
    renewing = _renewing(resized, body)
    is_kept = renewing.document["autoRenewEnabled"] and resized.quantity == held.quantity
    return _rescheduled(renewing, body if is_kept else {}, around)


def _named(held: Subscription, body: Mapping[str, Any]) -> Subscription:
    for name in ("friendlyName", "partnerId"):
        if isinstance(body.get(name), str):
            held = held.changed(**{name: body[name]})
    return held if "nextChargeInstructions" in body else held.changed(nextChargeInstructions=None)


def _replanned(held: Subscription, body: Mapping[str, Any], around: Surroundings) -> Subscription:
    """Another term begins at once; another billing plan with the next charge, and in three-year terms only."""
    term = str(body.get("termDuration") or held.document.get("termDuration", "")).upper()
    cycle = str(body.get("billingCycle") or held.document["billingCycle"]).lower()
    if term == held.document.get("termDuration", ""):
        return held if cycle == held.document["billingCycle"] else _rebilled(held, cycle, around)
    if held.document.get("isTrial"):
        raise refused(400, 800107)
    if not held.is_licence or term not in _TERM_ORDER:
        raise refused(400, 800121)
    if _TERM_ORDER.index(term) < _TERM_ORDER.index(held.document["termDuration"]):
        raise refused(400, 800122)
    if around.item is None or (term, cycle) not in around.item.plans:
        raise refused(400, 900269)
    started = around.now
    dates = documents.term_dates(started, term, cycle, today=started.date())
    longer = held.changed(
        termDuration=term,
        billingCycle=cycle,
        effectiveStartDate=terms.iso(started),
        scheduledNextTermInstructions=None,
        nextChargeInstructions=None,
        **dates,
    )
    return replace(longer, batches=((held.quantity, started + terms.WINDOW),))


def _rebilled(held: Subscription, cycle: str, around: Surroundings) -> Subscription:
    if held.kind == "legacy":
        raise refused(400, 2054)
    term = held.document.get("termDuration", "")
    needed = _CYCLE_TERMS.get(cycle)
    if needed and term in _TERM_ORDER and _TERM_ORDER.index(needed) > _TERM_ORDER.index(term):
        raise refused(400, 900270)
    item = around.item
    if term != "P3Y" or cycle not in ("monthly", "annual") or item is None or (term, cycle) not in item.plans:
        raise refused(400, 900269)
    product = {
        "productId": item.product_id,
        "skuId": item.sku_id,
        "availabilityId": item.availability_id,
        "billingCycle": cycle,
        "termDuration": term,
    }
    return held.changed(nextChargeInstructions={"product": product, "quantity": held.quantity})


def _resized(held: Subscription, body: Mapping[str, Any], around: Surroundings) -> Subscription:
    wanted = body.get("quantity", held.quantity)
    if isinstance(wanted, bool) or not isinstance(wanted, int):
        raise refused(400, 800002)
    if wanted == held.quantity:
        return held
    if held.status == "suspended":
        raise refused(400, 2001)
    if wanted < 1:
        raise refused(400, 2002)
    most = around.item.maximum if around.item else wanted
    if wanted > most or held.document.get("isTrial") or held.kind == documents.AZURE:
        raise refused(400, 900275, 0)
    if held.kind not in (documents.LICENCE, "legacy"):
        raise refused(400, 900280)
    return replace(held.changed(quantity=wanted), batches=_batches_for(held, wanted, around.now))


def _batches_for(held: Subscription, wanted: int, now: datetime) -> tuple[tuple[int, datetime], ...]:
    """More seats open a batch of their own; fewer are taken from the batches that are still open, the latest first."""
    more = wanted - held.quantity
    if held.kind == "legacy":
        return ()
    if more > 0:
        return (*held.batches, (more, now + terms.WINDOW))
    if -more > held.refundable_seats(now):
        raise refused(400, 800090)
    left, kept = -more, []
    for quantity, until in sorted(held.batches, key=lambda batch: batch[1], reverse=True):
        taken = min(quantity, left) if until > now else 0
        left -= taken
        kept.append((quantity - taken, until))
    return tuple((quantity, until) for quantity, until in reversed(kept) if quantity)


def _renewing(held: Subscription, body: Mapping[str, Any]) -> Subscription:
    renews = _renews(body)
    if renews and held.kind not in (documents.LICENCE, "legacy"):
        raise refused(400, 800093)
    if renews and held.status == "suspended":
        raise refused(400, 800091)
    return held.changed(autoRenewEnabled=renews)


def _renews(body: Mapping[str, Any]) -> bool:
    return body.get("autoRenewEnabled") is True


def _rescheduled(held: Subscription, body: Mapping[str, Any], around: Surroundings) -> Subscription:
    scheduled = body.get("scheduledNextTermInstructions")
    if not scheduled:
        return held.changed(scheduledNextTermInstructions=None)
    product = scheduled.get("product") if isinstance(scheduled, dict) else None
    needed = ("productId", "skuId", "availabilityId", "billingCycle", "termDuration")
    if not held.is_licence or not isinstance(product, dict) or not all(product.get(name) for name in needed):
        raise refused(400, 800002)
    _check_end_date(scheduled.get("customTermEndDate"), around.end_dates)
    return held.changed(scheduledNextTermInstructions=scheduled)


def _check_end_date(text: str | None, end_dates: Iterable[date]) -> None:
    if not text:
        return
    try:
        day = terms.day_of(str(text))
    except ValueError as error:
        raise refused(400, 800002) from error
    if not terms.is_month_end(day) and day not in end_dates:
        raise refused(400, 900246)


def _versioned(held: Subscription) -> Subscription:
    """Legacy subscriptions get a new etag with every change."""
    if held.kind != "legacy":
        return held
    attributes = held.document["attributes"] | {"etag": documents.etag(held.id, held.updates + 2)}
    return held.changed(attributes=attributes)
