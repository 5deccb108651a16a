"""Taking a subscription off its contract: the mapping ends on a day, and its line is set to 0 or left as it is."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from django.db import transaction
from django.db.models.functions import Coalesce, Greatest

from mappings.models import SubscriptionMapping
from portal.audit import Actor, record
from portal.models import Subscription
from portal.templatetags.portal import day as in_full
from syncops.actions import NotPossible, locked_stream, plan_operation
from syncops.azure.leaving import why_not_leave
from syncops.models import SyncOperation
from syncops.money import to_minor_unit
from syncops.moving import last_day_before
from syncops.operations import end_mapping as kind
from syncops.timeline import Timeline

UNMAP = "Remove Subscription Mapping From Connection"


@dataclass(frozen=True, slots=True)
class Billed:
    """What the line showed when it was read last: units, and money per unit and per period; None where not known."""

    units: int
    unit_price: Decimal | None
    amount: Decimal | None


def billed_on(mapping: SubscriptionMapping, day: date) -> Billed | None:
    """What Autotask goes on billing from `day`; None where the line was never proved."""
    proved = SyncOperation.objects.filter(mapping=mapping, state=SyncOperation.State.SUCCEEDED)
    last = proved.order_by("-finished_at", "-pk").first()
    if last is None:
        return None
    level = Timeline.from_json(last.proof.get("found", [])).at(day)
    amount = None if level.price is None else to_minor_unit(level.units * level.price, mapping.connection.currency)
    return Billed(level.units, level.price, amount)


def why_not(mapping: SubscriptionMapping) -> str:
    """Why the mapping cannot end now, with what to do first; empty where it can."""
    waiting = (*SyncOperation.OPEN, *SyncOperation.NEEDS_A_PERSON)
    if SyncOperation.objects.filter(mapping=mapping, state__in=waiting).exists():
        return "An operation of this mapping is not through. Wait for it, or decide about it in the inbox first."
    return ""


def changed_after(mapping: SubscriptionMapping, day: date) -> str:
    """Why the line cannot be set to 0 on `day`: something changed it later, and would put units back on it."""
    done = SyncOperation.objects.filter(mapping=mapping, state=SyncOperation.State.SUCCEEDED)
    last = done.annotate(begins=Greatest("effective_on", Coalesce("holds_from", "effective_on"))).filter(begins__gt=day)
    latest = last.order_by("-begins", "-pk").first()
    if latest is None:
        return ""
    return f"“{latest.label}” changed the line from {in_full(latest.begins)} on. Choose that day or a later one."


def end_mapping(
    mapping: SubscriptionMapping, *, day: date, set_to_zero: bool, actor: Actor, today: date, now: datetime
) -> SyncOperation | None:
    """End the mapping on the eve of `day`, and plan what sets its line to 0 from then on where that is wanted.

    Ended already is no error: a second click changes nothing. Raises NotPossible.
    """
    with transaction.atomic():
        subscription = Subscription.objects.select_for_update(of=("self",), no_key=True).get(pk=mapping.subscription_id)
        locked_stream(mapping.connection, subscription)
        row = (
            SubscriptionMapping.objects.open().filter(pk=mapping.pk).select_related("connection__organization").first()
        )
        if row is None:
            return None
        if problem := why_not(row):
            raise NotPossible(problem)
        if not (row.starts_on or day) <= day <= today:
            raise NotPossible("Choose a day from the first one billed here up to today.")
        if set_to_zero and (later := changed_after(row, day) or why_not_leave(row, day)):
            raise NotPossible(later)
        row.ends_on, correlation_id = last_day_before(row, day), uuid.uuid4()
        row.starts_on = row.starts_on or row.ends_on
        row.save(update_fields=["starts_on", "ends_on"])
        record(
            UNMAP,
            actor=actor,
            organization=row.connection.organization,
            subject=f"{subscription.friendly_name} from {row.contract_name}",
            subscription=subscription,
            connection=row.connection,
            asked={"from": day, "line": "set to 0" if set_to_zero else "left as it is"},
            before={"mapping": row.pk, "contract": row.contract_name, "service": row.service_name},
            after={"ends_on": row.ends_on},
            correlation_id=correlation_id,
            at=now,
        )
        if not set_to_zero or row.line_id is None:
            return None
        return plan_operation(
            row, kind.KIND.name, effective_on=day, payload={}, actor=actor, now=now, correlation_id=correlation_id
        )
