"""What may be mapped to what. The same functions answer the pickers, the check of a confirmation and bulk mapping.

Every answer is a tuple of reasons, empty where nothing stands against it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from connections.psa.types import Company, Contract, Period, Service
from mappings.reasons import Reason, reason

OWN_COMPANY_ID = 0
CUSTOMER_TYPE = "customer"
RECURRING_SERVICE_TYPE = "recurring service"
OFFERS_NOT_MAPPABLE = ("legacy", "perpetual", "azure_reservation")
ENDED = ("expired", "disabled", "deleted")
PERIOD_OF_BILLING: dict[str, Period] = {"monthly": "monthly", "annual": "yearly"}
PERIOD_LABELS: dict[str, str] = {
    "monthly": "Monthly",
    "quarterly": "Quarterly",
    "semi_annual": "Semi-Annually",
    "yearly": "Yearly",
    "": "unknown",
}


@dataclass(frozen=True, slots=True)
class SubscriptionFacts:
    """What the rules need to know of a subscription and of the connection that it is to be mapped on.

    `category`, `billing`, `status`: the values of the catalogue and of the subscription. `ends_on` is the last day
    of its term. `remapped_on` is the first day of the new mapping where the subscription was mapped before, moved, or
    succeeds another one; None on a first mapping.
    """

    name: str
    category: str
    billing: str
    currency: str
    created_on: date
    connection_currency: str
    today: date
    ends_on: date | None = None
    status: str = "active"
    remapped_on: date | None = None

    @property
    def is_azure_plan(self) -> bool:
        return self.category == "azure_plan"

    @property
    def period(self) -> Period:
        """The period type that its service and contract must have; empty where it has none. Azure plans go by month."""
        return "monthly" if self.is_azure_plan else PERIOD_OF_BILLING.get(self.billing, "")


def subscription_reasons(facts: SubscriptionFacts) -> tuple[Reason, ...]:
    """Why this subscription cannot be mapped on this connection at all, whatever is chosen there."""
    return tuple(_against_subscription(facts))


def company_reasons(
    company: Company, facts: SubscriptionFacts, *, mapped_to: str = "", taken_by: str = ""
) -> tuple[Reason, ...]:
    """Why the subscription's customer cannot be this company.

    `mapped_to`: the other company that the customer is mapped to already. `taken_by`: the other customer who holds
    this company.
    """
    return tuple(_against_company(company, facts, mapped_to, taken_by))


def service_reasons(
    service: Service, facts: SubscriptionFacts, *, mapped_to: str = "", taken_by: str = ""
) -> tuple[Reason, ...]:
    """Why the subscription's offer cannot be this service.

    `mapped_to`: the other service that the offer is mapped to already. `taken_by`: the other offer that holds this
    service.
    """
    return tuple(_against_service(service, facts, mapped_to, taken_by))


def contract_reasons(contract: Contract, facts: SubscriptionFacts, *, company: Company) -> tuple[Reason, ...]:
    """Why the subscription cannot be billed on this contract; `company` is the one chosen for its customer."""
    return (*_against_contract(contract, facts, company), *_against_dates(contract, facts))


def contract_warnings(contract: Contract, facts: SubscriptionFacts) -> tuple[Reason, ...]:
    """What does not stand against this contract but should be looked at before it is chosen."""
    return tuple(_worth_a_look(contract, facts))


def _against_subscription(facts: SubscriptionFacts) -> Iterator[Reason]:
    if facts.category in OFFERS_NOT_MAPPABLE:
        yield reason(f"offer_{facts.category}", subscription=facts.name)
    elif not facts.period:
        yield reason("billing_not_mappable", subscription=facts.name, billing=facts.billing.replace("_", "-"))
    if facts.status in ENDED:
        yield reason("subscription_ended", subscription=facts.name, status=facts.status)
    if facts.currency != facts.connection_currency:
        yield reason(
            "subscription_currency",
            subscription=facts.name,
            currency=facts.currency,
            connection_currency=facts.connection_currency,
        )


def _against_company(company: Company, facts: SubscriptionFacts, mapped_to: str, taken_by: str) -> Iterator[Reason]:
    if company.id == OWN_COMPANY_ID:
        yield reason("own_company", company=company.name)
    if not company.is_active:
        yield reason("company_inactive", company=company.name)
    if not _is(company.type_label, CUSTOMER_TYPE):
        yield reason("company_type", company=company.name, type=company.type_label or "unknown")
    if company.currency and company.currency != facts.connection_currency:
        yield reason(
            "company_currency",
            company=company.name,
            currency=company.currency,
            connection_currency=facts.connection_currency,
        )
    if mapped_to:
        yield reason("customer_mapped", other=mapped_to)
    if taken_by:
        yield reason("company_taken", company=company.name, other=taken_by)


def _against_service(service: Service, facts: SubscriptionFacts, mapped_to: str, taken_by: str) -> Iterator[Reason]:
    if not service.is_active:
        yield reason("service_inactive", service=service.name)
    if facts.period and service.period != facts.period:
        yield reason("service_period", service=service.name, **_periods(facts, service.period))
    if facts.is_azure_plan and (service.unit_price or service.unit_cost):
        yield reason(
            "azure_service_priced",
            service=service.name,
            price=_money(service.unit_price, facts.connection_currency),
            cost=_money(service.unit_cost or Decimal(0), facts.connection_currency),
        )
    if mapped_to:
        yield reason("offer_mapped", other=mapped_to)
    if taken_by:
        yield reason("service_taken", service=service.name, other=taken_by)


def _against_contract(contract: Contract, facts: SubscriptionFacts, company: Company) -> Iterator[Reason]:
    if contract.company_id != company.id:
        yield reason("contract_company", contract=contract.name, company=company.name)
    if not _is(contract.type_label, RECURRING_SERVICE_TYPE):
        yield reason("contract_type", contract=contract.name, type=contract.type_label or "unknown")
    elif facts.period and contract.period != facts.period:  # other types have no period at all
        yield reason("contract_period", contract=contract.name, **_periods(facts, contract.period))
    if not contract.is_active:
        yield reason("contract_inactive", contract=contract.name)
    found = company.currency or facts.connection_currency
    if found != facts.currency:
        names = {"contract": contract.name, "company": company.name, "subscription": facts.name}
        yield reason("contract_currency", found=found, currency=facts.currency, **names)


def _against_dates(contract: Contract, facts: SubscriptionFacts) -> Iterator[Reason]:
    start, name = _day(contract.starts_on), contract.name
    if contract.ends_on < facts.today:
        yield reason("contract_ended", contract=name, end=_day(contract.ends_on))
    if facts.remapped_on is not None:
        if contract.starts_on > facts.remapped_on:
            yield reason("contract_starts_after_mapping", contract=name, start=start, limit=_day(facts.remapped_on))
    elif contract.starts_on >= facts.created_on:
        yield reason("contract_starts_late", contract=name, start=start, limit=_day(facts.created_on))
    if facts.is_azure_plan and contract.starts_on.day != 1:
        yield reason("azure_contract_day", contract=name, start=start)


def _worth_a_look(contract: Contract, facts: SubscriptionFacts) -> Iterator[Reason]:
    end = _day(contract.ends_on)
    if facts.is_azure_plan:
        if contract.ends_on <= _a_year_after(facts.today):
            yield reason("azure_contract_ends_soon", contract=contract.name, end=end)
    elif facts.ends_on and contract.ends_on < facts.ends_on:
        yield reason("contract_ends_before_term", contract=contract.name, end=end, term_end=_day(facts.ends_on))
    if contract.renewed_contract_id:
        yield reason("contract_renewed", contract=contract.name, other=contract.renewed_contract_id)


def _is(label: str, wanted: str) -> bool:
    return label.lower() == wanted


def _periods(facts: SubscriptionFacts, found: str) -> dict[str, str]:
    wanted = PERIOD_LABELS[facts.period]
    return {
        "found": PERIOD_LABELS.get(found, found),
        "wanted": wanted,
        "billed": wanted.lower(),
        "subscription": facts.name,
    }


def _a_year_after(day: date) -> date:
    return date(day.year + 1, 2, 28) if (day.month, day.day) == (2, 29) else day.replace(year=day.year + 1)


def _day(day: date) -> str:
    return f"{day.day} {day:%B %Y}"


def _money(value: Decimal, currency: str) -> str:
    cents = value.quantize(Decimal("0.01"))
    return f"{cents if cents == value else value.normalize():f} {currency}"
