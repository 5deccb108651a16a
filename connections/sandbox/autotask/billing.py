"""Billing: what a contract's period amounts to, and Approve & Post, which turns it into billing items.

A period's bill has one item per unit row with units, one per separate adjustment of days that were posted before, and
one per charge that was bought in it. In Autotask this is work in the user interface; no part of the API posts or bills.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from .database import Database, Record
from .errors import Rejected
from .fields import amount_text, day
from .lines import UNITS, row_from
from .money import amount, rounded, share
from .periods import Period, Row, period_of, periods
from .picklists import CHARGE_ITEM, RECURRING_ADJUSTMENT_ITEM, RECURRING_ITEM


@dataclass(frozen=True, slots=True)
class Item:
    """One line of a bill. `source` is the id of the unit row, separate item or charge that it bills."""

    kind: str
    source: int
    line: int | None
    service: int | None
    start: date
    end: date
    quantity: Decimal
    unit_price: Decimal
    unit_cost: Decimal
    part: Decimal
    amount: Decimal
    name: str
    adjustment: int | None = None


def contract_period(database: Database, contract_id: int, covering: date) -> tuple[Record, Period]:
    """The contract and the period of its grid that covers the date."""
    contract = database.get("Contracts", contract_id)
    if contract is None or contract["contractPeriodType"] is None:
        raise Rejected(f"Contract {contract_id} has no billing periods.")
    start, end = day(contract["startDate"]), day(contract["endDate"])
    if not start <= covering <= end:
        raise Rejected(f"{covering} is not within contract {contract_id}.")
    return contract, period_of(covering, start, contract["contractPeriodType"])


def currency_of(database: Database, contract: Record) -> str:
    """The ISO code of the customer's currency."""
    company = database.get("Companies", contract["companyID"]) or {}
    currency = database.get("Currencies", company.get("currencyID")) or {}
    return str(currency.get("name") or database.about.get("currency") or "USD")


def bill(database: Database, contract_id: int, covering: date) -> list[Item]:
    """What Approve & Post would make of the period that covers the date: unposted rows, separate items, charges."""
    contract, period = contract_period(database, contract_id, covering)
    currency = currency_of(database, contract)
    items = list(_row_items(database, contract_id, period, currency))
    items += _separate_items(database, contract_id, currency)
    items += _charge_items(database, contract_id, period, currency)
    return items


def post(database: Database, contract_id: int, covering: date) -> list[Item]:
    """Approve & Post the period that covers the date; returns what was billed. Rows without units are posted, too."""
    contract, period = contract_period(database, contract_id, covering)
    items = bill(database, contract_id, covering)
    for item in items:
        _write_item(database, contract, item)
    stamp = database.clock.stamp()
    for record in _open_rows(database, contract_id, period):
        database.update(UNITS, record["id"], {"approveAndPostDate": stamp})
    return items


def post_through(database: Database, contract_id: int, last: date) -> list[Item]:
    """Approve & Post every period that ends by `last`."""
    contract, _period = contract_period(database, contract_id, _start_of(database, contract_id))
    start, end = day(contract["startDate"]), day(contract["endDate"])
    billed: list[Item] = []
    for period in periods(start, end, contract["contractPeriodType"]):
        if min(period.end, end) <= last:
            billed += post(database, contract_id, period.start)
    return billed


def unpost(database: Database, contract_id: int, covering: date) -> int:
    """Take the posting of a period back: rows are open again, their billing items go. Returns how many rows."""
    _contract, period = contract_period(database, contract_id, covering)
    where = "contractID = ? AND startDate >= ? AND startDate <= ? AND approveAndPostDate IS NOT NULL"
    rows = database.select(UNITS, where, (contract_id, _midnight(period.start), _midnight(period.end)))
    for row in rows:
        database.update(UNITS, row["id"], {"approveAndPostDate": None})
        for item in database.select("BillingItems", "contractServicePeriodID = ?", (row["id"],)):
            database.delete("BillingItems", item["id"])
    return len(rows)


def add_separate_item(database: Database, line: Record, row: Row, *, start: date, change: int, adjustment: int) -> None:
    """Bill the change of posted days apart, at the next Approve & Post of the contract."""
    if not change:
        return
    contract = database.get("Contracts", line["contractID"]) or {}
    period = period_of(row.start, day(contract["startDate"]), contract["contractPeriodType"])
    part = share(Row(start, row.end, 0, row.price, row.cost), period)
    values = (contract["id"], line["id"], adjustment, start.isoformat(), change)
    amounts = (amount_text(row.price), amount_text(row.cost), amount_text(part))
    with database.store.read() as connection:
        connection.execute(
            "INSERT INTO separate_items (contract, line, adjustment, day, units, unit_price, unit_cost, part) "
            "VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            values + amounts,
        )


def _open_rows(database: Database, contract_id: int, period: Period) -> list[Record]:
    where = "contractID = ? AND startDate >= ? AND startDate <= ? AND approveAndPostDate IS NULL"
    return database.select(UNITS, where, (contract_id, _midnight(period.start), _midnight(period.end)))


def _row_items(database: Database, contract_id: int, period: Period, currency: str) -> Iterator[Item]:
    for record in _open_rows(database, contract_id, period):
        row = row_from(record)
        if row.units:
            part = share(row, period)
            yield Item(
                kind="row",
                source=record["id"],
                line=record["contractServiceID"],
                service=record["serviceID"],
                start=row.start,
                end=row.end,
                quantity=Decimal(row.units),
                unit_price=row.price,
                unit_cost=row.cost,
                part=part,
                amount=amount(row.units, row.price, part, currency),
                name=_service_name(database, record["serviceID"]),
            )


def _separate_items(database: Database, contract_id: int, currency: str) -> Iterator[Item]:
    with database.store.read() as connection:
        found = connection.execute("SELECT * FROM separate_items WHERE contract = ?", (contract_id,)).fetchall()
    for item in found:
        line = database.get("ContractServices", item["line"]) or {}
        price, part = Decimal(item["unit_price"]), Decimal(item["part"])
        start = date.fromisoformat(item["day"])
        yield Item(
            kind="separate",
            source=item["id"],
            line=item["line"],
            service=line.get("serviceID"),
            start=start,
            end=start,
            quantity=Decimal(item["units"]),
            unit_price=price,
            unit_cost=Decimal(item["unit_cost"]),
            part=part,
            amount=amount(item["units"], price, part, currency),
            name=_service_name(database, line.get("serviceID")),
            adjustment=item["adjustment"],
        )


def _charge_items(database: Database, contract_id: int, period: Period, currency: str) -> Iterator[Item]:
    where = "contractID = ? AND isBilled = 0 AND isBillableToCompany = 1 AND datePurchased BETWEEN ? AND ?"
    for charge in database.select(
        "ContractCharges", where, (contract_id, _midnight(period.start), _midnight(period.end))
    ):
        quantity, price = Decimal(charge["unitQuantity"]), Decimal(charge["unitPrice"] or 0)
        bought = day(charge["datePurchased"])
        yield Item(
            kind="charge",
            source=charge["id"],
            line=None,
            service=None,
            start=bought,
            end=bought,
            quantity=quantity,
            unit_price=price,
            unit_cost=Decimal(charge["unitCost"] or 0),
            part=Decimal(1),
            amount=rounded(quantity * price, currency),
            name=charge["name"],
        )


def _write_item(database: Database, contract: Record, item: Item) -> None:
    kinds = {"row": RECURRING_ITEM, "separate": RECURRING_ADJUSTMENT_ITEM, "charge": CHARGE_ITEM}
    stamp = database.clock.stamp()
    values = {
        "billingItemType": kinds[item.kind],
        "subType": kinds[item.kind],
        "companyID": contract["companyID"],
        "contractID": contract["id"],
        "contractServiceID": item.line,
        "contractServicePeriodID": item.source if item.kind == "row" else None,
        "contractServiceAdjustmentID": item.adjustment,
        "contractChargeID": item.source if item.kind == "charge" else None,
        "serviceID": item.service,
        "itemName": item.name,
        "itemDate": _midnight(item.start),
        "quantity": amount_text(item.quantity),
        "rate": amount_text(item.unit_price),
        "ourCost": amount_text(item.quantity * item.unit_cost * item.part),
        "extendedPrice": amount_text(item.amount),
        "totalAmount": amount_text(item.amount),
        "purchaseOrderNumber": contract["purchaseOrderNumber"],
        "nonBillable": 0,
        "postedDate": f"{stamp[:10]}T00:00:00Z",
        "postedOnTime": stamp,
    }
    database.insert("BillingItems", values)
    if item.kind == "charge":
        database.update("ContractCharges", item.source, {"isBilled": 1})
    if item.kind == "separate":
        with database.store.read() as connection:
            connection.execute("DELETE FROM separate_items WHERE id = ?", (item.source,))


def _service_name(database: Database, service_id: int | None) -> str:
    service = database.get("Services", service_id) or {}
    return str(service.get("name") or "")


def _start_of(database: Database, contract_id: int) -> date:
    contract = database.get("Contracts", contract_id)
    if contract is None:
        raise Rejected(f"There is no contract {contract_id}.")
    return day(contract["startDate"])


def _midnight(moment: date) -> str:
    return f"{moment}T00:00:00Z"
