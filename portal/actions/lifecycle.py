"""What became of a subscription: its row, the fact with its date, and the audit entry, in one transaction.

Each function records one fact as it was learned, from Partner Center or from a person here, and what follows from it is
planned with it. A fact that the row shows already is not recorded twice: None comes back.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import uuid4

from django.db import transaction
from django.db.models import Q

from portal.actions.subscriptions import record_change
from portal.audit import Actor, record
from portal.folding import folded
from portal.models import OfferVariant, Organization, Subscription, SubscriptionChange

Kind = SubscriptionChange.Kind
Status = Subscription.Status
CAME_FROM, WENT_TO = "came_from", "went_to"


@dataclass(frozen=True, slots=True)
class Learned:
    """How a fact was learned: the day on which it took effect (in the organization's zone), from where, by whom, and
    when it is recorded.
    """

    on: date
    source: str
    actor: Actor
    at: datetime


@dataclass(frozen=True, slots=True)
class UpgradedPart:
    """The subscription that some seats of another one became, or were added to: its Partner Center id, how many seats
    it has now, its offer, and prices per unit and billing period. `ends_on` is the last day of its term.
    """

    external_id: str
    quantity: int
    variant: OfferVariant
    list_price: Decimal
    erp: Decimal
    ends_on: date | None = None


def record_activated(subscription: Subscription, learned: Learned, **shown: Any) -> SubscriptionChange | None:
    """Microsoft provisioned it: `shown` are the fields of the row that it shows since, its status among them."""
    return _record(subscription, Kind.ACTIVATED, "Activate Subscription", shown, learned)


def record_quantity(subscription: Subscription, learned: Learned, *, quantity: int) -> SubscriptionChange | None:
    """The seats were changed elsewhere than here; `quantity` is the new total."""
    return _record(subscription, Kind.QUANTITY_CHANGED, "Change Quantity", {"quantity": quantity}, learned)


def record_price(
    subscription: Subscription, learned: Learned, *, list_price: Decimal, erp: Decimal
) -> SubscriptionChange | None:
    """What it costs the CSP, and Microsoft's retail price, per unit and billing period."""
    after = {"list_price": list_price, "erp": erp}
    return _record(subscription, Kind.PRICE_CHANGED, "Change Subscription Price", after, learned)


def record_noted(subscription: Subscription, learned: Learned, **shown: Any) -> SubscriptionChange | None:
    """Facts that no bill follows from: one ended status after another, corrected dates of a term, auto-renew turned off
    by the end of it.
    """
    return _record(subscription, Kind.NOTED, "Update Subscription Facts", shown, learned)


def record_cancelled(
    subscription: Subscription, learned: Learned, *, status: str = Status.DELETED, **shown: Any
) -> SubscriptionChange | None:
    """Microsoft ended it before its term was over, or let it run out. `shown`: what else changed with that."""
    return _record(subscription, Kind.CANCELLED, "Cancel Subscription", {"status": status} | shown, learned)


def record_suspended(subscription: Subscription, learned: Learned, **shown: Any) -> SubscriptionChange | None:
    """It was suspended; `shown`: what else changed with that, as Microsoft turns automatic renewal off."""
    after = {"status": Status.SUSPENDED} | shown
    return _record(subscription, Kind.SUSPENDED, "Suspend Subscription", after, learned)


def record_reactivated(subscription: Subscription, learned: Learned) -> SubscriptionChange | None:
    return _record(subscription, Kind.REACTIVATED, "Reactivate Subscription", {"status": Status.ACTIVE}, learned)


def record_migrated(subscription: Subscription, learned: Learned, *, to: str = "") -> SubscriptionChange | None:
    """A legacy subscription ended because new commerce took over; `to` is the new one's Partner Center id."""
    return _record(subscription, Kind.MIGRATED, "Migrate Subscription", {"status": Status.DELETED}, learned, to=to)


def record_details(
    subscription: Subscription, learned: Learned, *, friendly_name: str | None = None, auto_renew: bool | None = None
) -> SubscriptionChange | None:
    """A new friendly name, another choice about automatic renewal, or both."""
    after = {"friendly_name": friendly_name, "auto_renew": auto_renew}
    given = {name: value for name, value in after.items() if value is not None}
    with transaction.atomic():
        change = _record(subscription, Kind.DETAILS_CHANGED, "Update Subscription Details", given, learned)
        if change and friendly_name is not None:
            found_by = folded(friendly_name, subscription.variant.offer.title)
            Subscription.objects.filter(pk=subscription.pk).update(search_text=found_by)
    return change


def record_renewed(
    subscription: Subscription,
    learned: Learned,
    *,
    starts_on: date,
    ends_on: date,
    list_price: Decimal,
    erp: Decimal,
    promotion_id: int | None = None,
) -> SubscriptionChange | None:
    """A new term began, on the prices of its first day, per unit and billing period; `ends_on` is its last day."""
    after = {
        "starts_on": starts_on,
        "ends_on": ends_on,
        "list_price": list_price,
        "erp": erp,
        "promotion_id": promotion_id,
        "status": Status.ACTIVE,
    }
    return _record(subscription, Kind.RENEWED, "Renew Subscription", after, learned)


def record_upgraded(
    subscription: Subscription,
    learned: Learned,
    *,
    to: OfferVariant,
    list_price: Decimal | None = None,
    erp: Decimal | None = None,
) -> SubscriptionChange | None:
    """All seats went to another offer: Microsoft keeps the subscription's id and changes its offer."""
    prices = {name: price for name, price in (("list_price", list_price), ("erp", erp)) if price is not None}
    after = {"variant_id": to.pk} | prices
    return _record(subscription, Kind.UPGRADED, "Upgrade Subscription", after, learned, to=str(to))


def record_upgraded_in_part(
    subscription: Subscription, learned: Learned, *, staying: int, part: UpgradedPart
) -> SubscriptionChange | None:
    """Some seats went to another offer: `staying` remain here, and the others are a subscription of their own now.

    Both facts are recorded under one correlation id, that of the other subscription first; what they mean is planned
    with this one's. Raises ValueError where nothing stays, or where both would be the same subscription.
    """
    if staying < 1 or part.external_id in ("", subscription.external_id):
        raise ValueError("a part of the seats stays, and the others have a subscription of their own")
    with transaction.atomic():
        row, other = _both(subscription, part)
        if row.quantity == staying and other is not None and other.quantity == part.quantity:
            return None
        after = {"quantity": part.quantity, CAME_FROM: row.external_id}
        common: dict[str, Any] = {"effective_on": learned.on, "source": learned.source, "actor": learned.actor}
        common |= {"at": learned.at, "correlation_id": uuid4()}
        record_change(
            other or _new_part(row, learned, part),
            kind=Kind.QUANTITY_CHANGED if other else Kind.ACTIVATED,
            after=after,
            before={"quantity": other.quantity if other else 0},
            **common,
        )
        gone = {"to": str(part.variant), WENT_TO: part.external_id}
        change = record_change(subscription, kind=Kind.UPGRADED, after={"quantity": staying, **gone}, **common)
        _audit("Upgrade Subscription", row, change, learned)
    return change


def _both(subscription: Subscription, part: UpgradedPart) -> tuple[Subscription, Subscription | None]:
    """The subscription and the one that has the other seats, where there is one; locked in the order of their ids."""
    rows = Subscription.objects.select_for_update(no_key=True).order_by("pk")
    theirs = Q(customer=subscription.customer_id, external_id=part.external_id)
    found = {row.pk: row for row in rows.filter(Q(pk=subscription.pk) | theirs)}
    row = found.pop(subscription.pk)
    return row, next(iter(found.values()), None) or rows.filter(theirs).first()  # it may have come to be meanwhile


def _new_part(row: Subscription, learned: Learned, part: UpgradedPart) -> Subscription:
    title = part.variant.offer.title
    return Subscription.objects.create(
        organization=row.organization,
        customer=row.customer,
        variant=part.variant,
        external_id=part.external_id,
        friendly_name=title,
        quantity=part.quantity,
        status=Status.ACTIVE,
        currency=row.currency,
        list_price=part.list_price,
        erp=part.erp,
        auto_renew=row.auto_renew,
        created_on=learned.on,
        starts_on=learned.on,
        ends_on=part.ends_on or row.ends_on,
        search_text=folded(title),
    )


def record_billing_cycle(
    subscription: Subscription, learned: Learned, *, to: OfferVariant, list_price: Decimal, erp: Decimal
) -> SubscriptionChange | None:
    """The same offer, billed by another period: prices are per unit and the new period."""
    after = {"variant_id": to.pk, "list_price": list_price, "erp": erp}
    return _record(subscription, Kind.BILLING_CYCLE_CHANGED, "Change Billing Frequency", after, learned, to=to.billing)


def record_reseller(subscription: Subscription, learned: Learned, *, to: Organization) -> SubscriptionChange | None:
    """Another organization of the same tenant bills it from now on."""
    if to.root_id != subscription.organization.root_id:
        raise ValueError(f"{to} belongs to another tenant")
    after = {"organization_id": to.pk}
    return _record(subscription, Kind.RESELLER_CHANGED, "Change Reseller", after, learned, to=str(to))


def _record(
    subscription: Subscription, kind: str, name: str, after: Mapping[str, Any], learned: Learned, **kept: Any
) -> SubscriptionChange | None:
    """Record a fact under the row's lock. `kept` is kept with the change, and is no field of the row."""
    with transaction.atomic():
        row = Subscription.objects.select_for_update(no_key=True).get(pk=subscription.pk)
        before = {field: getattr(row, field) for field in after}
        if before == dict(after):
            return None
        change = record_change(
            subscription,
            kind=kind,
            effective_on=learned.on,
            source=learned.source,
            after={**after, **kept},
            before=before,
            actor=learned.actor,
            at=learned.at,
        )
        _audit(name, row, change, learned)
    return change


def _audit(name: str, row: Subscription, change: SubscriptionChange, learned: Learned) -> None:
    """The entry of whoever owned the subscription before the change."""
    record(
        name,
        actor=learned.actor,
        organization=row.organization,
        subject=str(row),
        subscription=row,
        before=change.before,
        after=change.after | {"effective": learned.on},
        correlation_id=change.correlation_id,
        at=learned.at,
    )
