"""Contract service adjustments: a command that changes a line's units, price and cost from a date on.

Its count change is added to its own date and every later one; its price and cost are set for all units of the line from
its date on. It cannot be read back by the API; the ledger keeps every one as a journal.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from .billing import add_separate_item
from .contracts import note_line_change
from .database import Database, Record
from .errors import BELOW_ZERO, DUPLICATE_PERIOD, MISSING_FIELD, OUTSIDE_CONTRACT, POSTED_PERIOD, ZERO_UNITS, Rejected
from .fields import day
from .lines import add_rows, complete_line, keep_rows, rows_of
from .modes import Modes
from .periods import ONE_DAY, BelowZero, Row, adjusted, period_of

JOURNAL = "ContractServiceAdjustments"


@dataclass(frozen=True, slots=True)
class Asked:
    """An adjustment as the caller wants it."""

    effective: date
    change: int
    price: Decimal | None
    cost: Decimal | None


def adjust(database: Database, modes: Modes, values: Record, *, origin: str = "api") -> int:
    """Apply an adjustment; returns its id. Rejected with Autotask's text where a rule says no.

    `values`: the entity's fields; the line is `contractServiceID`, or `contractID` with `serviceID`, which adds the
    line where the contract has none.
    """
    line = _target(database, values)
    contract = database.get("Contracts", line["contractID"]) or {}
    asked = Asked(
        effective=day(values["effectiveDate"]),
        change=values.get("unitChange") or 0,
        price=_amount(values.get("adjustedUnitPrice")),
        cost=_amount(values.get("adjustedUnitCost")),
    )
    if not day(contract["startDate"]) <= asked.effective <= day(contract["endDate"]):
        raise Rejected(OUTSIDE_CONTRACT, "Error creating ContractServiceAdjustment.")
    rows = rows_of(database, line["id"])
    posted = [row for row in rows if row.posted and row.end >= asked.effective]
    effective = _open_date(contract, asked.effective, posted, modes)
    change = asked.change - _replaced(database, line, effective, modes)
    ignored = modes["price_only"] == "ignore" and asked.change == 0
    price, cost = (None, None) if ignored else (asked.price, asked.cost)
    final = Asked(effective, change, price, cost)
    keep_rows(database, line, _applied(rows, final, contract, modes))
    note_line_change(database, modes, line["contractID"])
    journal_id = _journal(database, line, values, effective, origin)
    for row in posted if modes["posted_period"] == "separate" else ():
        add_separate_item(database, line, row, start=max(row.start, effective), change=change, adjustment=journal_id)
    if modes["notes"] == "write" or origin != "api":
        _write_note(database, line, final)
    return journal_id


def journal_swallowed(database: Database, values: Record) -> None:
    """Remember an adjustment that was answered like a success and thrown away."""
    line = database.get("ContractServices", values.get("contractServiceID")) or {}
    found = {name: values.get(name) or line.get(name) for name in ("contractID", "serviceID")}
    moment = {"origin": "api", "askedDate": values["effectiveDate"], "outcome": "swallowed"}
    database.insert(JOURNAL, {**values, **found, **moment, "madeAt": database.clock.stamp()})


def _target(database: Database, values: Record) -> Record:
    if values.get("contractServiceID") is not None:
        line = database.get("ContractServices", values["contractServiceID"]) or {}
        if values.get("contractID") not in (None, line["contractID"]):
            raise Rejected("ContractService does not belong to the Contract referenced by contractID.")
        return line
    for name in ("contractID", "serviceID"):
        if values.get(name) is None:
            raise Rejected(MISSING_FIELD.format(field=name), "Error creating ContractServiceAdjustment.")
    pair = {name: values[name] for name in ("contractID", "serviceID")}
    lines = database.select("ContractServices", "contractID = ? AND serviceID = ?", tuple(pair.values()))
    if len(lines) == 1 and not values.get("allowRepeatService"):
        return lines[0]
    if lines and not values.get("allowRepeatService"):
        raise Rejected("More than one ContractService matches contractID and serviceID; specify contractServiceID.")
    complete_line(database, pair)
    line_id = database.insert("ContractServices", pair)
    add_rows(database, line_id)
    return database.get("ContractServices", line_id) or {}


def _open_date(contract: Record, effective: date, posted: Sequence[Row], modes: Modes) -> date:
    """The date from which the adjustment counts, given the posted rows that it would touch."""
    if not posted or modes["posted_period"] == "separate":
        return effective
    following = max(row.end for row in posted) + ONE_DAY
    if modes["posted_period"] == "reject" or following > day(contract["endDate"]):
        raise Rejected(POSTED_PERIOD, "Error creating ContractServiceAdjustment.")
    return following


def _replaced(database: Database, line: Record, effective: date, modes: Modes) -> int:
    """The units that earlier adjustments of the same date added and that this one takes back."""
    earlier = database.select(
        JOURNAL,
        "contractServiceID = ? AND effectiveDate = ? AND outcome = 'applied'",
        (line["id"], f"{effective}T00:00:00Z"),
    )
    if not earlier or modes["same_date"] == "merge":
        return 0
    if modes["same_date"] == "duplicate_error":
        raise Rejected(DUPLICATE_PERIOD, "Error creating ContractServiceAdjustment.")
    for adjustment in earlier:
        database.update(JOURNAL, adjustment["id"], {"outcome": "replaced"})
    return sum(adjustment["unitChange"] or 0 for adjustment in earlier)


def _applied(rows: Sequence[Row], asked: Asked, contract: Record, modes: Modes) -> list[Row]:
    effective, price, cost = asked.effective, asked.price, asked.cost
    try:
        result = adjusted(rows, effective, asked.change, price, cost)
        if modes["price_timing"] == "next_period":
            period = period_of(effective, day(contract["startDate"]), contract["contractPeriodType"])
            from_day = effective if effective == period.start else period.end + ONE_DAY
            result = adjusted(adjusted(rows, effective, asked.change, None, None), from_day, 0, price, cost)
    except BelowZero as error:
        raise Rejected(BELOW_ZERO, "Error creating ContractServiceAdjustment.") from error
    if modes["zero_units"] == "reject" and asked.change and any(r.units == 0 for r in result if r.start >= effective):
        raise Rejected(ZERO_UNITS, "Error creating ContractServiceAdjustment.")
    return result


def _journal(database: Database, line: Record, values: Record, effective: date, origin: str) -> int:
    entry = {
        **{name: values.get(name) for name in ("adjustedUnitCost", "adjustedUnitPrice", "allowRepeatService")},
        "unitChange": values.get("unitChange"),
        "contractServiceID": line["id"],
        "contractID": line["contractID"],
        "serviceID": line["serviceID"],
        "effectiveDate": f"{effective}T00:00:00Z",
        "askedDate": values["effectiveDate"],
        "origin": origin,
        "outcome": "applied",
        "madeAt": database.clock.stamp(),
    }
    return database.insert(JOURNAL, entry)


def _write_note(database: Database, line: Record, asked: Asked) -> None:
    service = database.get("Services", line["serviceID"]) or {}
    text = f"{service.get('name')}: units {asked.change:+d} from {asked.effective}"
    if asked.price is not None:
        text += f", unit price {asked.price}"
    stamp = database.clock.stamp()
    note = {"contractID": line["contractID"], "title": "Service units adjusted", "description": text}
    database.insert("ContractNotes", note | {"createDateTime": stamp, "lastActivityDate": stamp})


def _amount(stored: str | None) -> Decimal | None:
    return None if stored is None else Decimal(stored)
