"""Rules of contracts: dates, the period type, and what a moved end date does to the unit rows."""

from datetime import date

from .database import Database, Record
from .errors import MISSING_FIELD, POSTED_PERIOD, Rejected
from .fields import day
from .lines import keep_rows, rows_of
from .modes import Modes
from .periods import cut_off, extended
from .picklists import RECURRING_SERVICE


def complete_contract(database: Database, values: Record) -> None:
    """What Autotask checks and fills in when a contract is created."""
    _check_dates(day(values["startDate"]), day(values["endDate"]))
    if values["contractType"] == RECURRING_SERVICE and values.get("contractPeriodType") is None:
        raise Rejected(MISSING_FIELD.format(field="contractPeriodType"), "Error creating Contract.")
    _check_setup_fee(values)
    values["lastModifiedDateTime"] = database.clock.stamp()
    _one_default(database, values["companyID"], values)


def review_contract(database: Database, contract: Record, changes: Record) -> None:
    """What an update of a contract needs and causes. Rejected: posted periods, or a start date with lines below it."""
    merged = contract | changes
    start, end = day(merged["startDate"]), day(merged["endDate"])
    _check_dates(start, end)
    _check_setup_fee(merged)
    lines = database.select("ContractServices", "contractID = ?", (contract["id"],))
    if start != day(contract["startDate"]) and lines:
        raise Rejected("The startDate of a Contract that has services cannot be changed.", "Error updating Contract.")
    for line in lines if end != day(contract["endDate"]) else ():
        _move_end(database, contract, line, end)
    changes["lastModifiedDateTime"] = database.clock.stamp()
    _one_default(database, contract["companyID"], changes)


def _move_end(database: Database, contract: Record, line: Record, end: date) -> None:
    rows = rows_of(database, line["id"])
    if any(row.posted and row.end > end for row in rows):
        raise Rejected(POSTED_PERIOD, "Error updating Contract.")
    if end < day(contract["endDate"]):
        keep_rows(database, line, cut_off(rows, end))
    else:
        keep_rows(database, line, extended(rows, day(contract["startDate"]), end, contract["contractPeriodType"]))


def _check_dates(start: date, end: date) -> None:
    if end <= start:
        raise Rejected("The endDate of a Contract must be after its startDate.")


def _check_setup_fee(values: Record) -> None:
    if values.get("setupFee") is not None and values.get("setupFeeBillingCodeID") is None:
        raise Rejected(MISSING_FIELD.format(field="setupFeeBillingCodeID"))


def _one_default(database: Database, company_id: int, values: Record) -> None:
    """A company has at most one default contract: a new one takes the place of the former."""
    if values.get("isDefaultContract"):
        for former in database.select("Contracts", "companyID = ? AND isDefaultContract = 1", (company_id,)):
            database.update("Contracts", former["id"], {"isDefaultContract": 0, **_modified_now(database)})


def note_line_change(database: Database, modes: Modes, contract_id: int) -> None:
    """A line of the contract was added or changed, or its units were."""
    if modes["contract_modified"] == "lines":
        database.update("Contracts", contract_id, _modified_now(database))


def _modified_now(database: Database) -> Record:
    return {"lastModifiedDateTime": database.clock.stamp()}
