"""Subscription Mapping as a table to save: where each is billed, or may be, in the columns that an import reads."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any

from django.db.models import QuerySet

from connections.models import Connection
from syncops.bulk_mapping import Candidate, candidates
from syncops.importing import CONTRACT, CONTRACT_ID, KEY, LINE, START

CHUNK = 500
HEADER = (
    KEY,
    "Subscription",
    "Offer",
    "Customer",
    "Quantity",
    "State",
    CONTRACT_ID,
    CONTRACT,
    START,
    LINE,
    "Billed from",
    "Suggested contract id",
    "Suggested contract",
    "Why not",
)


def exported(connection: Connection, rows: QuerySet[Any], today: date) -> Iterator[tuple[Any, ...]]:
    """The rows in the order of their ids, a few at a time; identifiers as text."""
    last = 0
    while chunk := list(rows.filter(pk__gt=last).order_by("pk")[:CHUNK]):
        last = chunk[-1].pk
        for one in candidates(connection, chunk, since="today", today=today):
            yield _cells(one, connection)


def _cells(one: Candidate, connection: Connection) -> tuple[Any, ...]:
    row, mapping = one.subscription, one.mapping
    ours = mapping is not None and mapping.connection_id == connection.pk
    mapped = (str(mapping.contract_id), mapping.contract_name) if mapping and ours else ("", "")
    line = str(mapping.line_id or "") if mapping and ours else ""
    suggested = (str(one.contract.id), one.contract.name) if one.contract else ("", "")
    return (
        row.external_id or str(row.key),
        row.friendly_name,
        str(row.variant),
        row.customer.name,
        row.quantity,
        one.state,
        *mapped,
        "",
        line,
        mapping.starts_on if mapping and ours else None,
        *suggested,
        " ".join(str(reason) for reason in one.reasons),
    )
