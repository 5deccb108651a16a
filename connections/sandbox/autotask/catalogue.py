"""Rules of companies, services, products and notes: little more than what Autotask fills in by itself."""

from .database import Database, Record
from .errors import BAD_REFERENCE, Rejected
from .picklists import RECURRING_SERVICE_CODE, VENDOR


def complete_company(database: Database, values: Record) -> None:
    stamp = database.clock.stamp()
    values["createDate"] = values["lastTrackedModifiedDateTime"] = values["lastActivityDate"] = stamp
    if values.get("currencyID") is None:
        base = database.select("Currencies", "isInternalCurrency = 1", limit=1)
        values["currencyID"] = base[0]["id"] if base else None


def review_company(database: Database, _company: Record, changes: Record) -> None:
    changes["lastTrackedModifiedDateTime"] = database.clock.stamp()


def complete_service(database: Database, values: Record) -> None:
    """Rejected: a billing code that is not an active one for recurring contract services, a vendor that is none."""
    _check_references(database, values)
    values["createDate"] = values["lastModifiedDate"] = database.clock.stamp()


def review_service(database: Database, _service: Record, changes: Record) -> None:
    """The new price does not reach lines that exist: they copied theirs when they were added."""
    _check_references(database, changes)
    changes["lastModifiedDate"] = database.clock.stamp()


def complete_note(database: Database, values: Record) -> None:
    values["createDateTime"] = values["lastActivityDate"] = database.clock.stamp()


def review_note(database: Database, _note: Record, changes: Record) -> None:
    changes["lastActivityDate"] = database.clock.stamp()


def _check_references(database: Database, values: Record) -> None:
    code = database.get("BillingCodes", values.get("billingCodeID"))
    if code is not None and not (code["isActive"] and code["useType"] == RECURRING_SERVICE_CODE):
        raise Rejected(BAD_REFERENCE.format(field="billingCodeID", kind="BillingCode"))
    vendor = database.get("Companies", values.get("vendorCompanyID"))
    if vendor is not None and vendor["companyType"] != VENDOR:
        raise Rejected(BAD_REFERENCE.format(field="vendorCompanyID", kind="Company"))
