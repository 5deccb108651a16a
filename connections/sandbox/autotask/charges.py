"""Rules of contract charges: an amount that is billed once, in the period of its purchase date."""

from decimal import Decimal

from .database import Database, Record
from .errors import BAD_REFERENCE, MISSING_FIELD, Rejected
from .fields import amount_text
from .lines import contract_rate
from .picklists import PREPAID


def complete_charge(database: Database, values: Record) -> None:
    """What Autotask checks and fills in when a charge is created; missing prices come from the product or the code."""
    if values.get("billingCodeID") is None and values.get("productID") is None:
        raise Rejected(MISSING_FIELD.format(field="billingCodeID"), "Error creating ContractCharge.")
    _check(database, values)
    product = database.get("Products", values.get("productID")) or {}
    if values.get("billingCodeID") is None:
        values["billingCodeID"] = product.get("chargeBillingCodeID") or product.get("productBillingCodeID")
    code = database.get("BillingCodes", values["billingCodeID"]) or {}
    for name in ("unitPrice", "unitCost"):
        if values.get(name) is None:
            values[name] = product.get(name) or code.get(name) or "0.0000"
    values["createDate"] = values["statusLastModifiedDate"] = database.clock.stamp()
    _compute(database, values)


def review_charge(database: Database, charge: Record, changes: Record) -> None:
    """What an update of a charge needs and causes. Rejected once it is billed."""
    if charge["isBilled"]:
        raise Rejected("A ContractCharge that has been billed cannot be changed.", "Error updating ContractCharge.")
    merged = charge | changes
    _check(database, merged)
    _compute(database, merged)
    changes.update({name: value for name, value in merged.items() if charge.get(name) != value})


def review_removal(charge: Record) -> None:
    if charge["isBilled"]:
        raise Rejected("A ContractCharge that has been billed cannot be deleted.")


def _check(database: Database, values: Record) -> None:
    if values.get("contractServiceID") is not None and values.get("contractServiceBundleID") is not None:
        raise Rejected("contractServiceID and contractServiceBundleID exclude each other.")
    contract = database.get("Contracts", values["contractID"]) or {}
    if contract.get("contractType") in PREPAID:
        raise Rejected("A ContractCharge cannot be added to a Contract of this type.", "Error creating ContractCharge.")
    line = database.get("ContractServices", values.get("contractServiceID"))
    if line is not None and line["contractID"] != values["contractID"]:
        raise Rejected(BAD_REFERENCE.format(field="contractServiceID", kind="ContractService"))
    code = database.get("BillingCodes", values.get("billingCodeID"))
    if code is not None and not code["isActive"]:
        raise Rejected(BAD_REFERENCE.format(field="billingCodeID", kind="BillingCode"))


def _compute(database: Database, values: Record) -> None:
    quantity = Decimal(values["unitQuantity"])
    price, cost = Decimal(values["unitPrice"]), Decimal(values["unitCost"])
    rate = contract_rate(database, database.get("Contracts", values["contractID"]) or {})
    values["billableAmount"] = amount_text(quantity * price)
    values["extendedCost"] = amount_text(quantity * cost)
    values["internalCurrencyUnitPrice"] = amount_text(price / rate)
    values["internalCurrencyBillableAmount"] = amount_text(quantity * price / rate)
