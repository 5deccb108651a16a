"""What the mapping pages of customers and offers have in common, and where the two differ: whose rows, which rules."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import reduce
from operator import or_
from typing import Any, ClassVar

from django.db.models import Count, Exists, OuterRef, Q, QuerySet

from connections.models import Connection, MirroredCompany, MirroredService
from mappings import actions, eligibility, pickers, removals, resolve
from mappings.models import CustomerMapping, OfferMapping, Suggestion
from mappings.pickers import Pair, Picker, Search
from mappings.reasons import Reason, reason
from portal.audit import Actor
from portal.counting import counts_of
from portal.models import Customer, OfferVariant, Subscription

STATES = (
    ("mapped", "Mapped"),
    ("not_mapped", "Not mapped"),
    ("suggested", "Suggested"),
    ("conflict", "Conflict"),
    ("left_out", "Cannot be mapped"),
)
TONES = {"mapped": "ok", "not_mapped": "muted", "suggested": "info", "conflict": "warn", "left_out": "muted"}


class Refused(Exception):
    """The pair cannot be mapped; nothing was written. `reasons` say why and what to change."""

    def __init__(self, reasons: Sequence[Reason]) -> None:
        super().__init__("; ".join(str(reason) for reason in reasons))
        self.reasons = tuple(reasons)


@dataclass(frozen=True, slots=True)
class Row:
    """A customer or an offer variant with what it is mapped to, or what it may be, best first.

    `reasons`: why it cannot be mapped at all.
    """

    ours: Any
    name: str
    detail: str
    mapping: Any = None
    suggestions: tuple[Suggestion, ...] = ()
    reasons: tuple[Reason, ...] = ()

    @property
    def state(self) -> str:
        if self.mapping:
            return "mapped"
        if self.reasons:
            return "left_out"
        if any(one.state == Suggestion.State.CONFLICT for one in self.suggestions):
            return "conflict"
        return "suggested" if self.suggestions else "not_mapped"

    @property
    def label(self) -> str:
        return dict(STATES)[self.state]

    @property
    def tone(self) -> str:
        return TONES[self.state]

    @property
    def theirs(self) -> str:
        """The name in the PSA that it is mapped to."""
        return getattr(self.mapping, "company_name", "") or getattr(self.mapping, "service_name", "")

    @property
    def best(self) -> Suggestion | None:
        """The suggestion that can be accepted without looking at another."""
        return self.suggestions[0] if self.state == "suggested" else None


@dataclass(frozen=True, slots=True)
class Progress:
    """How many of all that can be mapped are."""

    mapped: int
    total: int

    @property
    def left(self) -> int:
        return self.total - self.mapped


@dataclass(frozen=True, slots=True)
class Group:
    """Rows of ours (id and names, the most telling first), and rows of theirs (id and name) that each may be."""

    ours: list[tuple[int, tuple[str, ...]]]
    theirs: list[tuple[int, str]]


@dataclass(frozen=True)
class Board:
    """One mapping page of a connection. `ours` is the column of a mapping that holds our row."""

    connection: Connection
    today: date

    noun: ClassVar[str]
    nouns: ClassVar[str]
    theirs: ClassVar[str]
    ours: ClassVar[str]
    order: ClassVar[tuple[str, ...]]
    hides_mapped: ClassVar[bool]
    mappings: ClassVar[Any]
    mirror: ClassVar[Any]

    def everything(self) -> QuerySet[Any]:
        """Every row of ours that belongs on this page, those that cannot be mapped included."""
        raise NotImplementedError

    def cannot(self) -> Q:
        """What cannot be mapped whatever is chosen."""
        return Q(pk__in=())

    def row(self, ours: Any, mapping: Any = None, suggestions: tuple[Suggestion, ...] = ()) -> Row:
        raise NotImplementedError

    def pair(self, ours: Any) -> Pair:
        raise NotImplementedError

    def pick(self, ours: Any, search: Search) -> Picker:
        """One page of what it may be mapped to, or of what was left out, with reasons."""
        raise NotImplementedError

    def refusals(self, ours: Any, theirs: Any) -> tuple[Reason, ...]:
        """What stands against this pair: the check of whoever posts it."""
        raise NotImplementedError

    def read(self, row: Any) -> Any:
        """A row of the mirror as the rules take it."""
        raise NotImplementedError

    def write(self, ours: Any, theirs: Any, *, actor: Actor, at: datetime, **about: Any) -> Any:
        raise NotImplementedError

    def remove(self, mapping: Any, *, actor: Actor, at: datetime) -> None:
        raise NotImplementedError

    def groups(self) -> Iterator[Group]:
        """What is not mapped yet, with what it could be: every row of ours stands in one group."""
        raise NotImplementedError

    def mappable(self) -> QuerySet[Any]:
        return self.everything().exclude(self.cannot())

    def in_state(self, rows: QuerySet[Any], state: str) -> QuerySet[Any]:
        """Those of `rows` that are in one of STATES."""
        if state == "left_out":
            return rows.filter(self.cannot())
        rows, mapped = rows.exclude(self.cannot()), self._mapped()
        if state == "mapped":
            return rows.filter(mapped)
        found = Suggestion.objects.filter(connection=self.connection, **{f"{self.ours}__isnull": False})
        conflict, open_ = (
            Q(pk__in=found.filter(state=one).values(self.ours))
            for one in (Suggestion.State.CONFLICT, Suggestion.State.OPEN)
        )
        narrowed = {"not_mapped": ~conflict & ~open_, "conflict": conflict, "suggested": open_ & ~conflict}
        return rows.filter(~mapped, narrowed[state])

    def unmapped(self, rows: QuerySet[Any]) -> QuerySet[Any]:
        return rows.exclude(self.cannot()).filter(~self._mapped())

    def progress(self) -> Progress:
        """Counted in one pass."""
        counts = self.mappable().order_by().aggregate(total=Count("pk"), mapped=Count("pk", filter=self._mapped()))
        return Progress(counts["mapped"], counts["total"])

    def rows(self, found: Sequence[Any]) -> list[Row]:
        """The rows of one page, in two queries."""
        by = f"{self.ours}_id"
        here = {"connection": self.connection, f"{self.ours}__in": found}
        mapped = {getattr(one, by): one for one in self.mappings.objects.filter(**here)}
        may_be: dict[int, tuple[Suggestion, ...]] = {}
        for one in Suggestion.objects.waiting().filter(**here):
            may_be[getattr(one, by)] = (*may_be.get(getattr(one, by), ()), one)
        return [self.row(ours, mapped.get(ours.pk), may_be.get(ours.pk, ())) for ours in found]

    def map(self, ours: Any, remote_id: int | None, *, actor: Actor, at: datetime) -> Any:
        """Map it after checking everything; the same again is no error. Raises Refused."""
        if remote_id is None:
            raise Refused([reason("nothing_chosen")])
        row = self.mirror.objects.filter(connection=self.connection, remote_id=remote_id).first()
        if row is None:
            raise Refused([reason("not_there", noun=self.theirs)])
        theirs = self.read(row)
        if refusals := self.refusals(ours, theirs):
            raise Refused(refusals)
        try:
            return self.write(ours, theirs, actor=actor, at=at)
        except actions.AlreadyMapped as error:
            raise Refused([error.reason]) from error

    def unmap(self, ours: Any, *, actor: Actor, at: datetime) -> None:
        """Take its mapping away; none is no error. Raises Refused while subscriptions are billed by it."""
        mapping = self.mappings.objects.filter(connection=self.connection, **{self.ours: ours}).first()
        try:
            if mapping is not None:
                self.remove(mapping, actor=actor, at=at)
        except removals.InUse as error:
            raise Refused([error.reason]) from error

    def _free(self, eligible: Q) -> list[tuple[int, str]]:
        """Id and name of the PSA's rows that are eligible and not taken."""
        taken = self.mappings.objects.filter(connection=self.connection).values(f"{self.theirs}_id")
        rows = self.mirror.objects.filter(eligible, connection=self.connection).exclude(remote_id__in=taken)
        return list(rows.order_by("remote_id").values_list("remote_id", "name"))

    def _mapped(self) -> Q:
        """Not a question for each row: the list of what is mapped is short to read, and nothing where nothing is."""
        return Q(pk__in=self.mappings.objects.filter(connection=self.connection).values(self.ours))


class CustomerBoard(Board):
    """Which customer is which company: the customers that the connection's organization bills itself."""

    noun, nouns, theirs, ours = "customer", "customers", "company", "customer"
    order = ("name", "pk")
    hides_mapped = False
    mappings, mirror = CustomerMapping, MirroredCompany

    def everything(self) -> QuerySet[Customer]:
        return Customer.objects.filter(organization=self.connection.organization_id)

    def progress(self) -> Progress:
        """A customer stays with its organization, so that its mappings are counted without it."""
        mapped = self.mappings.objects.filter(connection=self.connection)
        return Progress(**counts_of(self.connection.organization_id, mapped=mapped, total=self.everything()))

    def groups(self) -> Iterator[Group]:
        ours = self.unmapped(self.everything()).order_by("pk").values_list("pk", "name")
        if ours:
            yield Group([(pk, (name,)) for pk, name in ours], self._free(pickers.eligible_companies(self.connection)))

    def row(self, ours: Any, mapping: Any = None, suggestions: tuple[Suggestion, ...] = ()) -> Row:
        return Row(ours, ours.name, ours.domain, mapping, suggestions)

    def pair(self, ours: Any) -> Pair:
        facts = resolve.customer_facts(ours, self.connection, today=self.today)
        return Pair(self.connection, facts, customer_id=ours.pk)

    def pick(self, ours: Any, search: Search) -> Picker:
        return pickers.company_picker(self.pair(ours), search)

    def refusals(self, ours: Any, theirs: Any) -> tuple[Reason, ...]:
        return resolve.company_refusals(ours.pk, self.connection, theirs, self.pair(ours).facts)

    def read(self, row: Any) -> Any:
        return resolve.company_of(row)

    def write(self, ours: Any, theirs: Any, *, actor: Actor, at: datetime, **about: Any) -> CustomerMapping:
        who: dict[str, Any] = {"connection": self.connection, "actor": actor, "at": at}
        return actions.map_customer(customer=ours, company=theirs, **who, **about)

    def remove(self, mapping: Any, *, actor: Actor, at: datetime) -> None:
        removals.remove_customer_mapping(mapping, actor=actor, at=at)


class OfferBoard(Board):
    """Which offer variant is which service: the variants that the organization's customers have bought."""

    noun, nouns, theirs, ours = "offer", "offers", "service", "variant"
    order = ("search_text", "pk")
    hides_mapped = True
    mappings, mirror = OfferMapping, MirroredService

    def everything(self) -> QuerySet[OfferVariant]:
        bought = Subscription.objects.filter(organization=self.connection.organization_id, variant=OuterRef("pk"))
        return OfferVariant.objects.filter(Exists(bought)).select_related("offer")

    def cannot(self) -> Q:
        by_term = reduce(or_, (Q(billing=billing) for billing in eligibility.PERIOD_OF_BILLING))
        return Q(offer__category__in=eligibility.OFFERS_NOT_MAPPABLE) | ~(by_term | Q(offer__category="azure_plan"))

    def groups(self) -> Iterator[Group]:
        found: dict[tuple[str, bool], tuple[Pair, list[tuple[int, tuple[str, ...]]]]] = {}
        for variant in self.unmapped(self.everything()).order_by("pk"):
            pair = self.pair(variant)
            _, ours = found.setdefault((pair.facts.period, pair.facts.is_azure_plan), (pair, []))
            ours.append((variant.pk, (str(variant), variant.offer.title)))
        for pair, ours in found.values():
            yield Group(ours, self._free(pickers.eligible_services(pair.facts)))

    def row(self, ours: Any, mapping: Any = None, suggestions: tuple[Suggestion, ...] = ()) -> Row:
        reasons = eligibility.subscription_reasons(self.pair(ours).facts)
        return Row(ours, ours.offer.title, ours.terms, mapping, suggestions, reasons)

    def pair(self, ours: Any) -> Pair:
        facts = resolve.offer_facts(ours, self.connection, today=self.today)
        return Pair(self.connection, facts, variant_id=ours.pk)

    def pick(self, ours: Any, search: Search) -> Picker:
        return pickers.service_picker(self.pair(ours), search)

    def refusals(self, ours: Any, theirs: Any) -> tuple[Reason, ...]:
        facts = self.pair(ours).facts
        against = resolve.service_refusals(ours.pk, self.connection, theirs, facts)
        return (*eligibility.subscription_reasons(facts), *against)

    def read(self, row: Any) -> Any:
        return resolve.service_of(row)

    def write(self, ours: Any, theirs: Any, *, actor: Actor, at: datetime, **about: Any) -> OfferMapping:
        who: dict[str, Any] = {"connection": self.connection, "actor": actor, "at": at}
        return actions.map_offer(variant=ours, service=theirs, **who, **about)

    def remove(self, mapping: Any, *, actor: Actor, at: datetime) -> None:
        removals.remove_offer_mapping(mapping, actor=actor, at=at)


BOARDS: dict[str, type[Board]] = {board.nouns: board for board in (CustomerBoard, OfferBoard)}
