"""On one contract an offer is billed as another service from a day on, or as the one that it is mapped to again.

Every subscription of the offer on that contract moves to a line of that service on that day: units are put there first,
and taken from the old line after the proof.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from django.db import transaction
from django.db.models import Q

from connections.models import MirroredService
from connections.psa.base import Psa
from connections.psa.types import Service
from mappings import eligibility
from mappings.actions import hold_mappings
from mappings.models import OfferMapping, ServiceOverride, SubscriptionMapping
from mappings.resolve import facts_of, service_of
from portal.audit import Actor, record
from portal.models import Subscription
from syncops.actions import NotPossible, locked_stream
from syncops.move_preview import MoveFacts, MovePreview, preview_move, read_move
from syncops.preview import MappingChoice
from syncops.remapping import move_mapping

BILL_AS = "Bill Offer As Another Service"
RELATED = (
    "connection__organization",
    "subscription__customer",
    "subscription__variant__offer",
    "subscription__organization",
)


@dataclass(frozen=True, slots=True)
class Asked:
    """What a person asks for, by one of the subscriptions that it is about. `beside`: a line of that service that is on
    the contract already stays, and another one is added.
    """

    mapping: SubscriptionMapping
    service: Service
    day: date
    why: str
    beside: bool = False


@dataclass(frozen=True, slots=True)
class Moving:
    """One subscription that it moves, where to, and what the PSA says of both lines."""

    mapping: SubscriptionMapping
    choice: MappingChoice
    found: MoveFacts


def mapped_service(mapping: SubscriptionMapping) -> OfferMapping | None:
    """What the offer is mapped to on the connection."""
    here = OfferMapping.objects.filter(connection=mapping.connection, variant=mapping.subscription.variant_id)
    return here.first()


def open_override(mapping: SubscriptionMapping) -> ServiceOverride | None:
    """What is said of its offer on its contract until further notice."""
    here = {"connection": mapping.connection, "contract_id": mapping.contract_id}
    return ServiceOverride.objects.open().filter(**here, variant=mapping.subscription.variant_id).first()


def eligible(mapping: SubscriptionMapping, text: str, today: date, most: int) -> list[Service]:
    """Services that could bill the offer there, by the rules of the picker: the mapped one, and those nobody has."""
    facts = facts_of(mapping.subscription, mapping.connection, today=today, mapped_before=True)
    others = OfferMapping.objects.filter(connection=mapping.connection).exclude(variant=mapping.subscription.variant_id)
    rows = MirroredService.objects.filter(connection=mapping.connection, is_active=True, period=facts.period)
    free = rows.exclude(remote_id__in=others.values("service_id")).exclude(remote_id=mapping.service_id)
    found = map(service_of, free.search(text).order_by("name", "remote_id")[: most * 2])
    return [one for one in found if not eligibility.service_reasons(one, facts)][:most]


def read(asked: Asked, psa: Psa) -> list[Moving]:
    """Every subscription of the offer on the contract that is billed as something else, with both of its lines.

    Raises the errors of `portal.far_side`.
    """
    moving = []
    for mapping in _affected(asked):
        choice = MappingChoice(
            connection_id=mapping.connection_id,
            subscription_id=mapping.subscription_id,
            company_id=mapping.company_id,
            service_id=asked.service.id,
            contract_id=mapping.contract_id,
            add_beside=asked.beside,
        )
        moving.append(Moving(mapping, choice, read_move(mapping, choice, psa)))
    return moving


def preview(asked: Asked, moving: Sequence[Moving], *, today: date, now: datetime) -> list[MovePreview]:
    """What it would send to every line and bill on it: done, looked at, and taken back."""
    with transaction.atomic():
        _write(asked, Actor.system("preview"), now)
        seen = [
            preview_move(one.mapping, one.choice, one.found, day=asked.day, to_zero=True, today=today) for one in moving
        ]
        transaction.set_rollback(True)
    return seen


def bill_as(asked: Asked, moving: Sequence[Moving], *, actor: Actor, today: date, now: datetime) -> None:
    """Have it so from the day on, and plan what every line needs. All or nothing: raises Refused or NotPossible.

    The same again changes nothing.
    """
    connection, subscription = asked.mapping.connection, asked.mapping.subscription
    with transaction.atomic():
        for one in sorted(moving, key=lambda one: one.mapping.subscription_id):
            Subscription.objects.select_for_update(of=("self",), no_key=True).get(pk=one.mapping.subscription_id)
        for one in sorted(moving, key=lambda one: one.mapping.subscription_id):
            locked_stream(connection, one.mapping.subscription)
        hold_mappings(connection, subscription)  # whoever maps another of this offer waits, and looks again
        affected = {one.pk for one in _affected(asked)}
        if not affected and _is_so(asked):
            return
        if affected != {one.mapping.pk for one in moving}:
            raise NotPossible("What is billed on this contract changed meanwhile. Look at it again.")
        before = open_override(asked.mapping)
        if problem := why_not(asked):
            raise NotPossible(problem)
        _write(asked, actor, now)
        _record(asked, before, len(moving), actor, now)
        how = {"day": asked.day, "to_zero": True, "today": today}
        for one in moving:
            move_mapping(one.mapping, one.choice, one.found, actor=actor, now=now, **how)  # type: ignore[arg-type]


def why_not(asked: Asked) -> str:
    """Why it cannot be, with what to do; empty where it can. What stands against each line, its preview says."""
    mapped = mapped_service(asked.mapping)
    if mapped is None:
        return "The offer is not mapped to a service any more. Map it first."
    if asked.service.id == mapped.service_id and open_override(asked.mapping) is None:
        return f"It is billed as {mapped.service_name} already."
    return ""


def refusals(seen: Sequence[MovePreview]) -> list[str]:
    """What stands against the lines that it moves."""
    return [problem for one in seen for problem in (*map(str, one.refusals), one.problem) if problem]


def _affected(asked: Asked) -> list[SubscriptionMapping]:
    mapping = asked.mapping
    here = SubscriptionMapping.objects.open().filter(
        connection=mapping.connection,
        contract_id=mapping.contract_id,
        subscription__variant=mapping.subscription.variant_id,
    )
    return list(here.exclude(service_id=asked.service.id).select_related(*RELATED).order_by("pk"))


def _is_so(asked: Asked) -> bool:
    """Whether a second click asks for what the first one did."""
    held, mapped = open_override(asked.mapping), mapped_service(asked.mapping)
    return (held.service_id if held else mapped.service_id if mapped else None) == asked.service.id


def _write(asked: Asked, actor: Actor, now: datetime) -> None:
    """From the day on nothing else holds; where it is not the mapped service, what was asked for."""
    mapping, mapped = asked.mapping, mapped_service(asked.mapping)
    here = {
        "connection": mapping.connection,
        "contract_id": mapping.contract_id,
        "variant": mapping.subscription.variant,
    }
    later = Q(ends_before__isnull=True) | Q(ends_before__gt=asked.day)
    for one in ServiceOverride.objects.filter(later, **here):
        one.ends_before = max(asked.day, one.starts_on)
        one.save(update_fields=["ends_before"])
    if mapped is not None and asked.service.id == mapped.service_id:
        return
    ServiceOverride.objects.create(
        **here,
        contract_name=mapping.contract_name,
        service_id=asked.service.id,
        service_name=asked.service.name,
        starts_on=asked.day,
        reason=asked.why,
        created_by_id=actor.user_id,
        created_at=now,
    )


def _record(asked: Asked, before: ServiceOverride | None, count: int, actor: Actor, now: datetime) -> None:
    mapping = asked.mapping
    record(
        BILL_AS,
        actor=actor,
        organization=mapping.connection.organization,
        subject=f"{mapping.subscription.variant} as {asked.service.name} on {mapping.contract_name}",
        connection=mapping.connection,
        customer=mapping.subscription.customer,
        asked={"service": asked.service.name, "from": asked.day, "reason": asked.why, "subscriptions": count},
        before={"service": before.service_name if before else mapping.service_name},
        after={"service": asked.service.name},
        correlation_id=uuid.uuid4(),
        at=now,
    )
