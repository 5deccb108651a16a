"""What is filled in beforehand where a person has a service or a contract created: names, prices, and days that fit.

Pure: the rules that a contract has to meet are those of `eligibility`.
"""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

from connections.psa.types import Company, Contract, ContractRequest, Period, Service, ServiceRequest
from mappings import eligibility
from mappings.eligibility import SubscriptionFacts
from mappings.reasons import Reason

ONE_DAY = timedelta(days=1)
MOST_YEARS = 30
PERIOD_CHOICES = (("monthly", "Monthly"), ("yearly", "Yearly"))


def contract_start(facts: SubscriptionFacts) -> date:
    """The first of a month before the subscription was created; on a new mapping, not after its first day."""
    if facts.remapped_on is not None:
        return facts.remapped_on.replace(day=1)
    return (facts.created_on - ONE_DAY).replace(day=1)


def contract_end(start: date, facts: SubscriptionFacts) -> date:
    """Whole years after the start, the first end that covers the term and more than a year from today."""
    needed = max(facts.ends_on or facts.today, _in_a_year(facts.today))
    for years in range(1, MOST_YEARS):
        end = start.replace(year=start.year + years) - ONE_DAY
        if end > needed:
            return end
    return needed


def contract_name(period: Period, *, azure: bool) -> str:
    what = "Microsoft Azure" if azure else "Microsoft 365"
    return f"{what} (CSP), {dict(PERIOD_CHOICES).get(period, period).lower()}"


def as_contract(request: ContractRequest) -> Contract:
    """The contract that the request would make, to be judged like any other."""
    return Contract(
        id=0,
        company_id=request.company_id,
        name=request.name,
        number=request.number,
        type_label="Recurring Service",
        period=request.period,
        is_active=True,
        starts_on=request.starts_on,
        ends_on=request.ends_on,
    )


def contract_refusals(request: ContractRequest, facts: SubscriptionFacts, company: Company) -> tuple[Reason, ...]:
    """Why a contract like this could not bill the subscription that it is made for."""
    return eligibility.contract_reasons(as_contract(request), facts, company=company)


def service_refusals(request: ServiceRequest, facts: SubscriptionFacts) -> tuple[Reason, ...]:
    """Why a service like this could not be what the offer is mapped to."""
    service = Service(0, request.name, request.period, True, request.unit_price, request.unit_cost)
    return eligibility.service_reasons(service, facts)


def prices_of(choice: str, listed: tuple[Decimal, Decimal] | None) -> tuple[Decimal, Decimal]:
    """Unit price and unit cost of a service: 0, or Microsoft's retail and list price (`listed`: list, retail)."""
    if choice == "list" and listed is not None:
        return listed[1], listed[0]
    return Decimal(0), Decimal(0)


def _in_a_year(day: date) -> date:
    return date(day.year + 1, 3, 1) if (day.month, day.day) == (2, 29) else day.replace(year=day.year + 1)
