"""What Autotask checks in the body of a create or an update before any rule of the entity: names, types, lengths,
picklists, references, required fields. Values of read-only fields are ignored, not refused."""

from collections.abc import Iterator, Mapping
from typing import Any

from .database import Database, Record
from .entities import BY_SINGULAR, USER_DEFINED, Entity
from .errors import BAD_PICK, BAD_REFERENCE, MISSING_FIELD, TOO_LONG, UNKNOWN_PROPERTY, Rejected
from .fields import Field, WrongType
from .picklists import PICKLISTS


def checked(
    database: Database, entity: Entity, body: Any, *, creating: bool, strict: bool
) -> tuple[Record, list[dict[str, Any]]]:
    """(the ledger's values of the fields that may be written, the user-defined values). Rejected names every fault."""
    if not isinstance(body, dict):
        raise Rejected("Invalid request. The body must be a JSON object.")
    verb = "creating" if creating else "updating"
    values: Record = {}
    errors: list[str] = []
    for name, value in body.items():
        field = entity.find(name)
        if field is None:
            if name.lower() != USER_DEFINED.lower() and strict:
                errors.append(UNKNOWN_PROPERTY.format(field=name, entity=entity.singular))
            continue
        if field.read_only or (field.fixed and not creating):
            continue
        try:
            values[field.name] = field.stored(value)
        except WrongType as error:
            errors.append(str(error))
            continue
        errors += _faults(database, entity, field, values[field.name])
    errors += _missing(entity, values, creating=creating)
    user_defined = _user_defined(database, entity, body, errors)
    if errors:
        raise Rejected(*errors, f"Error {verb} {entity.singular}.")
    return values, user_defined


def _faults(database: Database, entity: Entity, field: Field, stored: Any) -> Iterator[str]:
    if stored is None:
        return
    if field.length and isinstance(stored, str) and len(stored) > field.length:
        yield TOO_LONG.format(field=field.name, length=field.length)
    picks = PICKLISTS.get((entity.singular, field.name))
    if field.picklist and picks is not None and stored not in picks:
        yield BAD_PICK.format(value=stored, field=field.name)
    target = BY_SINGULAR.get(field.reference)
    if target is not None and database.get(target.name, stored) is None:
        yield BAD_REFERENCE.format(field=field.name, kind=field.reference)


def _missing(entity: Entity, values: Mapping[str, Any], *, creating: bool) -> Iterator[str]:
    for field in entity.fields.values():
        given = field.name in values
        if field.required and not field.read_only and (creating or given) and values.get(field.name) is None:
            yield MISSING_FIELD.format(field=field.name)


def _user_defined(
    database: Database, entity: Entity, body: Mapping[str, Any], errors: list[str]
) -> list[dict[str, Any]]:
    sent = next((value for name, value in body.items() if name.lower() == USER_DEFINED.lower()), None)
    if not sent:
        return []
    if not isinstance(sent, list) or not all(isinstance(item, dict) and item.get("name") for item in sent):
        errors.append("Invalid userDefinedFields.")
        return []
    known = {name.casefold(): name for name in database.user_defined_names(entity)}
    for item in sent:
        if str(item["name"]).casefold() not in known:
            errors.append(f"User-defined field {item['name']} does not exist for {entity.singular}.")
    return [{"name": known.get(str(item["name"]).casefold()), "value": item.get("value")} for item in sent]
