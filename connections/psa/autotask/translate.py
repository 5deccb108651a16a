"""Autotask's rows as the product's values. Pure: what a picklist's integer means is passed in as its label.

Date-only fields come as midnight UTC and mean the calendar day that is written there, whatever the time zone.
"""

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from connections.psa.types import (
    AdjustmentRequest,
    BillingCode,
    Charge,
    ChargeRequest,
    Company,
    Contract,
    Line,
    Period,
    Service,
    UnitRow,
)

Row = Mapping[str, Any]

COMPANY_FIELDS = ("id", "companyName", "companyType", "isActive", "currencyID")
SERVICE_FIELDS = ("id", "name", "periodType", "isActive", "unitPrice", "unitCost")
SERVICE_EXTRAS = ("sku",)
CONTRACT_FIELDS = (
    "id",
    "companyID",
    "contractName",
    "contractNumber",
    "contractType",
    "contractPeriodType",
    "status",
    "startDate",
    "endDate",
    "renewedContractID",
)
LINE_FIELDS = (
    "id",
    "contractID",
    "serviceID",
    "internalDescription",
    "internalCurrencyAdjustedPrice",
    "internalCurrencyUnitPrice",
    "unitPrice",
    "unitCost",
)
UNIT_FIELDS = (
    "id",
    "contractServiceID",
    "contractID",
    "serviceID",
    "startDate",
    "endDate",
    "units",
    "price",
    "cost",
    "approveAndPostDate",
)
CHARGE_FIELDS = (
    "id",
    "contractID",
    "name",
    "unitQuantity",
    "unitPrice",
    "unitCost",
    "datePurchased",
    "internalPurchaseOrderNumber",
    "isBilled",
    "status",
)
BILLING_CODE_FIELDS = ("id", "name", "useType")
OPERATIONAL, CANCELED = "Operational", "canceled"  # labels of chargeType and of a charge's status
# Read-only, set by Autotask itself. Zones of before 2026 have none on contracts, and no zone has one on lines or units.
MODIFIED = {
    "companies": "lastTrackedModifiedDateTime",
    "services": "lastModifiedDate",
    "contracts": "lastModifiedDateTime",
}
KEY_LENGTH = 100
CHARGE_KEY_LENGTH = 50
CHARGE_NAME_LENGTH = 100
CHARGE_TEXT_LENGTH = 2000
FOUR_PLACES = Decimal("0.0001")
ACTIVE = "active"

PERIODS: Mapping[str, Period] = {
    "monthly": "monthly",
    "quarterly": "quarterly",
    "semiannually": "semi_annual",
    "semiannual": "semi_annual",
    "yearly": "yearly",
    "annually": "yearly",
}


def company(row: Row, *, type_label: str, currency: str) -> Company:
    return Company(
        id=int(row["id"]),
        name=_text(row, "companyName"),
        type_label=type_label,
        is_active=bool(row.get("isActive")),
        currency=currency,
        modified_at=moment(row.get(MODIFIED["companies"])),
    )


def service(row: Row, *, period_label: str) -> Service:
    return Service(
        id=int(row["id"]),
        name=_text(row, "name"),
        period=period(period_label),
        is_active=bool(row.get("isActive")),
        unit_price=money(row.get("unitPrice")) or Decimal(0),
        unit_cost=money(row.get("unitCost")),
        sku=_text(row, "sku"),
        modified_at=moment(row.get(MODIFIED["services"])),
    )


def contract(row: Row, *, type_label: str, period_label: str, status_label: str) -> Contract:
    """`ends_on` of a contract without an end is the last day there is; such contracts hold no services."""
    return Contract(
        id=int(row["id"]),
        company_id=int(row["companyID"]),
        name=_text(row, "contractName"),
        number=_text(row, "contractNumber"),
        type_label=type_label,
        period=period(period_label),
        is_active=status_label.strip().lower() == ACTIVE,
        starts_on=day(row.get("startDate")) or date.min,
        ends_on=day(row.get("endDate")) or date.max,
        renewed_contract_id=int(row["renewedContractID"]) if row.get("renewedContractID") else None,
        modified_at=moment(row.get(MODIFIED["contracts"])),
    )


def line(row: Row) -> Line:
    return Line(
        id=int(row["id"]),
        contract_id=int(row["contractID"]),
        service_id=int(row["serviceID"]),
        key=_text(row, "internalDescription"),
        unit_price=price_in_force(row),
        unit_cost=money(row.get("unitCost")),
    )


def price_in_force(row: Row) -> Decimal | None:
    """The unit price that a line has now, in the customer's currency.

    Autotask shows it in the tenant's base currency only; the two list prices of the line give the rate between them.
    """
    adjusted, listed = money(row.get("internalCurrencyAdjustedPrice")), money(row.get("unitPrice"))
    internal = money(row.get("internalCurrencyUnitPrice"))
    if adjusted is None:
        return listed
    if not listed or not internal or listed == internal:
        return adjusted
    return (adjusted * listed / internal).quantize(FOUR_PLACES)


def unit_row(row: Row) -> UnitRow:
    """Raises ValueError where the row has no dates."""
    starts_on, ends_on = day(row.get("startDate")), day(row.get("endDate"))
    if starts_on is None or ends_on is None:
        raise ValueError(f"Unit row {row.get('id')} has no dates.")
    return UnitRow(
        id=int(row["id"]),
        line_id=int(row["contractServiceID"]),
        contract_id=int(row["contractID"]),
        service_id=int(row["serviceID"]),
        starts_on=starts_on,
        ends_on=ends_on,
        units=int(row.get("units") or 0),
        price=money(row.get("price")) or Decimal(0),
        cost=money(row.get("cost")) or Decimal(0),
        posted=row.get("approveAndPostDate") is not None,
    )


def adjustment(request: AdjustmentRequest) -> dict[str, Any]:
    """The body of an adjustment. The line is named by its own id: contract and service may match several lines.

    A price or cost that is not meant to change is left out, because one that is sent holds for all units of the line.
    """
    body: dict[str, Any] = {
        "contractServiceID": request.line_id,
        "effectiveDate": request.effective.isoformat(),
        "unitChange": request.unit_change,
    }
    if request.price is not None:
        body["adjustedUnitPrice"] = request.price
    if request.cost is not None:
        body["adjustedUnitCost"] = request.cost
    return body


def charge_body(request: ChargeRequest, *, charge_type: int) -> dict[str, Any]:
    """The body of a charge. Price and cost are always named: those left out would come from the billing code."""
    assert len(request.key) <= CHARGE_KEY_LENGTH, "a key that is cut off would not be found again"
    return {
        "contractID": request.contract_id,
        "billingCodeID": request.billing_code_id,
        "chargeType": charge_type,
        "name": request.name[:CHARGE_NAME_LENGTH],
        "description": request.description[:CHARGE_TEXT_LENGTH],
        "unitQuantity": request.quantity,
        "unitPrice": request.unit_price,
        "unitCost": request.unit_cost,
        "datePurchased": request.purchased_on.isoformat(),
        "isBillableToCompany": True,
        "internalPurchaseOrderNumber": request.key,
    }


def charge(row: Row, *, status_label: str) -> Charge:
    return Charge(
        id=int(row["id"]),
        contract_id=int(row["contractID"]),
        name=_text(row, "name"),
        quantity=money(row.get("unitQuantity")) or Decimal(0),
        unit_price=money(row.get("unitPrice")) or Decimal(0),
        unit_cost=money(row.get("unitCost")),
        purchased_on=day(row.get("datePurchased")),
        key=_text(row, "internalPurchaseOrderNumber"),
        billed=bool(row.get("isBilled")),
        canceled=status_label.strip().lower() == CANCELED,
    )


def billing_code(row: Row) -> BillingCode:
    return BillingCode(int(row["id"]), _text(row, "name"))


def label_of_period(labels: Iterable[str], wanted: Period) -> str:
    """The label of a picklist that names the period; empty where none does."""
    return next((label for label in labels if period(label) == wanted), "")


def period(label: str) -> Period:
    """The period that a label names: Monthly, Quarterly, Semi-Annually, Yearly; empty for any other."""
    return PERIODS.get(re.sub(r"[^a-z]", "", label.lower()), "")


def day(value: Any) -> date | None:
    """The calendar day of a date-only field, never shifted by a time zone."""
    return date.fromisoformat(str(value)[:10]) if value else None


def moment(value: Any) -> datetime | None:
    """A date with its time; Autotask writes UTC, and means it where it writes no offset."""
    if not value:
        return None
    found = datetime.fromisoformat(str(value))
    return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)


def money(value: Any) -> Decimal | None:
    """An amount with the places that Autotask wrote."""
    return None if value is None else Decimal(str(value))


def _text(row: Row, name: str) -> str:
    return str(row.get(name) or "").strip()
