"""Reading and writing records as the API offers it: the generic part, and which rules each entity adds to it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from . import catalogue, charges, contracts, lines
from .adjustments import adjust
from .database import Database, Record
from .entities import USER_DEFINED, Entity
from .errors import BAD_REFERENCE, MISSING_FIELD, NO_RECORD, Rejected
from .modes import Modes
from .validation import checked


@dataclass(frozen=True, slots=True)
class Rules:
    """`complete` checks and fills a new record; `review` checks an update and may add to it."""

    complete: Callable[[Database, Record], None] | None = None
    review: Callable[[Database, Record, Record], None] | None = None


RULES = {
    "Companies": Rules(catalogue.complete_company, catalogue.review_company),
    "Contracts": Rules(contracts.complete_contract, contracts.review_contract),
    "Services": Rules(catalogue.complete_service, catalogue.review_service),
    "ContractServices": Rules(lines.complete_line, lines.review_line),
    "ContractCharges": Rules(charges.complete_charge, charges.review_charge),
    "ContractNotes": Rules(catalogue.complete_note, catalogue.review_note),
}
NO_RULES = Rules()


def create(database: Database, modes: Modes, entity: Entity, body: Any, parent: int | None) -> int | None:
    """Create a record; returns its id. Rejected carries Autotask's texts. Call it inside `database.writing()`."""
    values, user_defined = _checked(database, modes, entity, _below(database, entity, body, parent), creating=True)
    if entity.name == "ContractServiceAdjustments":
        adjustment = adjust(database, modes, values)
        return adjustment if modes["adjustment_item_id"] == "int" else None
    for name, default in entity.defaults.items():
        if values.get(name) is None:
            values[name] = default
    complete = RULES.get(entity.name, NO_RULES).complete
    if complete is not None:
        complete(database, values)
    values.pop("id", None)
    key = database.insert(entity.name, values)
    database.set_user_defined(entity, key, user_defined)
    if entity.name == "ContractServices":
        lines.add_rows(database, key)
        contracts.note_line_change(database, modes, values["contractID"])
    return key


def update(database: Database, modes: Modes, entity: Entity, body: Any, parent: int | None, *, whole: bool) -> int:
    """Change a record by the `id` in the body; with `whole` (PUT) fields that are left out become null."""
    sent = _below(database, entity, body, parent)
    key = next((value for name, value in sent.items() if name.lower() == "id"), None)
    if key is None:
        raise Rejected(MISSING_FIELD.format(field="id"), f"Error updating {entity.singular}.")
    record = database.get(entity.name, key)
    if record is None or parent not in (None, record.get("contractID")):
        raise Rejected(BAD_REFERENCE.format(field="id", kind=entity.singular), f"Error updating {entity.singular}.")
    if whole:
        sent = {**{f.name: None for f in entity.fields.values() if not f.read_only and not f.fixed}, **sent}
    changes, user_defined = _checked(database, modes, entity, sent, creating=False)
    changes.pop("id", None)
    review = RULES.get(entity.name, NO_RULES).review
    if review is not None:
        review(database, record, changes)
    if changes:
        database.update(entity.name, record["id"], changes)
    database.set_user_defined(entity, record["id"], user_defined)
    if entity.name == "ContractServices":
        contracts.note_line_change(database, modes, record["contractID"])
    return int(record["id"])


def remove(database: Database, entity: Entity, key: int, parent: int | None) -> int:
    record = database.get(entity.name, key)
    if record is None or parent not in (None, record.get("contractID")):
        raise Rejected(NO_RECORD)
    charges.review_removal(record)
    database.delete(entity.name, key)
    return key


def shown(database: Database, entity: Entity, records: Sequence[Record]) -> list[dict[str, Any]]:
    """Records as the API answers them: every field of the model, nulls included, and the user-defined values."""
    if entity.name == "ContractServices":
        records = lines.with_current_prices(database, records, database.today())
    converted = [f for f in entity.fields.values() if f.type in ("double", "bool")]
    items = []
    for record in records:
        item = {name: record[name] for name in entity.fields}
        for field in converted:
            item[field.name] = field.shown(item[field.name])
        items.append(item)
    if entity.user_defined:
        names = database.user_defined_names(entity)
        values = database.user_defined(entity, [record["id"] for record in records]) if names else {}
        for item in items:
            known = values.get(item["id"], {})
            item[USER_DEFINED] = [{"name": name, "value": known.get(name)} for name in names]
    return items


def _checked(
    database: Database, modes: Modes, entity: Entity, body: Any, *, creating: bool
) -> tuple[Record, list[dict[str, Any]]]:
    return checked(database, entity, body, creating=creating, strict=modes["unknown_properties"] == "reject")


def _below(database: Database, entity: Entity, body: Any, parent: int | None) -> Mapping[str, Any]:
    """The body with the parent from the URL. Rejected: an unknown parent, or a body that names another one."""
    if not isinstance(body, dict):
        raise Rejected("Invalid request. The body must be a JSON object.")
    if parent is None:
        return body
    if database.get("Contracts", parent) is None:
        raise Rejected(BAD_REFERENCE.format(field="contractID", kind="Contract"))
    named = next((value for name, value in body.items() if name.lower() == "contractid"), None)
    if named not in (None, parent):
        raise Rejected(f"contractID {named} in the body differs from the parent {parent} of the {entity.singular}.")
    rest = {name: value for name, value in body.items() if name.lower() != "contractid"}
    return {**rest, "contractID": parent}
