"""One call of the API: what its address means, and the answer to it."""

import json
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from ..http import Refused, Request, Response
from .adjustments import journal_swallowed
from .database import Database, Record
from .entities import BY_CHILD, BY_LOWER_NAME, Entity, described
from .errors import NO_PERMISSION, Rejected, no_route, refusal, refused, wrong_verb
from .modes import Modes
from .paging import Page
from .picklists import picklist_values
from .query import Query, include, parse_query
from .records import create, remove, shown, update
from .validation import checked

SPECIAL = {"thresholdinformation": "threshold", "version": "version"}
QUERIES = {("query",): "query", ("query", "next"): "next", ("query", "count"): "count"}
INFORMATION = {
    ("entityinformation",): "information",
    ("entityinformation", "fields"): "fields",
    ("entityinformation", "userdefinedfields"): "user_defined",
}
WRITES = {"POST": "create", "PATCH": "update", "PUT": "replace"}
RIGHTS = {"create": "create", "update": "update", "replace": "update", "delete": "delete"}
LONGEST_SEARCH = 2000
TOO_LONG_ADDRESS = b"<html><body>HTTP Error 404.15 - Not Found: the query string is too long.</body></html>"
EVERYTHING = {"filter": [{"op": "exist", "field": "id"}]}


@dataclass(frozen=True, slots=True)
class Call:
    """What an address and a verb ask for. `parent`: the contract in the address of a child collection."""

    action: str
    entity: Entity | None = None
    parent: int | None = None
    key: int | None = None
    special: str = ""


def parse_call(method: str, rest: str) -> Call:
    """The meaning of a path below the version. Refused with 404 for no such path, with 405 for no such verb on it."""
    parts = rest.lower().split("/")
    if len(parts) == 1 and parts[0] in SPECIAL:
        if method != "GET":
            raise wrong_verb(method)
        return Call("special", special=SPECIAL[parts[0]])
    entity, parent = BY_LOWER_NAME.get(parts[0]), None
    tail = tuple(parts[1:])
    if parts[0] == "contracts" and len(parts) > 2 and parts[1].isdigit() and parts[2] in BY_CHILD:
        entity, parent, tail = BY_CHILD[parts[2]], int(parts[1]), tuple(parts[3:])
    if entity is None:
        raise no_route(rest)
    actions = _actions(entity, parent, tail)
    if not actions:
        raise no_route(rest)
    if method not in actions:
        raise wrong_verb(method)
    key = int(tail[0]) if tail and tail[0].isdigit() else None
    return Call(actions[method], entity, parent, key)


def _actions(entity: Entity, parent: int | None, tail: tuple[str, ...]) -> dict[str, str]:
    """The verbs that an address offers, and what each does."""
    if tail in INFORMATION:
        return {"GET": INFORMATION[tail]}
    if tail in QUERIES:
        offered = entity.can("query") and parent is None
        return {"GET": QUERIES[tail], "POST": QUERIES[tail]} if offered else {}
    if not tail:
        return _collection_actions(entity, parent)
    if len(tail) == 1 and tail[0].isdigit() and entity.can("query"):
        removable = entity.can("delete") and parent is not None
        return {"GET": "get", "DELETE": "delete"} if removable else {"GET": "get"}
    return {}


def _collection_actions(entity: Entity, parent: int | None) -> dict[str, str]:
    actions = {"GET": "list"} if parent is not None and entity.can("query") else {}
    if entity.can("create") and (parent is not None or entity.root_create):
        actions["POST"] = "create"
    if entity.can("update") and (parent is not None or not entity.child):
        actions |= {"PATCH": "update", "PUT": "replace"}
    # An address that nothing can be done with answers 405 rather than 404: the entity is there.
    return actions or {"": ""}


def serve(
    database: Database, modes: Modes, call: Call, request: Request, *, rights: Mapping[str, bool], base: str
) -> Response:
    """Answer a call about an entity. `base` is the API's address, for the addresses of further pages."""
    entity = call.entity
    assert entity is not None
    try:
        if call.action in INFORMATION.values():
            return Response(body=_information(database, entity, call.action, rights))
        right = RIGHTS.get(call.action, "query")
        if not rights[right]:
            verb = {"query": "view"}.get(right, right)
            return refusal(int(modes["missing_right"]), NO_PERMISSION.format(verb=verb, entity=entity.singular))
        if right == "query":
            stale = database.as_before_the_last_write() if request.has_fault("stale_read") else nullcontext()
            with stale:
                return Response(body=_read(database, modes, call, request, base))
        return Response(body={"itemId": _write(database, modes, call, request)})
    except Rejected as rejected:
        return refusal(500, *rejected.errors)


def _write(database: Database, modes: Modes, call: Call, request: Request) -> int | None:
    entity = call.entity
    assert entity is not None
    body = _json(request)
    swallowed = request.has_fault("swallow")
    with database.writing(keep=not swallowed):
        if call.action == "create":
            result = create(database, modes, entity, body, call.parent)
        elif call.action == "delete":
            result = remove(database, entity, call.key or 0, call.parent)
        else:
            result = update(database, modes, entity, body, call.parent, whole=call.action == "replace")
    if swallowed and entity.name == "ContractServiceAdjustments":
        values, _user_defined = checked(database, entity, body, creating=True, strict=False)
        with database.writing():
            journal_swallowed(database, values)
    return result


def _read(database: Database, modes: Modes, call: Call, request: Request, base: str) -> dict[str, Any]:
    entity = call.entity
    assert entity is not None
    if call.action == "get":
        return _one(database, modes, call, entity)
    if call.action == "list":
        query = parse_query(entity, EVERYTHING, database.user_defined_names(entity))
        records = database.select(entity.name, "contractID = ?", (call.parent,))
        details = Page().details("", None, [record["id"] for record in records], size=query.size, more=False)
        return {"items": shown(database, entity, records), "pageDetails": details}
    search = request.query.get("search")
    if request.method == "GET":
        if search is None:
            raise wrong_verb("GET") if call.action == "next" else Rejected("Invalid query syntax. No search given.")
        if len(quote(search)) > LONGEST_SEARCH:
            raise Refused(Response(404, TOO_LONG_ADDRESS, content_type="text/html"))
        body = _parsed(search)
    else:
        if search is not None:
            raise wrong_verb("POST")
        body = _json(request)
    query = parse_query(entity, body, database.user_defined_names(entity))
    if call.action == "count":
        return {"queryCount": database.count(entity.name, query.where, query.parameters)}
    page = Page.from_query(request.query) if call.action == "next" else Page()
    return _page(database, entity, query, page, search=search, base=base)


def _one(database: Database, modes: Modes, call: Call, entity: Entity) -> dict[str, Any]:
    record = database.get(entity.name, call.key)
    if record is not None and call.parent not in (None, record.get("contractID")):
        record = None
    if record is None:
        if modes["missing_row"] == "404":
            raise refused(404, "No matching records found.")
        return {"item": None}
    return {"item": shown(database, entity, [record])[0]}


def _page(
    database: Database, entity: Entity, query: Query, page: Page, *, search: str | None, base: str
) -> dict[str, Any]:
    size = page.size if page.size is not None and 1 <= page.size <= query.size else query.size
    where = f"{query.where} AND id > ?"
    records: Sequence[Record] = database.select(entity.name, where, (*query.parameters, page.after), size + 1)
    more, records = len(records) > size, records[:size]
    items = [include(item, query) for item in shown(database, entity, records)]
    ids = [record["id"] for record in records]
    details = page.details(f"{base}/V1.0/{entity.name}/query", search, ids, size=size, more=more)
    return {"items": items, "pageDetails": details}


def _information(database: Database, entity: Entity, action: str, rights: Mapping[str, bool]) -> dict[str, Any]:
    if action == "information":
        return {"info": described(entity, rights)}
    if action == "user_defined":
        names = database.user_defined_names(entity) if entity.user_defined else []
        return {"fields": [_user_defined_information(name) for name in names]}
    return {"fields": [_field_information(entity, name) for name in sorted(entity.fields)]}


def _field_information(entity: Entity, name: str) -> dict[str, Any]:
    field = entity.fields[name]
    return {
        "name": field.name,
        "dataType": field.data_type,
        "length": field.length,
        "isRequired": field.required,
        "isReadOnly": field.read_only or field.fixed,
        "isQueryable": field.queryable,
        "isReference": bool(field.reference),
        "referenceEntityType": field.reference,
        "isPickList": field.picklist,
        "picklistValues": picklist_values(entity.singular, field.name) if field.picklist else None,
        "picklistParentValueField": "",
        "isSupportedWebhookField": False,
    }


def _user_defined_information(name: str) -> dict[str, Any]:
    return {
        "name": name,
        "label": name,
        "type": "string",
        "length": 100,
        "description": "",
        "isRequired": False,
        "isReadOnly": False,
        "isQueryable": True,
        "isReference": False,
        "referenceEntityType": "",
        "isPickList": False,
        "picklistValues": None,
        "picklistParentValueField": "",
        "defaultValue": "",
        "isSupportedWebhookField": False,
    }


def _json(request: Request) -> Any:
    try:
        return request.json()
    except ValueError as error:
        raise Rejected(f"Invalid JSON: {error}") from error


def _parsed(search: str) -> Any:
    try:
        return json.loads(search)
    except ValueError as error:
        raise Rejected(f"Invalid JSON: {error}") from error
