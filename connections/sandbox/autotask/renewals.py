"""Renewing a contract, as a person does in Autotask with the renewal wizard: a new contract with the lines of the old
one, each with the units that it has when the old one ends.
"""

from datetime import date
from decimal import Decimal

from .database import Database, Record
from .errors import Rejected
from .fields import day
from .lines import add_rows, contract_rate, keep_rows, rows_of
from .periods import ONE_DAY, Row


def renew(
    database: Database,
    contract_id: int,
    end: date,
    *,
    start: date | None = None,
    named_on: str = "old",
    keys: bool = False,
) -> int:
    """The id of the new contract. It starts after the old one ends; from an earlier `start` on both run.

    `named_on`: which of the two names the other as renewedContractID. `keys`: whether the lines' internal descriptions
    are copied as well; the vendor tells neither.
    """
    old = database.get("Contracts", contract_id)
    if old is None:
        raise Rejected("There is no such contract.")
    if database.select("Contracts", "renewedContractID = ?", (contract_id,)) or old.get("renewedContractID"):
        raise Rejected("A contract can be renewed once only.")
    first = start or day(old["endDate"]) + ONE_DAY
    if end <= first:
        raise Rejected("The endDate of a Contract must be after its startDate.")
    values = {name: value for name, value in old.items() if name != "id"}
    values |= {"startDate": f"{first}T00:00:00Z", "endDate": f"{end}T00:00:00Z", "isDefaultContract": 0}
    values["lastModifiedDateTime"] = database.clock.stamp()
    values["renewedContractID"] = contract_id if named_on == "new" else None
    new_id = database.insert("Contracts", values)
    if named_on == "old":
        stamp = database.clock.stamp()
        database.update("Contracts", contract_id, {"renewedContractID": new_id, "lastModifiedDateTime": stamp})
    for line in database.select("ContractServices", "contractID = ?", (contract_id,)):
        _copy(database, line, new_id, first, keys=keys)
    return new_id


def _copy(database: Database, line: Record, contract_id: int, first: date, *, keys: bool) -> None:
    before = [row for row in rows_of(database, line["id"]) if row.start < first]
    last = max(before, key=lambda row: row.start, default=None)
    values = {name: value for name, value in line.items() if name != "id"} | {"contractID": contract_id}
    values["internalDescription"] = line["internalDescription"] if keys else None
    if last is not None:
        rate = contract_rate(database, database.get("Contracts", contract_id) or {})
        values["internalCurrencyAdjustedPrice"] = str(last.price / rate)
    new_id = database.insert("ContractServices", values)
    add_rows(database, new_id)
    new = database.get("ContractServices", new_id) or {}
    if last is not None:
        keep_rows(database, new, [_with(row, last) for row in rows_of(database, new_id)])


def _with(row: Row, last: Row) -> Row:
    return Row(row.start, row.end, last.units, Decimal(last.price), Decimal(last.cost), False, row.id)
