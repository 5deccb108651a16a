"""Which subscriptions can be put on a contract without asking anybody anything, from what the mirror holds, and why
the others cannot.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db.models import Exists, OuterRef, QuerySet, Subquery

from connections.models import Connection, MirroredCompany, MirroredContract, MirroredLine, MirroredService
from connections.psa.types import Company, Contract, Line
from mappings import eligibility
from mappings.models import (
    CustomerMapping,
    DefaultContract,
    Exclusion,
    OfferMapping,
    ServiceOverride,
    SubscriptionMapping,
)
from mappings.overrides import override_on
from mappings.reasons import Reason, reason
from mappings.resolve import company_of, contract_of, facts_of, service_of
from portal.models import Subscription
from syncops.preview import Facts, MappingChoice, MappingPreview, Since, first_day_billed, preview_mapping

ALIVE = tuple(status for status in Subscription.Status.values if status not in eligibility.ENDED)
PERIODS = tuple(eligibility.PERIOD_OF_BILLING.values())


@dataclass(frozen=True, slots=True)
class Candidate:
    """A subscription with where it would be billed (`choice`), or where it is (`mapping`), or the reasons why neither.

    `contracts`: those that could bill it where there are several.
    """

    subscription: Subscription
    mapping: SubscriptionMapping | None = None
    choice: MappingChoice | None = None
    contract: Contract | None = None
    service_name: str = ""
    first_day: date | None = None
    reasons: tuple[Reason, ...] = ()
    contracts: tuple[Contract, ...] = ()

    @property
    def state(self) -> str:
        """Suggested: one place is certain. Conflict: several contracts could bill it, and nobody guesses."""
        if left_out_reasons(self.subscription):
            return "Left out"
        if self.mapping:
            return "Mapped"
        return "Suggested" if self.choice else "Conflict" if self.contracts else "Not mapped"

    @property
    def tone(self) -> str:
        return {"Mapped": "ok", "Suggested": "info", "Conflict": "warn"}.get(self.state, "muted")


def mappable(connection: Connection) -> QuerySet[Subscription]:
    """The subscriptions that the connection's organization bills, and that are not over, with `service_id` and
    `service_name` of what their offer is mapped to here, and what is left out of each: `left_out` (the reason) and
    `left_out_units`; `overridden` where a contract bills the offer as another service.
    """
    return billed_by(connection).exclude(status__in=eligibility.ENDED)


def billed_by(connection: Connection) -> QuerySet[Subscription]:
    """As `mappable`, with those that are over."""
    mine = Subscription.objects.owned_by(connection.organization)
    offer = OfferMapping.objects.filter(connection=connection, variant=OuterRef("variant"))
    service = {name: Subquery(offer.values(name)) for name in ("service_id", "service_name")}
    held = Exclusion.objects.open().filter(subscription=OuterRef("pk"))
    out = {"left_out": Subquery(held.values("reason")), "left_out_units": Subquery(held.values("units"))}
    other = ServiceOverride.objects.open().filter(connection=connection, variant=OuterRef("variant"))
    return mine.annotate(**service, **out, overridden=Exists(other)).select_related(
        "customer", "variant__offer", "organization"
    )


def service_there(connection: Connection, row: Any, contract_id: int, today: date) -> tuple[int, str]:
    """Id and name of the service that bills a row of `billed_by` on a contract."""
    held = override_on(connection, row.variant_id, contract_id, today) if row.overridden else None
    return (held.service_id, held.service_name) if held else (row.service_id, row.service_name)


def left_out_reasons(row: Any) -> tuple[Reason, ...]:
    """Why a row of `billed_by` is not mapped: somebody left all of it out."""
    if not row.left_out or row.left_out_units is not None:
        return ()
    return (reason("left_out", subscription=row.friendly_name, why=row.left_out.rstrip(".")),)


def unmapped(rows: QuerySet[Subscription]) -> QuerySet[Subscription]:
    """Those that nobody bills, on any connection of the tenant."""
    return rows.filter(~Exists(SubscriptionMapping.objects.open().filter(subscription=OuterRef("pk"))))


def candidates(connection: Connection, rows: Sequence[Any], *, since: Since, today: date) -> list[Candidate]:
    """Each row of `mappable` judged; three queries, however many there are."""
    known = Known(connection, rows)
    return [_judge(connection, row, known, since, today) for row in rows]


def rehearse(candidate: Candidate, *, today: date) -> MappingPreview:
    """What mapping it would send and bill, from the mirror alone. Needs a candidate with a choice."""
    assert candidate.choice
    choice = candidate.choice
    here = {"connection": choice.connection_id}
    company = MirroredCompany.objects.filter(**here, remote_id=choice.company_id).first()
    service = MirroredService.objects.filter(**here, remote_id=choice.service_id).first()
    lines = MirroredLine.objects.filter(**here, contract_remote_id=choice.contract_id)
    facts = Facts(
        company=company_of(company) if company else None,
        service=service_of(service) if service else None,
        contract=candidate.contract,
        lines=tuple(
            Line(one.remote_id, one.contract_remote_id, one.service_remote_id, one.key, one.unit_price, one.unit_cost)
            for one in lines.filter(service_remote_id=choice.service_id)
        ),
        rows=(),
    )
    return preview_mapping(choice, facts, today=today)


class Known:
    """What is mapped, for many subscriptions at once."""

    def __init__(self, connection: Connection, rows: Sequence[Any]) -> None:
        here = {"connection": connection}
        customers = {row.customer_id for row in rows}
        mapped = SubscriptionMapping.objects.filter(subscription__in=rows).select_related("connection")
        self.open: dict[int, SubscriptionMapping] = {}
        self.before: set[int] = set()
        for one in mapped:
            if one.ends_on is None:
                self.open[one.subscription_id] = one
            else:
                self.before.add(one.subscription_id)
        companies = CustomerMapping.objects.filter(**here, customer__in=customers)
        chosen = DefaultContract.objects.filter(**here, customer=OuterRef("customer"))
        periods = {f"{one}_default": chosen.filter(period=one).values("contract_id") for one in PERIODS}
        self.companies: dict[int, Any] = {
            one.customer_id: one for one in companies.annotate(**{name: Subquery(q) for name, q in periods.items()})
        }
        self.contracts: defaultdict[int, list[Contract]] = defaultdict(list)
        open_rows = [row for row in rows if row.pk not in self.open and row.service_id is not None]
        waiting = {row.customer_id for row in open_rows}
        theirs = {one.company_id for one in self.companies.values() if one.customer_id in waiting}
        for row in MirroredContract.objects.filter(**here, company_remote_id__in=theirs, is_active=True):
            self.contracts[row.company_remote_id].append(contract_of(row))


def _judge(connection: Connection, row: Any, known: Known, since: Since, today: date) -> Candidate:
    if mapping := known.open.get(row.pk):
        return Candidate(row, mapping=mapping)
    facts = facts_of(row, connection, today=today, mapped_before=row.pk in known.before)
    reasons = [*left_out_reasons(row), *eligibility.subscription_reasons(facts)]
    customer = known.companies.get(row.customer_id)
    if customer is None:
        reasons.append(reason("customer_not_mapped", customer=row.customer.name))
    if row.service_id is None:
        reasons.append(reason("offer_not_mapped", offer=row.variant))
    if reasons or customer is None:
        return Candidate(row, reasons=tuple(reasons))
    company = Company(customer.company_id, customer.company_name, eligibility.CUSTOMER_TYPE, True)
    fitting = [
        one for one in known.contracts[company.id] if not eligibility.contract_reasons(one, facts, company=company)
    ]
    default = getattr(customer, f"{facts.period}_default")
    chosen = [one for one in fitting if one.id == default] or fitting
    if not chosen:
        return Candidate(row, reasons=(reason("no_contract", company=company.name),))
    if len(chosen) > 1:
        period = eligibility.PERIOD_LABELS[facts.period].lower()
        several = reason("several_contracts", company=company.name, count=len(chosen), period=period)
        return Candidate(row, reasons=(several,), contracts=tuple(chosen))
    service_id, service_name = service_there(connection, row, chosen[0].id, today)
    choice = MappingChoice(connection.pk, row.pk, company.id, service_id, chosen[0].id, since=since)
    first = first_day_billed(row, chosen[0], today, since)
    return Candidate(row, None, choice, chosen[0], service_name, first)
