"""What a PSA knows, as frozen values: periods as words, calendar dates, money as Decimal in one currency.

`modified_at` is the PSA's own note of when a row was last changed, by its clock; None where it keeps none.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
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
    modified_at: datetime | None = None


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
    modified_at: datetime | None = None


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
    modified_at: datetime | None = None


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
class Since:
    """Which rows a reading of changes wants: new ones (above `last_id`), those modified at `modified` or later where
    rows tell it, and for lines those of the named contracts. `modified` is a time of the PSA's own clock."""

    last_id: int
    modified: datetime
    contract_ids: Sequence[int] = ()


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
class ChargeRequest:
    """A charge on a contract, billed once, with the period in which `purchased_on` lies. Money per unit; a negative
    price is a credit. `key` finds it again: at most 50 characters.
    """

    contract_id: int
    billing_code_id: int
    name: str
    description: str
    quantity: Decimal
    unit_price: Decimal
    unit_cost: Decimal
    purchased_on: date
    key: str


@dataclass(frozen=True, slots=True)
class Charge:
    """A charge as it is in the PSA; `billed` once its period was approved and posted: it cannot change any more.
    One that is `canceled` is never billed.
    """

    id: int
    contract_id: int
    name: str
    quantity: Decimal
    unit_price: Decimal
    unit_cost: Decimal | None
    purchased_on: date | None
    key: str
    billed: bool
    canceled: bool = False

    @property
    def amount(self) -> Decimal:
        """What it bills, in the contract's currency."""
        return self.quantity * self.unit_price


@dataclass(frozen=True, slots=True)
class ServiceRequest:
    """A catalogue service to be made; prices per unit and period in the PSA's base currency. `note` is its description,
    and finds it again: another text for every request, at most 400 characters.
    """

    name: str
    period: Period
    billing_code_id: int
    unit_price: Decimal
    unit_cost: Decimal
    note: str


@dataclass(frozen=True, slots=True)
class ContractRequest:
    """A recurring service contract to be made, without lines; `ends_on` is inclusive. `number` finds it again: another
    one for every request, at most 50 characters. `billing`: one of the PSA's billing preferences; empty for its own.
    """

    company_id: int
    name: str
    period: Period
    starts_on: date
    ends_on: date
    number: str
    billing: str = ""


@dataclass(frozen=True, slots=True)
class BillingCode:
    """What a charge or a service is booked as; tax and ledger account follow from it."""

    id: int
    name: str


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What a PSA can do; callers ask here instead of asking which PSA it is."""

    adjusts_price: bool = True
    line_keys: bool = True
    contract_charges: bool = True
    billing_periods: frozenset[str] = frozenset({"monthly", "yearly"})


@dataclass(frozen=True, slots=True)
class ProbeResult:
    """One right that the product needs: what for, whether it is there, and where to give it.

    Without an optional one the connection works, and `advice` says what does not.
    """

    need: str
    granted: bool
    advice: str = ""
    optional: bool = False
