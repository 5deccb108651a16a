"""A mapping page as a table to save: what each row is mapped to, or may be."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.db.models import QuerySet

from mappings.boards import Board, Row

CHUNK = 500


def header(board: Board) -> tuple[str, ...]:
    theirs = board.theirs.capitalize()
    key = "Microsoft tenant id" if board.noun == "customer" else "Catalogue item"
    return (
        key,
        board.noun.capitalize(),
        "Details",
        "State",
        f"{theirs} id",
        theirs,
        "Suggested id",
        "Suggested",
        "Why",
    )


def exported(board: Board, rows: QuerySet[Any]) -> Iterator[tuple[Any, ...]]:
    """The rows in the order of their ids, a few at a time; identifiers as text."""
    last = 0
    while chunk := list(rows.filter(pk__gt=last).order_by("pk")[:CHUNK]):
        last = chunk[-1].pk
        for row in board.rows(chunk):
            yield _cells(row)


def _cells(row: Row) -> tuple[Any, ...]:
    ours = row.ours
    key = getattr(ours, "external_id", "") or getattr(ours, "catalog_item_id", "")
    mapped = getattr(row.mapping, "company_id", None) or getattr(row.mapping, "service_id", None)
    best = row.suggestions[0] if row.suggestions else None
    suggested = (str(best.remote_id), best.remote_name, best.why) if best else ("", "", "")
    return (key, row.name, row.detail, row.label, "" if mapped is None else str(mapped), row.theirs, *suggested)
