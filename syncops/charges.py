"""A shortfall becomes one charge on the contract: what a person sees of it first, and what their yes begins."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.db import transaction

from connections.psa.base import Psa
from connections.psa.types import BillingCode
from mappings.models import SubscriptionMapping
from portal.audit import Actor
from portal.models import Subscription, User
from syncops.actions import NotPossible, plan_operation
from syncops.lines import rows_of, term_of
from syncops.models import Shortfall, Stream, SyncOperation
from syncops.money import to_minor_unit
from syncops.operations import charge_shortfall
from syncops.timeline import first_open_date

KEY_PREFIX = "portal-"


@dataclass(frozen=True, slots=True)
class ChargeDraft:
    """One charge as it would be made, quantity 1: price and cost are totals in `currency`, so that no cent is lost to
    rounding. A negative price is a credit. `problem`: why it cannot be made.
    """

    mapping: SubscriptionMapping
    shortfalls: tuple[Shortfall, ...]
    currency: str
    name: str = ""
    description: str = ""
    unit_price: Decimal = Decimal(0)
    unit_cost: Decimal = Decimal(0)
    knows_cost: bool = True
    purchased_on: date | None = None
    codes: tuple[BillingCode, ...] = ()
    problem: str = ""

    @property
    def is_credit(self) -> bool:
        return self.unit_price < 0

    @property
    def can_be_made(self) -> bool:
        return not self.problem


def chargeable(mapping: SubscriptionMapping) -> list[Shortfall]:
    """What nobody has settled yet on the line of a mapping, oldest days first, with its money known."""
    rows = Shortfall.objects.unsettled().given_up().filter(operation__mapping=mapping, amount__isnull=False)
    return list(rows.select_related("operation").order_by("starts_on", "pk"))


def draft_charge(
    mapping: SubscriptionMapping, shortfalls: Sequence[Shortfall], psa: Psa, *, today: date
) -> ChargeDraft:
    """The charge that would settle these shortfalls, dated into the first period that can still bill it: three reads.

    Raises the errors of `portal.far_side`.
    """
    chosen, currency = tuple(shortfalls), mapping.connection.currency
    total = sum((gap.amount or Decimal(0) for gap in chosen), Decimal(0))
    if not chosen or not total:
        words = "add up to nothing, so there is nothing to charge" if chosen else "are none: choose at least one"
        return ChargeDraft(mapping, chosen, currency, problem=f"The chosen days {words}.")
    purchased_on = _day_that_bills(mapping, psa, today)
    if purchased_on is None:
        problem = (
            f"{mapping.contract_name} is posted to its end, and nothing on it is billed any more. Extend it first."
        )
        return ChargeDraft(mapping, chosen, currency, problem=problem)
    return ChargeDraft(
        mapping,
        chosen,
        currency,
        name=charge_name(mapping.service_name, chosen, credit=total < 0),
        description="\n".join(map(in_words, chosen)),
        unit_price=to_minor_unit(total, currency),
        unit_cost=to_minor_unit(sum((gap.cost_amount or Decimal(0) for gap in chosen), Decimal(0)), currency),
        knows_cost=all(gap.cost_amount is not None for gap in chosen),
        purchased_on=purchased_on,
        codes=tuple(psa.billing_codes()),
    )


def _day_that_bills(mapping: SubscriptionMapping, psa: Psa, today: date) -> date | None:
    """Today, or the first day of the contract that is not posted; None where all of it is."""
    contract = psa.contract(mapping.contract_id)
    if contract is None:
        return None
    rows = psa.unit_rows([mapping.line_id]) if mapping.line_id else []
    first = first_open_date(rows_of(rows), term_of(contract))
    return None if first > contract.ends_on else min(max(today, first), contract.ends_on)


def charge_name(service: str, gaps: Sequence[Shortfall], *, credit: bool) -> str:
    """What the customer reads on the invoice: at most 100 characters, the days always whole."""
    first, last = min(gap.starts_on for gap in gaps), max(gap.ends_on for gap in gaps)
    days = f" ({'credit for ' if credit else ''}{first} to {last})"
    return service[: 100 - len(days)] + days


def in_words(gap: Shortfall) -> str:
    """One line of the charge's description."""
    price = "" if gap.unit_price is None else f" at {gap.unit_price.normalize():f}"
    amount = f"{gap.amount:.2f}" if gap.amount is not None else "unknown"
    return f"{gap.starts_on} to {gap.ends_on}: {gap.units:+d} units{price} per period, {amount} {gap.currency}"


def charge_shortfalls(draft: ChargeDraft, code: BillingCode, *, actor: User, now: datetime) -> SyncOperation:
    """Queue the one charge that settles these shortfalls. The same confirmation again gives the operation that exists.

    Raises NotPossible where the draft cannot be made, or one of them was settled meanwhile.
    """
    if not draft.can_be_made or draft.purchased_on is None:
        raise NotPossible(draft.problem)
    mapping, wanted = draft.mapping, {gap.pk for gap in draft.shortfalls}
    with transaction.atomic():
        _lock(mapping)
        rows = Shortfall.objects.filter(pk__in=wanted, operation__mapping=mapping)
        settled = {row.settled_by_id for row in rows}
        if settled != {None}:
            return _same_charge(settled, wanted)
        correlation_id = uuid.uuid4()
        operation = plan_operation(
            mapping,
            charge_shortfall.KIND.name,
            effective_on=draft.purchased_on,
            payload=_payload(draft, code, f"{KEY_PREFIX}{correlation_id.hex}"),
            actor=Actor.user(actor),
            now=now,
            correlation_id=correlation_id,
        )
        rows.update(settled_by=operation)
    return operation


def _lock(mapping: SubscriptionMapping) -> None:
    """Subscription, then stream: the order that all keep."""
    Subscription.objects.select_for_update(no_key=True).get(pk=mapping.subscription_id)
    streams = Stream.objects.select_for_update(no_key=True).filter(connection=mapping.connection_id)
    streams.get(subscription=mapping.subscription_id)


def _same_charge(settled: set[int | None], wanted: set[int]) -> SyncOperation:
    """The operation that settles exactly these already: a second click shows what the first began."""
    [first, *others] = settled
    if first is not None and not others:
        operation = SyncOperation.objects.get(pk=first)
        if set(operation.settles.values_list("pk", flat=True)) == wanted:
            return operation
    raise NotPossible("Some of these were charged meanwhile. Nothing was sent; look at what is left.")


def _payload(draft: ChargeDraft, code: BillingCode, key: str) -> dict[str, Any]:
    return {
        "contract_id": draft.mapping.contract_id,
        "billing_code_id": code.id,
        "billing_code": code.name,
        "name": draft.name,
        "description": draft.description,
        "quantity": "1",
        "unit_price": str(draft.unit_price),
        "unit_cost": str(draft.unit_cost),
        "purchased_on": str(draft.purchased_on),
        "key": key,
        "shortfalls": [gap.pk for gap in draft.shortfalls],
    }
