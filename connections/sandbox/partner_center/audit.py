"""Audit records: one for every write, with the new resource as JSON text in PascalCase, as the service keeps them."""

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import date, timedelta
from typing import Any

from ..http import Request, Response, dumps
from . import documents, terms
from .errors import refused
from .ledger import Ledger

Document = dict[str, Any]

OLDEST = timedelta(days=90)
DEFAULT_WINDOW = timedelta(days=30)
_FIELDS = {"companyname": "customerName", "customerid": "customerId", "resourcetype": "resourceType"}


class Audit:
    """Writes and lists the records."""

    def __init__(self, ledger: Ledger, changed: Callable[[str, str], None] = lambda customer, key: None) -> None:
        """`changed` is called with customer and subscription for every change of a subscription."""
        self._ledger, self._changed = ledger, changed

    def record(
        self,
        operation: str,
        resource_type: str,
        new: Mapping[str, Any],
        *,
        customer: Mapping[str, Any],
        caller: Mapping[str, Any],
        old: Mapping[str, Any] | None = None,
        data: Sequence[tuple[str, str]] = (),
    ) -> None:
        """`caller` are the claims of the token, or {"upn": name} of a person in the portal."""
        number = int(self._ledger.store.setting("last_audit", 0)) + 1
        self._ledger.store.set_setting("last_audit", number)
        document: Document = {
            "id": f"{number:08d}",
            "partnerId": self._ledger.store.setting("provider", {}).get("id", ""),
            "customerId": customer["id"],
            "customerName": customer["companyProfile"]["companyName"],
            "userPrincipalName": caller.get("upn", ""),
            "applicationId": caller.get("appid", "Partner Center"),
            "resourceType": resource_type,
            "resourceNewValue": dumps(_pascal(new)),
            "operationType": operation,
            "operationDate": terms.iso(self._ledger.clock.now()),
            "operationStatus": "succeeded",
            "customizedData": [{"key": key, "value": value} for key, value in data],
            "attributes": {"objectType": "AuditRecord"},
        }
        if old is not None:
            document["resourceOldValue"] = dumps(_pascal(old))
        self._ledger.put("audit", document["id"], document, parent=customer["id"])
        if resource_type == "subscription":
            self._changed(customer["id"], str(new["id"]))

    def listed(self, request: Request) -> Response:
        """GET /v1/auditrecords?startDate=&endDate=&filter=: the newest first; days count in UTC."""
        today = self._ledger.clock.today()
        start = _day(request.query.get("startdate"), today - DEFAULT_WINDOW)
        end = _day(request.query.get("enddate"), today)
        if start < today - OLDEST:
            raise refused(400, 800002)
        name, value = _filter(request.query.get("filter", ""))
        found = [
            record
            for record in reversed(self._ledger.all("audit"))
            if start <= terms.day_of(record["operationDate"]) <= end
            and (not name or value in str(record[name]).casefold())
        ]
        self_link = documents.link(f"/auditrecords?startDate={start.isoformat()}")
        return Response(body=documents.collection(found, links={"self": self_link}))


def _day(text: str | None, default: date) -> date:
    try:
        return terms.day_of(text) if text else default
    except ValueError as error:
        raise refused(400, 800002) from error


def _filter(text: str) -> tuple[str, str]:
    """{"Field": "CustomerId", "Value": ..., "Operator": ...} as (name in the record, value without regard to case)."""
    if not text:
        return "", ""
    try:
        asked = {key.lower(): str(value) for key, value in json.loads(text).items()}
        return _FIELDS[asked["field"].lower()], asked["value"].casefold()
    except (ValueError, AttributeError, KeyError) as error:
        raise refused(400, 800002) from error


def _pascal(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name[:1].upper() + name[1:]: _pascal(member) for name, member in value.items()}
    return [_pascal(member) for member in value] if isinstance(value, list) else value
