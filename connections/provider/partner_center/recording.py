"""What was read of subscriptions, held against what is kept, and each difference recorded as a fact.

A comparison without a difference writes nothing. One transaction per subscription: its row, the facts, what is planned
for the PSA, and the audit entries. Where something of our own is on its way (a change of seats, an order), or the
answer may be an old one, nothing is concluded and the subscription is looked at again.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from enum import Enum
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Q

from connections.models import Connection
from connections.provider.partner_center.comparing import (
    BILLED,
    ENDED,
    Fact,
    Moment,
    State,
    Told,
    differences,
    is_reverted,
)
from connections.provider.partner_center.families import offer_of
from connections.provider.partner_center.shapes import Subscription as Listed
from connections.provider.partner_center.translate import facts as facts_of
from portal.actions import lifecycle
from portal.actions.arrivals import Arrival, NewOffer, arrive_subscription, arrive_variant, awaited, price_on
from portal.actions.lifecycle import Learned
from portal.actions.subscriptions import COUNTED_IN_SEATS
from portal.audit import Actor
from portal.models import (
    Customer,
    Offer,
    OfferVariant,
    Organization,
    Promotion,
    Subscription,
    SubscriptionChange,
    SubscriptionRequest,
)

OLD_ANSWER = timedelta(minutes=15)
"""For so long an answer that takes the last change back may be an old one: what Microsoft shows can lag behind."""
NAME = "Partner Center"
SOURCE = SubscriptionChange.Source.PARTNER_CENTER
UNPRICED = (Offer.Category.AZURE_PLAN, Offer.Category.LEGACY)  # by usage, and as agreed long ago
RELATED = ("variant__offer", "organization__parent", "customer")


class Outcome(Enum):
    SAME = "unchanged"
    CHANGED = "changed"
    NEW = "new"
    LATER = "to look at again"


@dataclass(frozen=True, slots=True)
class Held:
    """What a customer holds here when it is asked for there: rows by id, without case, with their versions."""

    customer: Customer
    rows: Mapping[str, Subscription]


class Recorder:
    """Compares and records for one tenant. The catalogue and the resellers are looked up once."""

    def __init__(self, connection: Connection, clock: Callable[[], datetime]) -> None:
        self.connection, self.csp, self._clock = connection, connection.organization, clock
        self.problems: list[str] = []
        resellers = Organization.objects.filter(Q(parent=self.csp) | Q(pk=self.csp.pk)).exclude(mpn_id="")
        self._owners = {row.mpn_id: row for row in resellers.select_related("parent")}
        self._promotions = dict(Promotion.objects.filter(owner=self.csp).values_list("promotion_id", "pk"))
        self._variants: dict[tuple[str, ...], OfferVariant] = {}

    @property
    def now(self) -> datetime:
        return self._clock()

    def held(self, customer: Customer) -> Held:
        """Look before asking: what changes here in between is then told apart from what changed there."""
        tenant = Q(organization=self.csp) | Q(organization__parent=self.csp)
        rows = Subscription.objects.filter(tenant, customer__external_id__iexact=customer.external_id)
        known = {row.external_id.casefold(): row for row in rows.select_related(*RELATED) if row.external_id}
        return Held(customer, known)

    def compare(self, held: Held, listed: Listed, told: Sequence[Told] = (), *, migrated_to: str = "") -> Outcome:
        """Record what differs."""
        row = held.rows.get(listed.id.casefold())
        if row is None:
            return self._arrived(held.customer, listed)
        seen = self._seen(row, listed)
        moment = self._moment(row.organization, told)
        if not differences(_kept(row), seen, moment, migrated_to=migrated_to) and _is_priced(row):
            return Outcome.SAME
        seen = replace(seen, prices=self._prices(seen, row))
        return self._record(row, seen, moment, migrated_to)

    def gone(self, row: Subscription) -> None:
        """A person's word, or a few only: Microsoft no longer shows it, so it is not billed any more."""
        lifecycle.record_cancelled(row, self._learned(Fact("", self._moment(row.organization, ()).today)))

    def _record(self, row: Subscription, seen: State, moment: Moment, migrated_to: str) -> Outcome:
        with transaction.atomic():
            locked = Subscription.objects.select_for_update(of=("self",), no_key=True)
            now = locked.select_related(*RELATED).get(pk=row.pk)
            if now.version != row.version:
                return Outcome.LATER
            facts = differences(_kept(now), seen, moment, migrated_to=migrated_to)
            if not facts:
                return Outcome.SAME
            if self._must_wait(now, facts, moment):
                return Outcome.LATER
            for fact in facts:
                self._apply(now, fact)
        return Outcome.CHANGED

    def _must_wait(self, row: Subscription, facts: Sequence[Fact], moment: Moment) -> bool:
        """Whether our own change of seats is on its way, or the answer may be older than what was recorded last."""
        quantities = any(fact.verb == "record_quantity" for fact in facts)
        if quantities and row.requests.filter(state__in=SubscriptionRequest.OPEN).exists():
            return True
        last = row.changes.order_by("-pk").first()
        if last is None or last.recorded_at < self._clock() - OLD_ANSWER:
            return False
        is_newer = any(told.at > last.recorded_at for _, told in moment.told)
        return not is_newer and is_reverted(facts, last.before, last.after)

    def _apply(self, row: Subscription, fact: Fact) -> None:
        values = dict(fact.values)
        if fact.verb == "record_reseller":
            values["to"] = Organization.objects.get(pk=values["to"])
        elif fact.verb in ("record_billing_cycle", "record_upgraded"):
            values["to"] = OfferVariant.objects.select_related("offer").get(pk=values["to"])
        verb: Callable[..., Any] = getattr(lifecycle, fact.verb)
        verb(row, self._learned(fact), **values)

    def _learned(self, fact: Fact) -> Learned:
        by = f"{NAME}, {fact.by}" if fact.by else NAME
        return Learned(fact.on, SOURCE, Actor.system(by[:200]), self._clock())

    def _moment(self, organization: Organization, told: Sequence[Told]) -> Moment:
        zone = organization.zone
        days = sorted(((one.at.astimezone(zone).date(), one) for one in told), key=lambda pair: pair[1].at)
        return Moment(self._clock().astimezone(zone).date(), tuple(days))

    def _arrived(self, customer: Customer, listed: Listed) -> Outcome:
        organization = self._owner_of(listed) or customer.organization
        theirs = Customer.objects.filter(organization=organization, external_id__iexact=customer.external_id)
        customer = theirs.first() or customer
        variant = self._variant(offer_of(listed))
        arrival = self._arrival(organization, variant, listed)
        learned = self._learned(Fact("", arrival.starts_on or arrival.created_on))
        try:
            with transaction.atomic():
                if awaited(customer, variant):
                    return Outcome.LATER
                arrive_subscription(customer, arrival, learned)
        except IntegrityError:  # somebody was quicker; what it is now is compared then
            return Outcome.LATER
        return Outcome.NEW

    def _arrival(self, organization: Organization, variant: OfferVariant, listed: Listed) -> Arrival:
        said, zone = facts_of(listed), organization.zone
        bought = listed.creation_date or said.started_at or self._clock()
        began = said.started_at.astimezone(zone).date() if said.started_at else None
        prices = price_on(variant, organization.currency, began)
        if prices is None and said.status in BILLED and variant.offer.category not in UNPRICED:
            self.problems.append(f"{said.friendly_name} ({variant}) has no price in {organization.currency}.")
        prices = prices or (Decimal(0), Decimal(0))
        return Arrival(
            external_id=said.external_id,
            variant=variant,
            organization=organization,
            quantity=said.quantity,
            status=said.status,
            friendly_name=said.friendly_name or variant.offer.title,
            list_price=prices[0],
            erp=prices[1],
            auto_renew=said.auto_renew,
            created_on=bought.astimezone(zone).date(),
            starts_on=began,
            ends_on=said.ends_on,
            promotion_id=self._promotions.get(listed.promotion_id),
        )

    def _owner_of(self, listed: Listed) -> Organization | None:
        """Who sells it: the reseller of that partner id; None where it names nobody, or nobody who is known here."""
        if not listed.partner_id:
            return None
        owner = self._owners.get(listed.partner_id)
        if owner is None:
            self.problems.append(f"{listed.friendly_name}: no reseller here has the partner id {listed.partner_id}.")
        return owner

    def _variant(self, offer: NewOffer) -> OfferVariant:
        key = tuple(part.casefold() for part in (offer.product_id, offer.sku_id, offer.term, offer.billing))
        if key not in self._variants:
            self._variants[key] = arrive_variant(self.csp, offer)
        return self._variants[key]

    def _seen(self, row: Subscription, listed: Listed) -> State:
        """As Partner Center shows it. Of one that has ended, what it was of is not asked any more."""
        said = facts_of(listed)
        variant = row.variant if said.status in ENDED else self._variant(offer_of(listed))
        owner = self._owner_of(listed)
        began = said.started_at.astimezone(row.organization.zone).date() if said.started_at else row.starts_on
        return State(
            status=said.status,
            quantity=said.quantity,
            starts_on=began,
            ends_on=said.ends_on,
            auto_renew=said.auto_renew,
            friendly_name=(said.friendly_name or row.friendly_name)[:200],
            variant_id=variant.pk,
            offer_id=variant.offer_id,
            term=variant.term,
            billing=variant.billing,
            organization_id=owner.pk if owner else None,
            has_seats=said.quantity > 0 and variant.offer.category != Offer.Category.AZURE_PLAN,
        )

    def _prices(self, seen: State, row: Subscription) -> Any:
        variant = OfferVariant.objects.get(pk=seen.variant_id)
        return price_on(variant, row.currency, seen.starts_on)


def _kept(row: Subscription) -> State:
    return State(
        status=row.status,
        quantity=row.quantity,
        starts_on=row.starts_on,
        ends_on=row.ends_on,
        auto_renew=row.auto_renew,
        friendly_name=row.friendly_name,
        variant_id=row.variant_id,
        offer_id=row.variant.offer_id,
        term=row.variant.term,
        billing=row.variant.billing,
        prices=(row.list_price, row.erp),
        organization_id=row.organization_id,
    )


def _is_priced(row: Subscription) -> bool:
    """False for one that was bought before its price was known: it is asked for each time."""
    is_sold_by_unit = row.variant.offer.category in COUNTED_IN_SEATS and row.status in BILLED
    return bool(row.list_price or row.erp) or not is_sold_by_unit


def migrations(listed: Iterable[Listed]) -> dict[str, str]:
    """Which subscription took over which: the new one's id by the old one's, without case."""
    found = ((one.migrated_from_subscription_id.casefold(), one.id) for one in listed)
    return {old: new for old, new in found if old}
