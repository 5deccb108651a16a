"""What a PSA knows, as frozen values: periods as words, calendar dates, money as Decimal in one currency."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Literal

Period = Literal["monthly", "quarterly", "semi_annual", "yearly", ""]


@dataclass(frozen=True, slots=True)
class Company:
    """A company; `type_label` is the PSA's own word (Customer, Vendor, …)."""

    id: int
    name: str
    type_label: str
    is_active: bool
    currency: str = ""


@dataclass(frozen=True, slots=True)
class Service:
    """A catalogue service; prices per unit and period."""

    id: int
    name: str
    period: Period
    is_active: bool
    unit_price: Decimal
    unit_cost: Decimal | None
    sku: str = ""


@dataclass(frozen=True, slots=True)
class Contract:
    """A contract; `type_label` is the PSA's own word (Recurring Service, …), `ends_on` is inclusive."""

    id: int
    company_id: int
    name: str
    number: str
    type_label: str
    period: Period
    is_active: bool
    starts_on: date
    ends_on: date
    renewed_contract_id: int | None = None


@dataclass(frozen=True, slots=True)
class Line:
    """One service on one contract. `key` is what its internal description holds."""

    id: int
    contract_id: int
    service_id: int
    key: str
    unit_price: Decimal | None
    unit_cost: Decimal | None


@dataclass(frozen=True, slots=True)
class UnitRow:
    """One line in one billing period or a part of it: the full count in force, price and cost as totals of the row."""

    id: int
    line_id: int
    contract_id: int
    service_id: int
    starts_on: date
    ends_on: date
    units: int
    price: Decimal
    cost: Decimal
    posted: bool


@dataclass(frozen=True, slots=True)
class AdjustmentRequest:
    """A create-only change of a line from a date on: units as a signed delta; a price or cost of None is not sent."""

    line_id: int
    effective: date
    unit_change: int
    price: Decimal | None = None
    cost: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What a PSA can do; callers ask here instead of asking which PSA it is."""

    adjusts_price: bool = True
    line_keys: bool = True
    contract_charges: bool = True
    billing_periods: frozenset[str] = frozenset({"monthly", "yearly"})


@dataclass(frozen=True, slots=True)
class ProbeResult:
    """One right that the product needs: what for, whether it is there, and where to give it."""

    need: str
    granted: bool
    advice: str = ""
