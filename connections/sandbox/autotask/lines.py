"""Contract services: the lines of a recurring service contract and their unit rows.

A line copies the service's price and cost when it is added. It starts with 0 units in every period of the contract.
"""

from collections.abc import Iterable, Sequence
from datetime import date
from decimal import Decimal

from .database import Database, Record
from .errors import BAD_REFERENCE, Rejected
from .fields import amount_text, day
from .periods import MONTHS, Row, fresh_rows
from .picklists import RECURRING_SERVICE

UNITS = "ContractServiceUnits"
# SQLite takes the other columns of a group from the row that holds its min or max.
_PRICES = (
    "SELECT contractServiceID, unitPrice, unitCost, {extreme}(startDate) FROM ContractServiceUnits "
    "WHERE contractServiceID IN ({marks}) AND {condition} GROUP BY contractServiceID"
)


def complete_line(database: Database, values: Record) -> None:
    """What Autotask fills in when a line is added. Rejected: no recurring service contract, or an inactive service."""
    contract = database.get("Contracts", values["contractID"]) or {}
    service = database.get("Services", values["serviceID"]) or {}
    if contract.get("contractType") != RECURRING_SERVICE or contract.get("contractPeriodType") is None:
        raise Rejected("ContractService can only be added to a Recurring Service Contract.")
    if not service.get("isActive"):
        raise Rejected(BAD_REFERENCE.format(field="serviceID", kind="Service"))
    rate = contract_rate(database, contract)
    ratio = Decimal(MONTHS[contract["contractPeriodType"]]) / MONTHS[service["periodType"]]
    listed = Decimal(service["unitPrice"] or 0) * ratio
    cost = Decimal(service["unitCost"] or 0) * ratio
    values.setdefault("unitCost", None)
    values["unitPrice"] = amount_text(listed * rate)
    values["unitCost"] = values["unitCost"] or amount_text(cost * rate)
    values["internalCurrencyUnitPrice"] = values["internalCurrencyAdjustedPrice"] = amount_text(listed)
    if values.get("invoiceDescription") is None:
        values["invoiceDescription"] = service["invoiceDescription"]


def add_rows(database: Database, line_id: int) -> None:
    """The unit rows of a line that has none yet."""
    line = database.get("ContractServices", line_id) or {}
    contract = database.get("Contracts", line["contractID"]) or {}
    price, cost = Decimal(line["unitPrice"]), Decimal(line["unitCost"])
    start, end = day(contract["startDate"]), day(contract["endDate"])
    keep_rows(database, line, fresh_rows(start, end, contract["contractPeriodType"], price, cost))


def review_line(database: Database, line: Record, changes: Record) -> None:
    """A new unit cost holds from the row that covers today on, where that is not posted."""
    if changes.get("unitCost") is not None:
        today, cost = database.today(), Decimal(changes["unitCost"])
        rows = rows_of(database, line["id"])
        keep_rows(database, line, [row if row.posted or row.end < today else _with_cost(row, cost) for row in rows])


def rows_of(database: Database, line_id: int) -> list[Row]:
    """The unit rows of a line, oldest first."""
    records = database.select(UNITS, "contractServiceID = ?", (line_id,))
    return sorted(map(row_from, records), key=lambda row: row.start)


def row_from(record: Record) -> Row:
    return Row(
        start=day(record["startDate"]),
        end=day(record["endDate"]),
        units=record["units"],
        price=Decimal(record["unitPrice"]),
        cost=Decimal(record["unitCost"]),
        posted=record["approveAndPostDate"] is not None,
        id=record["id"],
    )


def row_values(row: Row, line: Record, *, vendor: int | None, rate: Decimal) -> Record:
    """A unit row as the ledger keeps it: price and cost are totals of the row, never pro-rated."""
    price = row.units * row.price
    return {
        "contractID": line["contractID"],
        "contractServiceID": line["id"],
        "serviceID": line["serviceID"],
        "startDate": f"{row.start}T00:00:00Z",
        "endDate": f"{row.end}T00:00:00Z",
        "units": row.units,
        "price": amount_text(price),
        "cost": amount_text(row.units * row.cost),
        "internalCurrencyPrice": amount_text(price / rate),
        "vendorCompanyID": vendor,
        "unitPrice": amount_text(row.price),
        "unitCost": amount_text(row.cost),
    }


def keep_rows(database: Database, line: Record, rows: Iterable[Row]) -> None:
    """Make the line's rows in the ledger these: rows keep their ids, new ones get one, missing ones go."""
    contract = database.get("Contracts", line["contractID"]) or {}
    service = database.get("Services", line["serviceID"]) or {}
    rate = contract_rate(database, contract)
    before = {record["id"]: record for record in database.select(UNITS, "contractServiceID = ?", (line["id"],))}
    for row in rows:
        values = row_values(row, line, vendor=service.get("vendorCompanyID"), rate=rate)
        known = before.pop(row.id, None) if row.id is not None else None
        if known is None:
            database.insert(UNITS, values)
        elif any(known[name] != value for name, value in values.items()):
            database.update(UNITS, known["id"], values)
    for gone in before:
        database.delete(UNITS, gone)


def contract_rate(database: Database, contract: Record) -> Decimal:
    """Units of the customer's currency for one of the base currency."""
    company = database.get("Companies", contract.get("companyID")) or {}
    return database.exchange_rate(company.get("currencyID"))


def with_current_prices(database: Database, lines: Sequence[Record], today: date) -> list[Record]:
    """The lines with the price and cost that hold today (before the contract's start: those it starts with)."""
    prices = _prices(database, [line["id"] for line in lines], f"{today}T00:00:00Z")
    shown = []
    for line in lines:
        price, cost = prices.get(line["id"], (line["unitPrice"], line["unitCost"]))
        internal = amount_text(Decimal(price) / _rate_of(line))
        shown.append({**line, "internalCurrencyAdjustedPrice": internal, "unitCost": cost})
    return shown


def _rate_of(line: Record) -> Decimal:
    """Units of the customer's currency for one of the base currency, as the line's list prices tell."""
    internal = Decimal(line["internalCurrencyUnitPrice"] or 0)
    return (Decimal(line["unitPrice"]) / internal if internal else Decimal(1)) or Decimal(1)


def _prices(database: Database, line_ids: Sequence[int], today: str) -> dict[int, tuple[str, str]]:
    marks = ", ".join("?" * len(line_ids))
    found: dict[int, tuple[str, str]] = {}
    for extreme, condition in (("min", "? <> ''"), ("max", "startDate <= ?")):
        sql = _PRICES.format(extreme=extreme, marks=marks, condition=condition)
        with database.store.read() as connection:
            for line_id, price, cost, _start in connection.execute(sql, (*line_ids, today)):
                found[line_id] = (price, cost)
    return found


def _with_cost(row: Row, cost: Decimal) -> Row:
    return Row(row.start, row.end, row.units, row.price, cost, row.posted, row.id)
