"""A change of margins before it is made: what it is, which prices follow from it, and making it once."""

from __future__ import annotations

import uuid
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.core import signing
from django.core.exceptions import ValidationError
from django.db.models import QuerySet

from portal.actions.margins import remove_rule, rule_facts, save_rule, update_settings
from portal.actions.prices import USAGE_BASED, PriceBook
from portal.actions.repricing import Scope, priced_by, scope_of, scopes_of_all, words_of
from portal.audit import Actor
from portal.currencies import to_minor_unit
from portal.models import MarginRule, MarginSettings, OfferVariant, Organization, Subscription

SALT = "portal.margin_draft"
FIELDS = ("audience", "category", "customer_id", "reseller_id", "subscription_id", "kind")
SETTINGS = ("pass_promotions", "markup_limit", "discount_limit")
CHANGED = "Somebody else changed this rule meanwhile. Look at it again, then change it."


@dataclass(frozen=True, slots=True)
class MarginDraft:
    """A change that was not made yet: a rule as it is (`before`) and as it shall be (`after`), or other settings. `key`
    follows it to whatever comes of it.
    """

    organization: Organization
    before: MarginRule | None = None
    after: MarginRule | None = None
    settings: dict[str, bool] | None = None
    key: uuid.UUID = field(default_factory=uuid.uuid4)

    @property
    def scopes(self) -> tuple[Scope, ...]:
        if self.settings is not None:
            return scopes_of_all(self.organization)
        return tuple(dict.fromkeys(scope_of(rule) for rule in (self.before, self.after) if rule is not None))

    @property
    def subscription_id(self) -> int | None:
        """The one subscription whose own margin it is; None where it is for many."""
        rule = self.after or self.before
        return rule.subscription_id if rule else None

    @property
    def words(self) -> str:
        if self.after is None:
            return f"Without: {words_of(self.before)}" if self.before else "Promotions and limits"
        return words_of(self.after)

    def signed(self) -> str:
        """The draft as text that travels through an address: nobody can alter it."""
        rule = self.after
        told = {
            "organization": self.organization.pk,
            "rule": self.before.pk if self.before else None,
            "was": rule_facts(self.before) if self.before else None,
            "after": {name: getattr(rule, name) for name in FIELDS} | {"percent": str(rule.percent)} if rule else None,
            "settings": self.settings,
            "key": str(self.key),
        }
        return signing.dumps(told, salt=SALT, compress=True)


def draft_of(text: str, organization: Organization) -> MarginDraft | None:
    """The draft that was signed; None where it is none, or another organization's. Raises ValidationError where its
    rule was changed meanwhile.
    """
    try:
        told: dict[str, Any] = signing.loads(text, salt=SALT)
    except signing.BadSignature:
        return None
    if told["organization"] != organization.pk:
        return None
    before = None
    if told["rule"] is not None:
        before = MarginRule.objects.filter(pk=told["rule"], organization=organization).first()
        if before is None and told["after"] is not None:
            raise ValidationError(CHANGED)
        made = told["after"] is not None and before is not None and _values(before) == told["after"]
        if before is not None and rule_facts(before) != told["was"] and not made:
            raise ValidationError(CHANGED)
    after = None
    if told["after"] is not None:
        after = MarginRule(pk=told["rule"], organization=organization, **told["after"])
        after.percent = Decimal(told["after"]["percent"])
    return MarginDraft(organization, before, after, told["settings"], uuid.UUID(told["key"]))


def _values(rule: MarginRule) -> dict[str, Any]:
    return {name: getattr(rule, name) for name in FIELDS} | {"percent": str(rule.percent)}


@dataclass(frozen=True, slots=True)
class Repriced:
    """One subscription whose price changes: per unit and billing period, before and after, and what it costs us.
    `effect` is for all units and a month, a year's in twelve parts.
    """

    subscription: Subscription
    before: Decimal
    after: Decimal
    cost: Decimal | None
    currency: str

    @property
    def effect(self) -> Decimal:
        change = (self.after - self.before) * self.subscription.quantity
        parts = 12 if self.subscription.variant.billing == OfferVariant.Billing.ANNUAL else 1
        return to_minor_unit(change / parts, self.currency)


def repriced(draft: MarginDraft, today: date) -> list[Repriced]:
    """Whose price changes with a draft, by customer and name. What a reseller sells is shown with what it pays, never
    with what it asks. A few queries for the organization, and a few for each reseller that is reached.
    """
    number = draft.subscription_id
    own = Subscription.objects.filter(pk=number or 0, status__in=Subscription.BILLED)
    reached: QuerySet[Subscription] = own if number is not None else priced_by(draft.scopes)
    found = reached.exclude(variant__offer__category__in=USAGE_BASED)
    related = ("customer", "variant__offer", "promotion", "organization__parent")
    by_owner: dict[int, list[Subscription]] = defaultdict(list)
    for subscription in found.select_related(*related).order_by("customer__name", "customer", "pk"):
        by_owner[subscription.organization_id].append(subscription)
    return [row for group in by_owner.values() for row in _changed(draft, group, today) if row.before != row.after]


def _changed(draft: MarginDraft, group: list[Subscription], today: date) -> list[Repriced]:
    owner, ours = group[0].organization, draft.organization
    book = PriceBook.of(owner, [one.pk for one in group])
    settings = MarginSettings(organization=ours, **draft.settings) if draft.settings is not None else None
    later = book.changed(ours.pk, removed=draft.before, added=draft.after, settings=settings)
    rows = []
    for one in group:
        was, will = book.price_of(one, today), later.price_of(one, today)
        mine = owner.pk == ours.pk
        prices = (was.unit_price, will.unit_price) if mine else (was.unit_cost, will.unit_cost)
        rows.append(Repriced(one, *prices, will.unit_cost, one.currency))
    return rows


def make(draft: MarginDraft, *, actor: Actor, at: datetime) -> None:
    """Make the change; what is so already is not made twice. Raises ValidationError in words."""
    common: dict[str, Any] = {"actor": actor, "at": at, "correlation_id": draft.key}
    if draft.settings is not None:
        update_settings(draft.organization, changes=draft.settings, **common)
    elif draft.after is None:
        if draft.before is not None:
            remove_rule(draft.before, **common)
    elif not _is_made(draft.after):
        save_rule(draft.after, **common)


def _is_made(rule: MarginRule) -> bool:
    """Whether such a rule is there: a second click made it already."""
    wanted = {name: getattr(rule, name) for name in (*FIELDS, "percent")}
    return MarginRule.objects.filter(organization=rule.organization, **wanted).exists()
