"""Filling a database in one transaction, fast: no checks, no journal, rows computed in memory.

The shape of the data is described in `connections.sandbox.store`.
"""

import zlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

from .database import Database, Record
from .entities import BY_SINGULAR, ENTITIES, USER_DEFINED, Entity
from .fields import amount_text, day, moment
from .lines import UNITS, contract_rate, row_values
from .periods import Row, adjusted, fresh_rows
from .picklists import CUSTOMER

LISTS = {
    "companies": "Companies",
    "services": "Services",
    "contracts": "Contracts",
    "billing_codes": "BillingCodes",
    "products": "Products",
    "charges": "ContractCharges",
    "currencies": "Currencies",
    "resources": "Resources",
}
USER_DEFINED_FIELDS = {"Contracts": ["Subscription ID"], "Companies": ["Microsoft Tenant ID"]}
BASE_CURRENCY = 1
OWNER = {"id": 0, "companyType": CUSTOMER, "phone": "0", "isActive": True}
RESOURCE = {"id": 1, "firstName": "Alex", "lastName": "Owner", "email": "alex@example.com", "isActive": True}


def load(database: Database, data: Mapping[str, Any]) -> None:
    """Fill a new database. ValueError or KeyError where the data do not have the described shape."""
    with database.writing():
        key, name = str(data["key"]), str(data.get("name") or data["key"])
        currency = str(data.get("currency") or "USD")
        about = {"key": key, "name": name, "currency": currency, "zone": data.get("zone") or "America East"}
        database.store.set_setting("about", {**about, "ci": 100_000 + zlib.crc32(key.encode()) % 900_000})
        database.store.set_setting(USER_DEFINED, data.get("user_defined_fields", USER_DEFINED_FIELDS))
        stamp = database.clock.stamp()
        for list_name, entity_name in LISTS.items():
            records = _with_defaults(list_name, data, name=name, currency=currency)
            _load_entity(database, ENTITIES[entity_name], records, stamp)
        _load_lines(database, data)


def _with_defaults(list_name: str, data: Mapping[str, Any], *, name: str, currency: str) -> Iterator[Mapping[str, Any]]:
    """The given records, and before them those that every tenant has."""
    given = list(data.get(list_name) or ())
    owner = next((resource["id"] for resource in data.get("resources") or ()), RESOURCE["id"])
    if list_name == "companies" and not any(record.get("id") == 0 for record in given):
        yield OWNER | {"companyName": name, "ownerResourceID": owner, "currencyID": BASE_CURRENCY}
    if list_name == "resources" and not given:
        yield RESOURCE
    if list_name == "currencies" and not any(record.get("isInternalCurrency") for record in given):
        base = {"id": BASE_CURRENCY, "name": currency, "description": currency, "exchangeRate": 1}
        yield base | {"isActive": True, "isInternalCurrency": True}
    for record in given:
        known = {"currencyID": BASE_CURRENCY, "ownerResourceID": owner} if list_name == "companies" else {}
        yield {**known, **record}


def _load_entity(database: Database, entity: Entity, records: Iterable[Mapping[str, Any]], stamp: str) -> None:
    stored = []
    made = [name for name in ("createDate", "lastActivityDate", entity.modified) if name in entity.fields]
    for record in records:
        values: Record = {**entity.defaults, **dict.fromkeys(made, stamp)}
        for name, value in record.items():
            if name == USER_DEFINED:
                database.set_user_defined(entity, record["id"], value)
            else:
                values[name] = entity.fields[name].stored(value)
        stored.append(values)
    database.insert_many(entity, stored)


def _load_lines(database: Database, data: Mapping[str, Any]) -> None:
    contracts = {record["id"]: record for record in database.select("Contracts", "contractPeriodType IS NOT NULL")}
    services = {record["id"]: record for record in database.select("Services", "1")}
    lines, rows = [], []
    for given in data.get("lines") or ():
        contract, service = contracts[given["contractID"]], services[given["serviceID"]]
        rate = contract_rate(database, contract)
        listed = Decimal(service["unitPrice"] or 0)
        price, cost = listed * rate, Decimal(service["unitCost"] or 0) * rate
        lines.append(
            {
                "id": given["id"],
                "contractID": contract["id"],
                "serviceID": service["id"],
                "internalDescription": given.get("internalDescription"),
                "invoiceDescription": given.get("invoiceDescription") or service["invoiceDescription"],
                "unitPrice": amount_text(price),
                "unitCost": amount_text(cost),
                "internalCurrencyUnitPrice": amount_text(listed),
                "internalCurrencyAdjustedPrice": amount_text(listed),
            }
        )
        for row in _rows(contract, given, price, cost):
            values = row_values(row, lines[-1], vendor=service["vendorCompanyID"], rate=rate)
            rows.append({**values, "approveAndPostDate": _posted_at(row, given)})
    database.insert_many(BY_SINGULAR["ContractService"], lines)
    numbered = enumerate(rows, database.next_id(UNITS))
    database.insert_many(ENTITIES[UNITS], ({"id": key, **row} for key, row in numbered))


def _rows(contract: Record, given: Mapping[str, Any], price: Decimal, cost: Decimal) -> list[Row]:
    start, end = day(contract["startDate"]), day(contract["endDate"])
    rows = fresh_rows(start, end, contract["contractPeriodType"], price, cost)
    for unit in given.get("units") or ():
        new_price, new_cost = (None if unit.get(n) is None else Decimal(str(unit[n])) for n in ("price", "cost"))
        rows = adjusted(rows, moment(unit["date"]).date(), unit.get("unitChange") or 0, new_price, new_cost)
    posted_through = given.get("posted_through")
    last: date | None = moment(posted_through).date() if posted_through else None
    return [replace(row, posted=last is not None and row.end <= last) for row in rows]


def _posted_at(row: Row, given: Mapping[str, Any]) -> str | None:
    return f"{moment(given['posted_through']):%Y-%m-%d}T08:00:00.000Z" if row.posted else None
