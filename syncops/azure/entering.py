"""Amounts of Azure plans come in: judged row by row, and written down together, whoever brings them.

A person's form, a file and the import of the billed reconciliation all call `judge` and `enter`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Literal

from django.db import transaction

from portal import audit
from portal.actions.prices import USAGE_BASED, PriceBook
from portal.audit import Actor
from portal.models import Organization, Subscription
from syncops.azure.amounts import Amount, problem_of
from syncops.models import AzureMonth
from syncops.money import to_minor_unit

ENTER = "Enter Azure Month"
NAMES = ("usage_cost", "reservations_cost", "cost", "price", "price_rule", "is_complete", "currency")
FOUR_PLACES = Decimal("0.0001")
Outcome = Literal["created", "changed", "unchanged", "refused"]


@dataclass(frozen=True, slots=True)
class Origin:
    """Where amounts come from: `source` as in AzureMonth.Source, and the name of the file or report."""

    source: str
    name: str = ""
    of_csp: bool = False  # the amounts are what the CSP pays, also where a reseller owns the plan


@dataclass(frozen=True, slots=True)
class Judged:
    """What would become of one amount; `problem` says why it is refused. `cost` and `price` as they would be stored."""

    amount: Amount
    outcome: Outcome
    problem: str = ""
    plan: Subscription | None = None
    row: AzureMonth | None = None
    cost: Decimal = Decimal(0)
    price: Decimal = Decimal(0)
    rule: str = ""

    @property
    def reservations_cost(self) -> Decimal:
        """What of the cost is for reservations: as it came in, or in proportion where a CSP sells it on."""
        given, total = self.amount, self.amount.usage_cost + self.amount.reservations_cost
        if self.cost == given.cost:
            return given.reservations_cost.quantize(FOUR_PLACES)
        return (self.cost * given.reservations_cost / total).quantize(FOUR_PLACES) if total else Decimal(0)

    @property
    def usage_cost(self) -> Decimal:
        given = self.amount
        return given.usage_cost.quantize(FOUR_PLACES) if self.cost == given.cost else self.cost - self.reservations_cost

    @property
    def is_to_do(self) -> bool:
        return self.outcome in ("created", "changed")


def plans_of(organization: Organization, *, external_ids: Sequence[str]) -> dict[str, int]:
    """The organization's Azure plans by their Partner Center ids; an id that two customers share is left out."""
    rows = Subscription.objects.owned_by(organization).filter(variant__offer__category__in=USAGE_BASED)
    found: dict[str, list[int]] = {}
    for external_id, pk in rows.filter(external_id__in=set(external_ids)).values_list("external_id", "pk"):
        found.setdefault(external_id, []).append(pk)
    return {external_id: pks[0] for external_id, pks in found.items() if len(pks) == 1}


def judge(organization: Organization, amounts: Sequence[Amount], origin: Origin, *, today: date) -> list[Judged]:
    """What entering these amounts would do, in their order; five queries, however many there are."""
    wanted = {amount.subscription_id for amount in amounts}
    rows = Subscription.objects.owned_by(organization).filter(pk__in=wanted, variant__offer__category__in=USAGE_BASED)
    plans = {one.pk: one for one in rows.select_related("customer", "variant__offer", "organization__parent")}
    months = AzureMonth.objects.filter(subscription__in=plans).select_related("operation")
    known = {(one.subscription_id, one.month): one for one in months}
    book, seen, found = PriceBook.of(organization, list(plans)), set(), []
    for amount in amounts:
        place = (amount.subscription_id, amount.month)
        plan, row = plans.get(amount.subscription_id), known.get(place)
        found.append(_judge(amount, plan, row, book, origin, today, twice=place in seen))
        seen.add(place)
    return found


def _judge(
    amount: Amount,
    plan: Subscription | None,
    row: AzureMonth | None,
    book: PriceBook,
    origin: Origin,
    today: date,
    *,
    twice: bool,
) -> Judged:
    if plan is None:
        return Judged(amount, "refused", "There is no such Azure plan among your subscriptions.")
    problem = problem_of(amount, currency=plan.currency, bought_on=plan.created_on, today=today)
    if problem or twice:
        return Judged(amount, "refused", problem or "The plan and month stand in an earlier row as well.", plan, row)
    sold = book.price_usage(plan, amount.cost, amount.retail, amount.month, of_csp=origin.of_csp)
    sold_on = origin.of_csp and book.organization.parent is not None
    if sold is None and (amount.price is None or sold_on):
        words = "A margin rule needs Microsoft's retail amount. Give it" + (
            "." if sold_on else ", or the price itself."
        )
        return Judged(amount, "refused", words, plan, row)
    cost = sold.cost if sold else amount.cost
    price, rule = (sold.price, sold.rule) if sold else (cost, "")
    if amount.price is not None:
        price, rule = to_minor_unit(amount.price, amount.currency), ""
    judged = Judged(amount, "created", "", plan, row, cost, price, rule)
    if row is None:
        return judged
    outcome: Outcome = "unchanged" if _values(judged) == _stored(row) else "changed"
    return Judged(amount, outcome, "", plan, row, cost, price, rule)


def enter(
    organization: Organization, amounts: Sequence[Amount], origin: Origin, *, actor: Actor, today: date, now: datetime
) -> list[Judged]:
    """Write down the amounts that can be taken; one transaction, one audit entry each. What was judged anew."""
    with transaction.atomic():
        plans = sorted({amount.subscription_id for amount in amounts})
        list(Subscription.objects.select_for_update(no_key=True).filter(pk__in=plans).order_by("pk").values_list("pk"))
        judged = judge(organization, amounts, origin, today=today)
        todo = [one for one in judged if one.is_to_do]
        entries = [_entry(organization, one, origin, actor, now) for one in todo]
        for one in todo:
            _write(organization, one, origin, actor, now)
        if entries:
            audit.chain(entries)
    return judged


def _write(organization: Organization, judged: Judged, origin: Origin, actor: Actor, now: datetime) -> None:
    AzureMonth.objects.update_or_create(
        subscription=judged.plan,
        month=judged.amount.month,
        defaults=_values(judged)
        | {
            "organization": organization,
            "source": origin.source,
            "source_name": origin.name[:200],
            "entered_at": now,
            "entered_by_id": actor.user_id,
        },
    )


def _values(judged: Judged) -> dict[str, object]:
    amount = judged.amount
    values = (
        judged.usage_cost,
        judged.reservations_cost,
        judged.cost,
        judged.price,
        judged.rule,
        amount.is_complete,
        amount.currency,
    )
    return dict(zip(NAMES, values, strict=True))


def _stored(row: AzureMonth) -> dict[str, object]:
    return {name: getattr(row, name) for name in NAMES}


def _entry(organization: Organization, judged: Judged, origin: Origin, actor: Actor, now: datetime) -> audit.AuditEntry:
    return audit.drafted(
        ENTER,
        actor=actor,
        organization=organization,
        subject=f"{judged.plan} in {judged.amount.month:%B %Y}",
        subscription=judged.plan,
        asked={"from": AzureMonth.Source(origin.source).label, "named": origin.name},
        before=_stored(judged.row) if judged.row else {},
        after=_values(judged),
        at=now,
    )


def counted(judged: Iterable[Judged]) -> dict[str, int]:
    """How many there are of each outcome."""
    found = dict.fromkeys(("created", "changed", "unchanged", "refused"), 0)
    for one in judged:
        found[one.outcome] += 1
    return found
