"""Choosing a company, a service, a contract: the mirror's eligible rows, and on demand the others with their reasons.

At most three queries each, and no request to the PSA.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal
from urllib.parse import urlencode

from django.db.models import Q, QuerySet

from connections.models import Connection, MirroredCompany, MirroredContract, MirroredService
from connections.psa.types import Company, Contract, Service
from mappings import eligibility
from mappings.eligibility import SubscriptionFacts
from mappings.models import CustomerMapping, OfferMapping
from mappings.reasons import Reason
from mappings.resolve import Prefill, company_of, contract_for, contract_of, service_of
from portal.models import Subscription

PAGE = 20
MOST_CONTRACTS = 1000  # of one company; the newest ones are looked at

Noun = Literal["company", "service", "contract"]


@dataclass(frozen=True, slots=True)
class Scope:
    """For which subscription, on which connection."""

    subscription: Subscription
    connection: Connection
    facts: SubscriptionFacts

    @property
    def customer_id(self) -> int:
        return self.subscription.customer_id

    @property
    def variant_id(self) -> int:
        return self.subscription.variant_id


@dataclass(frozen=True, slots=True)
class Pair:
    """For which customer or which offer variant, on which connection; the other id is None."""

    connection: Connection
    facts: SubscriptionFacts
    customer_id: int | None = None
    variant_id: int | None = None


@dataclass(frozen=True, slots=True)
class Search:
    """What a person typed and chose so far. `left_out`: show those that cannot be chosen instead, page by page.

    `carried`: the choices in all pickers, which the links keep.
    """

    text: str = ""
    chosen: int | None = None
    left_out: bool = False
    page: int = 1
    carried: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Option:
    """One row to choose; with reasons it cannot be chosen, with warnings it should be looked at."""

    row: Company | Service | Contract
    reasons: tuple[Reason, ...] = ()
    warnings: tuple[Reason, ...] = ()

    @property
    def id(self) -> int:
        return self.row.id

    @property
    def period_label(self) -> str:
        """Empty for a company, and where the PSA knows none."""
        return (
            "" if isinstance(self.row, Company) or not self.row.period else eligibility.PERIOD_LABELS[self.row.period]
        )


@dataclass(frozen=True, slots=True)
class Picker:
    """What is shown: options, the one that is chosen, and whether there are more than fit."""

    noun: Noun
    search: Search
    options: tuple[Option, ...]
    more: bool = False
    prefill: Prefill | None = None
    needs_company: bool = False

    @property
    def chosen(self) -> int | None:
        return self.search.chosen or (self.prefill.id if self.prefill else None)

    @property
    def fixed(self) -> bool:
        """True where an existing mapping leaves no choice."""
        return self.prefill is not None and self.prefill.source == "mapped"

    @property
    def url_name(self) -> str:
        return f"mappings:{self.noun}_picker"

    @property
    def nouns(self) -> str:
        return {"company": "companies", "service": "services", "contract": "contracts"}[self.noun]

    @property
    def label(self) -> str:
        return {"company": "Customer", "service": "Service", "contract": "Contract"}[self.noun]

    @property
    def question(self) -> str:
        return {
            "company": "Which company is this customer?",
            "service": "Which service is this offer?",
            "contract": "Which contract bills it? Only eligible ones are listed.",
        }[self.noun]

    @property
    def to_choices(self) -> str:
        return f"?{urlencode(self.search.carried)}" if self.search.carried else ""

    @property
    def to_eligible(self) -> str:
        return self._query()

    @property
    def to_left_out(self) -> str:
        return self._query(left_out="on")

    @property
    def to_previous(self) -> str:
        return self._query(left_out="on", page=self.search.page - 1)

    @property
    def to_next(self) -> str:
        return self._query(left_out="on", page=self.search.page + 1)

    def _query(self, **asked: Any) -> str:
        """A query string that asks this picker for something else, everything chosen kept."""
        own = {f"{self.noun}-{name}": value for name, value in {"q": self.search.text, **asked}.items() if value}
        return f"?{urlencode({**self.search.carried, **own})}"


def company_picker(scope: Scope | Pair, search: Search, prefill: Prefill | None = None) -> Picker:
    """Companies that the subscription's customer can be mapped to."""
    facts, connection = scope.facts, scope.connection
    held = CustomerMapping.objects.filter(connection=connection)
    own = held.filter(customer=scope.customer_id).first()
    others = held.exclude(customer=scope.customer_id)
    free = Q(remote_id=own.company_id) if own else ~Q(remote_id__in=others.values("company_id"))
    eligible = eligible_companies(connection) & free
    rows = MirroredCompany.objects.filter(connection=connection)

    def options(found: Sequence[MirroredCompany]) -> Iterable[Option]:
        takers = _names(others, "company_id", found) if search.left_out else {}
        for company in map(company_of, found):
            mapped_to = own.company_name if own and own.company_id != company.id else ""
            taken_by = takers.get(company.id, "")
            yield Option(company, eligibility.company_reasons(company, facts, mapped_to=mapped_to, taken_by=taken_by))

    return _picker("company", rows, eligible, search, options, prefill)


def service_picker(scope: Scope | Pair, search: Search, prefill: Prefill | None = None) -> Picker:
    """Services that the subscription's offer can be mapped to."""
    facts, connection = scope.facts, scope.connection
    held = OfferMapping.objects.filter(connection=connection)
    own = held.filter(variant=scope.variant_id).first()
    others = held.exclude(variant=scope.variant_id)
    free = Q(remote_id=own.service_id) if own else ~Q(remote_id__in=others.values("service_id"))
    eligible = eligible_services(facts) & free
    rows = MirroredService.objects.filter(connection=connection)

    def options(found: Sequence[MirroredService]) -> Iterable[Option]:
        takers = _names(others, "service_id", found) if search.left_out else {}
        for service in map(service_of, found):
            mapped_to = own.service_name if own and own.service_id != service.id else ""
            taken_by = takers.get(service.id, "")
            yield Option(service, eligibility.service_reasons(service, facts, mapped_to=mapped_to, taken_by=taken_by))

    return _picker("service", rows, eligible, search, options, prefill)


def eligible_companies(connection: Connection) -> Q:
    """`eligibility.company_reasons` as a question to the mirror, but for what is taken."""
    fitting = Q(is_active=True, type_label__iexact=eligibility.CUSTOMER_TYPE, currency__in=("", connection.currency))
    return fitting & ~Q(remote_id=eligibility.OWN_COMPANY_ID)


def eligible_services(facts: SubscriptionFacts) -> Q:
    """`eligibility.service_reasons` as a question to the mirror, but for what is taken."""
    fitting = Q(is_active=True)
    if facts.period:
        fitting &= Q(period=facts.period)
    if facts.is_azure_plan:
        fitting &= Q(unit_price=0) & (Q(unit_cost=0) | Q(unit_cost__isnull=True))
    return fitting


def contract_picker(scope: Scope, search: Search, company: Company | None) -> Picker:
    """Contracts of the chosen company, judged in memory; the only eligible one is chosen beforehand."""
    if company is None:
        return Picker("contract", search, (), needs_company=True)
    rows = MirroredContract.objects.filter(connection=scope.connection, company_remote_id=company.id)
    judged, eligible = [], []
    for contract in map(contract_of, rows.search(search.text).order_by("-ends_on", "remote_id")[:MOST_CONTRACTS]):
        reasons = eligibility.contract_reasons(contract, scope.facts, company=company)
        judged.append(Option(contract, reasons, eligibility.contract_warnings(contract, scope.facts)))
        eligible += [] if reasons else [contract]
    if search.chosen not in [option.id for option in judged]:
        search = replace(search, chosen=None)
    whole = search.chosen is None and not search.text and not search.left_out
    prefill = contract_for(eligible) if whole else None
    shown = [one for one in judged if (one.reasons if search.left_out else not one.reasons or one.id == search.chosen)]
    start = (search.page - 1) * PAGE
    return Picker("contract", search, tuple(shown[start : start + PAGE]), len(shown) > start + PAGE, prefill)


def _picker(
    noun: Noun,
    rows: QuerySet[Any],
    eligible: Q,
    search: Search,
    options: Callable[[Sequence[Any]], Iterable[Option]],
    prefill: Prefill | None,
) -> Picker:
    """One page of what matches, the chosen row first: it stays chosen while a person looks for another."""
    matching = rows.search(search.text)  # type: ignore[attr-defined]
    shown = matching.exclude(eligible) if search.left_out else matching.filter(eligible)
    start = (search.page - 1) * PAGE
    found = list(shown[start : start + PAGE + 1])
    more, found = len(found) > PAGE, found[:PAGE]
    chosen = search.chosen or (prefill.id if prefill else None)
    if chosen is not None and not search.left_out:
        found.sort(key=lambda row: row.remote_id != chosen)
        if not found or found[0].remote_id != chosen:
            found = [*rows.filter(remote_id=chosen), *found]
    return Picker(noun, search, tuple(options(found)), more, prefill)


def _names(held: QuerySet[Any], column: str, rows: Sequence[Any]) -> dict[int, str]:
    """Who holds these rows of the PSA, by their ids."""
    mappings = held.filter(**{f"{column}__in": [row.remote_id for row in rows]})
    if column == "company_id":
        return {mapping.company_id: mapping.customer.name for mapping in mappings.select_related("customer")}
    return {mapping.service_id: str(mapping.variant) for mapping in mappings.select_related("variant__offer")}
