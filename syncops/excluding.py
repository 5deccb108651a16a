"""Some units of a mapped subscription are not billed from a day on: what that sends and bills, and the person's yes."""

from __future__ import annotations

import uuid
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.db.models import Q

from connections.models import MirroredContract
from mappings.models import Exclusion, SubscriptionMapping
from portal.audit import Actor, record
from portal.models import Subscription
from syncops.actions import NotPossible, locked_stream, plan_operation
from syncops.ending import billed_on
from syncops.models import SyncOperation
from syncops.money import to_minor_unit
from syncops.operations import exclude_units as kind
from syncops.operations.base import Fact
from syncops.preview import ChangePreview, preview_change

EXCLUDE = "Leave Units Of Subscription Out"


def exclusion_of(subscription: Subscription) -> Exclusion | None:
    """The units that are left out, or will be; None where all are billed."""
    return subscription.exclusions.open().filter(units__isnull=False).first()


def why_not(mapping: SubscriptionMapping, units: int, day: date) -> str:
    """Why so many units cannot be left out from this day on, with what to do; empty where they can."""
    if mapping.starts_on is None or mapping.line_id is None:
        return "The line is not on the contract yet. Wait until it is."
    contract = MirroredContract.objects.filter(connection=mapping.connection, remote_id=mapping.contract_id).first()
    if day < mapping.starts_on or (contract is not None and day > contract.ends_on):
        return "Choose a day from the first one billed here to the contract's last."
    existing = exclusion_of(mapping.subscription)
    if existing is None and not units:
        return "All of its units are billed already."
    if existing is not None and (existing.units, existing.starts_on) == (units, day):
        return "That is left out already."
    if existing is not None and not units and day < existing.starts_on:
        return "They are left out from a later day on. Choose that day to take it back altogether."
    return ""


def preview_exclusion(mapping: SubscriptionMapping, units: int, day: date, *, today: date) -> ChangePreview:
    """What leaving so many units out from `day` on would send and bill: one read of the line."""
    if problem := why_not(mapping, units, day):
        return ChangePreview(mapping, problem=problem)
    return preview_change(mapping, Fact(kind.KIND.name, day, _payload(units, day)), today=today)


def exclude_units(
    mapping: SubscriptionMapping,
    *,
    units: int,
    day: date,
    why: str,
    actor: Actor,
    now: datetime,
    seen: ChangePreview | None = None,
) -> SyncOperation | None:
    """Bill `units` fewer from `day` on, and none fewer with 0; what was left out before gives way to it.

    The same again changes nothing and gives None. Raises NotPossible.
    """
    with transaction.atomic():
        subscription = Subscription.objects.select_for_update(of=("self",), no_key=True).get(pk=mapping.subscription_id)
        locked_stream(mapping.connection, subscription)
        row = (
            SubscriptionMapping.objects.open().select_related("connection__organization").filter(pk=mapping.pk).first()
        )
        if row is None:
            raise NotPossible("It is not billed there any more. Nothing was changed.")
        before = exclusion_of(subscription)
        if _says_the_same(subscription, before, units, day):
            return None
        if problem := why_not(row, units, day):
            raise NotPossible(problem)
        _give_way(subscription, day)
        if units:
            Exclusion.objects.create(
                subscription=subscription,
                units=units,
                starts_on=day,
                reason=why,
                created_by_id=actor.user_id,
                created_at=now,
            )
        common: dict[str, Any] = {"actor": actor, "correlation_id": uuid.uuid4()}
        record(
            EXCLUDE,
            organization=row.connection.organization,
            subject=f"{units} of {subscription.friendly_name}",
            subscription=subscription,
            connection=row.connection,
            asked={"units": units, "from": day, "reason": why},
            before={"units": before.units if before else 0, "from": before.starts_on if before else None},
            at=now,
            **common,
        )
        return plan_operation(
            row,
            kind.KIND.name,
            effective_on=day,
            payload=_payload(units, day),
            now=now,
            preview=seen.as_json() if seen else None,
            **common,
        )


def money_left_out(mapping: SubscriptionMapping, exclusion: Exclusion, day: date) -> Decimal | None:
    """What is not billed per period, by the line's price when it was read last; None where that is not known."""
    billed = billed_on(mapping, day)
    if billed is None or billed.unit_price is None:
        return None
    units = min(exclusion.units or 0, mapping.subscription.quantity)
    return to_minor_unit(units * billed.unit_price, mapping.connection.currency)


def _says_the_same(subscription: Subscription, before: Exclusion | None, units: int, day: date) -> bool:
    """Whether a second click asks for what the first one did."""
    if units:
        return before is not None and (before.units, before.starts_on) == (units, day)
    return before is None and subscription.exclusions.filter(units__isnull=False, ends_before=day).exists()


def _give_way(subscription: Subscription, day: date) -> None:
    """From `day` on nothing of what was left out before holds any more."""
    held = Q(ends_before__isnull=True) | Q(ends_before__gt=day)
    for one in subscription.exclusions.filter(held, units__isnull=False):
        one.ends_before = max(day, one.starts_on)
        one.save(update_fields=["ends_before"])


def _payload(units: int, day: date) -> dict[str, Any]:
    return {kind.EXCLUDED: [(day.isoformat(), units)]}
