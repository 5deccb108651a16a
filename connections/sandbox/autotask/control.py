"""Control endpoints of the Autotask stand-in: what people and jobs do inside Autotask, and what tests want to see.

`database` may be left out of every body and query; the first database is meant then. `period` is any date in it.

    GET  ledger?contract=ID | line=ID | key=DESCRIPTION      the lines with their unit rows
    GET  journal[?contract=ID | line=ID | key=…]             every adjustment: asked, effective, outcome, origin;
                                                             `applied` counts them per line and date
    POST edit       {"line", "date", "unitChange"?, "price"?, "cost"?}       an adjustment made by a person
    POST bill       {"contract", "period"}                                   what the period would bill; changes nothing
    POST post       {"contract", "period"} | {"contract"?, "through"}        Approve & Post
    POST unpost     {"contract", "period"}
    POST renew      {"contract", "end", "start"?, "named_on"?: "old"|"new", "keys"?}    see renewals.py
    POST records    {"entity", "id"?, "values": {field: value}}              change or add a record, unchecked but dated
    POST hide       {"entity", "ids": [ID, …]}                               as for a user who may not see them
    GET, POST modes {name: value}                                            see modes.py
    POST rights     {"entity", "allowed": ["create", "delete", "query", "update"]}
    GET, POST users {"user_name", "secret", "integration_code"}              add a user or change its credentials
    POST unlock     {"user_name"}
    POST zone       {}                                                       move the database to another zone
    GET, POST databases   (POST: a database as described in `connections.sandbox.store`; replaces one of the same key)
    POST reset      {}                                                       everything as when the ledger was new
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import asdict
from datetime import date
from typing import TYPE_CHECKING, Any

from ..http import Request, Response, Router
from .adjustments import JOURNAL, adjust
from .billing import Item, bill, post, post_through, unpost
from .database import Database, Record
from .entities import BY_LOWER_NAME, BY_SINGULAR, USER_DEFINED
from .errors import Rejected
from .lines import UNITS
from .records import shown
from .renewals import renew
from .validation import checked

if TYPE_CHECKING:
    from .server import AutotaskServer

CONDITIONS = {"contract": "contractID = ?", "line": "id = ?", "key": "internalDescription = ?"}


class Control:
    """Handlers of the control endpoints."""

    def __init__(self, server: "AutotaskServer") -> None:
        self.server = server

    def add_to(self, router: Router) -> None:
        routes: dict[tuple[str, str], Callable[[Request], Any]] = {
            ("GET", "ledger"): self.ledger,
            ("GET", "journal"): self.journal,
            ("POST", "edit"): self.edit,
            ("POST", "bill"): self.bill,
            ("POST", "post"): self.post,
            ("POST", "unpost"): self.unpost,
            ("POST", "renew"): self.renew,
            ("POST", "records"): self.records,
            ("POST", "hide"): self.hide,
            ("GET", "modes"): lambda request: self.server.modes.change({}),
            ("POST", "modes"): lambda request: self.server.modes.change(request.json()),
            ("POST", "rights"): self.rights,
            ("GET", "users"): lambda request: {"users": self.server.access.users()},
            ("POST", "users"): self.users,
            ("POST", "unlock"): self.unlock,
            ("POST", "zone"): self.zone,
            ("GET", "databases"): lambda request: {"databases": self.server.tenants.about()},
            ("POST", "databases"): lambda request: self.server.tenants.add(request.json()).about,
            ("POST", "reset"): self.reset,
        }
        for (method, name), handler in routes.items():
            router.add(method, f"/_control/{name}", _answering(handler))

    def ledger(self, request: Request) -> dict[str, Any]:
        database = self._database(request)
        lines = _lines(database, request)
        items = shown(database, BY_SINGULAR["ContractService"], lines)
        return {"lines": [{**item, "rows": _rows(database, item["id"])} for item in items]}

    def journal(self, request: Request) -> dict[str, Any]:
        database = self._database(request)
        named = bool(CONDITIONS.keys() & request.query.keys())
        wanted = {line["id"] for line in _lines(database, request)} if named else set()
        entries = [e for e in database.select(JOURNAL, "1") if not named or e["contractServiceID"] in wanted]
        columns = {"effectiveDate": "effective", "askedDate": "asked", "contractServiceID": "line"}
        listed = [{columns.get(k, k): v for k, v in entry.items() if v is not None} for entry in entries]
        applied = Counter((e["line"], e["effective"][:10]) for e in listed if e["outcome"] == "applied")
        counts = [{"line": line, "date": day, "times": times} for (line, day), times in sorted(applied.items())]
        return {"adjustments": listed, "applied": counts}

    def edit(self, request: Request) -> dict[str, Any]:
        database, body = self._database(request), request.json()
        sent = {
            "contractServiceID": body["line"],
            "effectiveDate": body["date"],
            "unitChange": body.get("unitChange"),
            "adjustedUnitPrice": body.get("price"),
            "adjustedUnitCost": body.get("cost"),
        }
        with database.writing():
            values, _ = checked(database, BY_SINGULAR["ContractServiceAdjustment"], sent, creating=True, strict=True)
            adjustment = adjust(database, self.server.modes, values, origin="person")
        return {"adjustment": adjustment, "rows": _rows(database, body["line"])}

    def bill(self, request: Request) -> dict[str, Any]:
        body = request.json()
        return _billed(bill(self._database(request), int(body["contract"]), date.fromisoformat(body["period"])))

    def post(self, request: Request) -> dict[str, Any]:
        database, body = self._database(request), request.json()
        with database.writing():
            if "period" in body:
                return _billed(post(database, int(body["contract"]), date.fromisoformat(body["period"])))
            contracts = [int(body["contract"])] if "contract" in body else _contracts_with_lines(database)
            last = date.fromisoformat(body["through"])
            return _billed([item for contract in contracts for item in post_through(database, contract, last)])

    def unpost(self, request: Request) -> dict[str, Any]:
        database, body = self._database(request), request.json()
        with database.writing():
            return {"rows": unpost(database, int(body["contract"]), date.fromisoformat(body["period"]))}

    def renew(self, request: Request) -> dict[str, Any]:
        database, body = self._database(request), request.json()
        start = date.fromisoformat(body["start"]) if body.get("start") else None
        how = {"start": start, "named_on": body.get("named_on", "old"), "keys": bool(body.get("keys"))}
        with database.writing():
            new = renew(database, int(body["contract"]), date.fromisoformat(body["end"]), **how)
        return {"contract": shown(database, BY_SINGULAR["Contract"], database.select("Contracts", "id = ?", (new,)))[0]}

    def records(self, request: Request) -> dict[str, Any]:
        database, body = self._database(request), request.json()
        entity = BY_LOWER_NAME[body["entity"].lower()]
        given = dict(body["values"])
        user_defined = given.pop(USER_DEFINED, [])
        stamp = {entity.modified: database.clock.stamp()} if entity.modified else {}
        values = stamp | {name: entity.fields[name].stored(value) for name, value in given.items()}
        with database.writing():
            key = body.get("id")
            if key is None:
                key = database.insert(entity.name, {**entity.defaults, **values})
            elif values:
                database.update(entity.name, key, values)
            database.set_user_defined(entity, key, user_defined)
            return {"item": shown(database, entity, database.select(entity.name, "id = ?", (key,)))[0]}

    def hide(self, request: Request) -> dict[str, Any]:
        """Rows that a user may not see are left out of every answer without a word, as if they were gone."""
        database, body = self._database(request), request.json()
        entity = BY_LOWER_NAME[body["entity"].lower()]
        with database.writing():
            for key in body["ids"]:
                database.delete(entity.name, int(key))
        return {"hidden": len(body["ids"])}

    def rights(self, request: Request) -> dict[str, Any]:
        body = request.json()
        entity = BY_LOWER_NAME[body["entity"].lower()]
        key = self._database(request).about["key"]
        return {"allowed": self.server.access.set_rights(key, entity.name, list(body["allowed"]))}

    def users(self, request: Request) -> dict[str, Any]:
        self.server.access.put_user(self._database(request).about["key"], request.json())
        return {"users": self.server.access.users()}

    def unlock(self, request: Request) -> dict[str, Any]:
        self.server.access.unlock(request.json()["user_name"])
        return {"users": self.server.access.users()}

    def zone(self, request: Request) -> dict[str, Any]:
        return {"zone": self.server.access.move_zone(self._database(request).about["key"])}

    def reset(self, request: Request) -> dict[str, Any]:
        self.server.reset()
        return {"databases": self.server.tenants.about()}

    def _database(self, request: Request) -> Database:
        body = request.json() if request.body else None
        key = request.query.get("database") or (body.get("database") if isinstance(body, dict) else None)
        return self.server.tenants.get(key)


def _answering(handler: Callable[[Request], Any]) -> Callable[[Request], Response]:
    def answer(request: Request) -> Response:
        try:
            return Response(body=handler(request))
        except Rejected as rejected:
            return Response(400, {"error": " ".join(rejected.errors)})

    return answer


def _lines(database: Database, request: Request) -> list[Record]:
    for name, condition in CONDITIONS.items():
        if name in request.query:
            return database.select("ContractServices", condition, (request.query[name],))
    raise ValueError(f"one of {', '.join(CONDITIONS)} is needed")


def _rows(database: Database, line_id: int) -> list[dict[str, Any]]:
    rows = database.select(UNITS, "contractServiceID = ?", (line_id,))
    return [
        {
            "id": row["id"],
            "start": row["startDate"][:10],
            "end": row["endDate"][:10],
            "units": row["units"],
            "unit_price": row["unitPrice"],
            "unit_cost": row["unitCost"],
            "posted": row["approveAndPostDate"],
        }
        for row in sorted(rows, key=lambda row: str(row["startDate"]))
    ]


def _billed(items: list[Item]) -> dict[str, Any]:
    listed = [{name: str(v) if isinstance(v, date) else v for name, v in asdict(item).items()} for item in items]
    return {"items": listed, "total": sum(item.amount for item in items)}


def _contracts_with_lines(database: Database) -> list[int]:
    with database.store.read() as connection:
        found = connection.execute('SELECT DISTINCT contractID FROM "ContractServices" ORDER BY 1').fetchall()
    return [row[0] for row in found]
