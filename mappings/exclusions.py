"""What is left out of billing: whole subscriptions here, units of a mapped one in `syncops.excluding`."""

from __future__ import annotations

from datetime import date, datetime

from django.db import transaction

from mappings.models import Exclusion, SubscriptionMapping
from mappings.reasons import Reason, reason
from portal.audit import Actor, record
from portal.models import Subscription

LEAVE_OUT = "Leave Subscription Out"
TAKE_IN = "Take Subscription In Again"


class StillBilled(Exception):
    """It cannot be left out as long as it is billed; `reason` says where. Nothing was written."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(str(reason))
        self.reason = reason


def left_out_reasons(subscription: Subscription) -> tuple[Reason, ...]:
    """Why it is not mapped: somebody left it out."""
    held = Exclusion.objects.left_out().filter(subscription=subscription).first()
    return (reason("left_out", subscription=subscription.friendly_name, why=held.reason),) if held else ()


def excluded_steps(subscription: Subscription, day: date) -> list[tuple[str, int]]:
    """How many units are not billed from `day` on, as (first day, units): what a new line begins with."""
    rows = subscription.exclusions.filter(units__isnull=False).order_by("starts_on", "pk")
    steps: dict[date, int] = {}
    for row in rows:
        if row.ends_before is None or row.ends_before > max(day, row.starts_on):
            steps[max(day, row.starts_on)] = row.units or 0
            if row.ends_before is not None:
                steps[row.ends_before] = 0
    return [(start.isoformat(), units) for start, units in sorted(steps.items())]


def leave_out(subscription: Subscription, *, why: str, actor: Actor, today: date, now: datetime) -> Exclusion:
    """From now on nobody maps it, by hand or automatically. Left out already is no error; raises StillBilled."""
    with transaction.atomic():
        row = _locked(subscription)
        mapping = SubscriptionMapping.objects.open().select_related("connection").filter(subscription=row).first()
        if mapping is not None:
            other = f"{mapping.contract_name} on {mapping.connection}"
            raise StillBilled(reason("still_billed", subscription=row.friendly_name, other=other))
        if existing := Exclusion.objects.left_out().filter(subscription=row).first():
            return existing
        for open_ in Exclusion.objects.open().filter(subscription=row):  # units of a mapping that ended
            open_.ends_before = max(today, open_.starts_on)
            open_.save(update_fields=["ends_before"])
        made = Exclusion.objects.create(
            subscription=row, starts_on=today, reason=why, created_by_id=actor.user_id, created_at=now
        )
        _record(LEAVE_OUT, row, actor, now, asked={"reason": why})
    return made


def take_in(subscription: Subscription, *, actor: Actor, today: date, now: datetime) -> None:
    """It may be mapped again. Not left out any more is no error."""
    with transaction.atomic():
        row = _locked(subscription)
        held = Exclusion.objects.left_out().filter(subscription=row).first()
        if held is None:
            return
        held.ends_before = max(today, held.starts_on)
        held.save(update_fields=["ends_before"])
        _record(TAKE_IN, row, actor, now, before={"reason": held.reason, "since": held.starts_on})


def _locked(subscription: Subscription) -> Subscription:
    rows = Subscription.objects.select_for_update(of=("self",), no_key=True)
    return rows.select_related("organization", "customer").get(pk=subscription.pk)


def _record(name: str, subscription: Subscription, actor: Actor, at: datetime, **about: dict[str, object]) -> None:
    organization = subscription.organization
    subject = subscription.friendly_name
    record(name, actor=actor, organization=organization, subject=subject, subscription=subscription, at=at, **about)
