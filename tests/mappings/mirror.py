"""Rows of the mirror, as a refresh would have stored them."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from connections.models import Connection, MirroredCompany, MirroredContract, MirroredService
from portal.folding import folded
from portal.models import Organization

READ_AT = datetime(2026, 5, 10, 6, tzinfo=UTC)


def make_connection(organization: Organization, name: str = "Autotask", **fields: Any) -> Connection:
    defaults = {"kind": "autotask", "currency": "EUR", "state": "active"}
    return Connection.objects.create(organization=organization, name=name, **(defaults | fields))


def company_row(connection: Connection, remote_id: int = 1, name: str = "Contoso", **fields: Any) -> MirroredCompany:
    defaults = {"type_label": "Customer", "is_active": True, "currency": "EUR"}
    return _row(MirroredCompany, connection, remote_id, name, defaults | fields)


def service_row(
    connection: Connection, remote_id: int = 10, name: str = "Microsoft 365 Business Basic", **fields: Any
) -> MirroredService:
    prices = {"unit_price": Decimal("5.00"), "unit_cost": Decimal("4.00")}
    return _row(
        MirroredService, connection, remote_id, name, {"period": "monthly", "is_active": True} | prices | fields
    )


def contract_row(
    connection: Connection, remote_id: int = 100, name: str = "Microsoft 365 (CSP)", **fields: Any
) -> MirroredContract:
    defaults = {
        "company_remote_id": 1,
        "type_label": "Recurring Service",
        "period": "monthly",
        "is_active": True,
        "starts_on": date(2026, 1, 1),
        "ends_on": date(2027, 12, 31),
    }
    return _row(MirroredContract, connection, remote_id, name, defaults | fields)


def _row(model: Any, connection: Connection, remote_id: int, name: str, fields: dict[str, Any]) -> Any:
    return model.objects.create(
        connection=connection, remote_id=remote_id, name=name, search_name=folded(name), read_at=READ_AT, **fields
    )
