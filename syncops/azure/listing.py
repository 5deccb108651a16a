"""The Azure plans of an organization in one month: with their amounts, what became of them, and which are missing."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from django.db.models import Count, FilteredRelation, Q, QuerySet, Sum

from mappings.models import SubscriptionMapping
from portal.actions.prices import USAGE_BASED
from portal.models import Organization, Subscription
from syncops.azure.amounts import month_after
from syncops.models import AzureAlarm, AzureMonth, Shortfall, SyncOperation
from syncops.models.azure import in_state
from syncops.periods import add_months
from syncops.timeline import ONE_DAY

MISSING, NOT_MAPPED = "missing", "not_mapped"
STATES = ((MISSING, "No amount yet"), (NOT_MAPPED, "Not on a contract"), *AzureMonth.State.choices)
ROW = "of_month"
MOST_ALARMS = 50


@dataclass(frozen=True, slots=True)
class PlanRow:
    """An Azure plan with its amount of the month, where it is billed, and the money that a posted period lacks."""

    plan: Subscription
    row: AzureMonth | None
    mapping: SubscriptionMapping | None
    missing: Decimal | None = None

    @property
    def can_be_sent(self) -> bool:
        return self.row is not None and self.mapping is not None and self.row.state in AzureMonth.TO_SEND


def last_month(today: date) -> date:
    """The month whose amounts are due: the one before this."""
    return add_months(today.replace(day=1), -1)


def plans_in(organization: Organization, month: date) -> QuerySet[Subscription]:
    """The organization's Azure plans that can have an amount of a month; the month's row is reached as `of_month`."""
    plans = Subscription.objects.owned_by(organization).filter(variant__offer__category__in=USAGE_BASED)
    joined: Any = plans.annotate(**{ROW: FilteredRelation("azure_months", condition=Q(azure_months__month=month))})
    billed = Q(status__in=Subscription.BILLED, created_on__lte=month_after(month) - ONE_DAY)
    found: QuerySet[Subscription] = joined.filter(billed | Q(of_month__isnull=False))
    return found.select_related("customer", "variant__offer")


def narrowed(plans: QuerySet[Subscription], state: str) -> QuerySet[Subscription]:
    """Those in a state of STATES; all where it is empty."""
    if not state:
        return plans
    if state == MISSING:
        return plans.filter(**{f"{ROW}__isnull": True})
    if state == NOT_MAPPED:
        mapped = SubscriptionMapping.objects.open().values("subscription")
        return plans.exclude(pk__in=mapped)
    return plans.filter(in_state(state, f"{ROW}__"))


def rows_of(plans: Sequence[Subscription], month: date) -> list[PlanRow]:
    """The plans of a page with what it shows of them; three queries, however many there are."""
    months = AzureMonth.objects.filter(subscription__in=plans, month=month).select_related("operation", "entered_by")
    found = {one.subscription_id: one for one in months}
    mappings = SubscriptionMapping.objects.open().filter(subscription__in=plans).select_related("connection")
    mapped = {one.subscription_id: one for one in mappings}
    lacking = shortfalls_of([row.operation_id for row in found.values() if row.operation_id])
    short = {pk: lacking.get(row.operation_id or 0) for pk, row in found.items()}
    return [PlanRow(plan, found.get(plan.pk), mapped.get(plan.pk), short.get(plan.pk)) for plan in plans]


def look_of(rows: Sequence[PlanRow]) -> str:
    """Changes with anything that the list shows of these."""
    shown = [(one.plan.pk, one.row and (one.row.fingerprint, one.row.state), one.mapping, one.missing) for one in rows]
    return hashlib.sha256(repr(shown).encode()).hexdigest()[:16]


def shortfalls_of(operations: Sequence[int]) -> dict[int, Decimal]:
    """What the periods of these operations lack and nobody has made up for, in money; by the operation's id."""
    rows = Shortfall.objects.filter(operation__in=operations).exclude(settled_by__state=SyncOperation.State.SUCCEEDED)
    sums = rows.values_list("operation").annotate(Sum("amount"))
    return {pk: total for pk, total in sums if total}


def counted(organization: Organization, month: date) -> dict[str, int]:
    """How many plans there are, how many have an amount, and how many of those can be sent: one query."""
    ready = in_state(AzureMonth.State.READY, f"{ROW}__") | in_state(AzureMonth.State.CORRECTED, f"{ROW}__")
    ready &= Q(pk__in=SubscriptionMapping.objects.open().values("subscription"))
    return plans_in(organization, month).aggregate(
        plans=Count("pk"), amounts=Count("of_month"), to_send=Count("pk", filter=ready)
    )


def alarms_of(user: Any) -> QuerySet[AzureAlarm]:
    """Open alarms with what a page shows of them, the oldest period first."""
    related = ("mapping__subscription__customer", "mapping__connection", "operation")
    return AzureAlarm.objects.for_user(user).open().select_related(*related).order_by("period", "pk")
