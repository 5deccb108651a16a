"""Whose prices follow from margins that changed, and telling those who have to know."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from functools import reduce
from operator import or_
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db.models import Q, QuerySet
from django.utils.module_loading import import_string

from portal.actions.subscriptions import record_change
from portal.audit import Actor
from portal.models import MarginRule, Organization, Subscription, SubscriptionChange


@dataclass(frozen=True, slots=True)
class Scope:
    """Whom margins of `organization_id` price: its own customers, or its resellers'; narrowed where an id or a category
    is given. A subscription with a margin of its own is out of the reach of margins for customers.
    """

    organization_id: int
    for_resellers: bool = False
    customer_id: int | None = None
    reseller_id: int | None = None
    category: str = ""

    @property
    def subscriptions(self) -> Q:
        """The subscriptions as a condition on `Subscription`."""
        if not self.for_resellers:
            found = Q(organization=self.organization_id, margin_rule__isnull=True)
        elif self.reseller_id is None:
            found = Q(organization__parent=self.organization_id)
        else:
            found = Q(organization=self.reseller_id)
        if self.customer_id is not None:
            found &= Q(customer=self.customer_id)
        return found & Q(variant__offer__category=self.category) if self.category else found

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True, slots=True)
class MarginsChanged:
    """Margins of an organization changed, in words and by whom, and whom they price before or after."""

    organization: Organization
    what: str
    scopes: Sequence[Scope]
    actor: Actor
    at: datetime
    correlation_id: UUID | None = None


def priced_by(scopes: Iterable[Scope]) -> QuerySet[Subscription]:
    """The active and suspended subscriptions that these margins price."""
    reached = reduce(or_, (scope.subscriptions for scope in scopes))
    return Subscription.objects.filter(reached, status__in=Subscription.BILLED)


def scope_of(rule: MarginRule) -> Scope:
    return Scope(
        rule.organization_id,
        for_resellers=rule.audience == MarginRule.Audience.RESELLERS,
        customer_id=rule.customer_id,
        reseller_id=rule.reseller_id,
        category=rule.category,
    )


def scopes_of_all(organization: Organization) -> tuple[Scope, ...]:
    """Everybody that the organization sells to."""
    return Scope(organization.pk), Scope(organization.pk, for_resellers=True)


def reprice(rules: Iterable[MarginRule], *, actor: Actor, at: datetime, correlation_id: UUID | None = None) -> None:
    """What follows from margin rules that were changed (as they were, and as they are), in the caller's transaction.

    A rule of one subscription is a change of its price; the others are told to `settings.PORTAL_MARGIN_LISTENERS`.
    """
    rules = list(rules)
    scopes = tuple(dict.fromkeys(scope_of(rule) for rule in rules if rule.subscription_id is None))
    for subscription in {rule.subscription for rule in rules if rule.subscription is not None}:
        _record_price(subscription, actor, at, correlation_id)
    if scopes:
        tell(MarginsChanged(rules[-1].organization, words_of(rules[-1]), scopes, actor, at, correlation_id))


def tell(change: MarginsChanged) -> None:
    for listener in settings.PORTAL_MARGIN_LISTENERS:
        import_string(listener)(change)


def _record_price(subscription: Subscription, actor: Actor, at: datetime, correlation_id: UUID | None) -> None:
    """The margin of one subscription changed; one that is not billed yet is priced when it starts."""
    if subscription.status in Subscription.BILLED:
        record_change(
            subscription,
            kind=SubscriptionChange.Kind.PRICE_CHANGED,
            effective_on=at.astimezone(subscription.organization.zone).date(),
            source=SubscriptionChange.Source.PORTAL,
            after={},
            actor=actor,
            at=at,
            correlation_id=correlation_id,
        )


def words_of(rule: MarginRule) -> str:
    """The rule and whom it is for."""
    whom = rule.customer or rule.reseller or f"all {rule.get_audience_display().lower()}"
    return f"{rule} for {whom}, {rule.get_category_display() or 'all categories'}"
