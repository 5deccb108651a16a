"""The ledger of the Partner Center stand-in: JSON documents by kind and id, in one SQLite file.

Ids are compared without regard to case, as the service does. Amounts are Decimal. Nothing here knows a business rule.
"""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

from ..clock import Clock
from ..http import dumps
from ..store import Store
from .modes import Modes

SCHEMA = """
CREATE TABLE IF NOT EXISTS documents (
    place INTEGER PRIMARY KEY,
    kind TEXT NOT NULL,
    id TEXT NOT NULL,
    parent TEXT NOT NULL,
    body TEXT NOT NULL,
    UNIQUE (kind, id)
);
CREATE INDEX IF NOT EXISTS documents_of_parent ON documents (kind, parent, place);
"""

Document = dict[str, Any]


class Ledger:
    """Documents with their order of arrival, the clock, and the switches; all of it survives a restart."""

    def __init__(self, path: Path) -> None:
        self.store = Store(path, SCHEMA)
        self.clock = Clock(self.store)
        self.modes = Modes(self.store)
        self._before: dict[tuple[str, str], str | None] = {}
        self._last_write: dict[tuple[str, str], str | None] = {}

    @contextmanager
    def writing(self, *, keep: bool = True) -> Iterator[None]:
        """All or nothing, one at a time; with `keep=False` everything happens and nothing stays."""
        with self.store.transaction(keep=keep):
            self._before = {}
            yield
            if keep and self._before:
                self._last_write, self._before = self._before, {}

    @contextmanager
    def as_before_the_last_write(self) -> Iterator[None]:
        """Inside the block the documents are those from before the last write."""
        with self.store.transaction(keep=False) as connection:
            for (kind, key), body in self._last_write.items():
                if body is None:
                    connection.execute("DELETE FROM documents WHERE kind = ? AND id = ?", (kind, key))
                else:
                    connection.execute("UPDATE documents SET body = ? WHERE kind = ? AND id = ?", (body, kind, key))
            yield

    def get(self, kind: str, key: str) -> Document | None:
        body = self._body(kind, key.lower())
        return None if body is None else _loaded(body)

    def all(self, kind: str, parent: str | None = None) -> list[Document]:
        """Documents of a kind, or of one parent, oldest first."""
        sql, values = "SELECT body FROM documents WHERE kind = ?", [kind]
        if parent is not None:
            sql, values = f"{sql} AND parent = ?", [kind, parent.lower()]
        with self.store.read() as connection:
            return [_loaded(row["body"]) for row in connection.execute(f"{sql} ORDER BY place", values)]

    def put(self, kind: str, key: str, body: Mapping[str, Any], parent: str = "") -> None:
        """Add a document or replace the one of that kind and id; inside a `writing` block."""
        key = key.lower()
        self._before.setdefault((kind, key), self._body(kind, key))
        text = dumps(body)
        with self.store.transaction() as connection:
            connection.execute(
                "INSERT INTO documents (kind, id, parent, body) VALUES (?, ?, ?, ?) "
                "ON CONFLICT (kind, id) DO UPDATE SET body = excluded.body",
                (kind, key, parent.lower(), text),
            )

    def remove(self, kind: str, key: str | None = None) -> None:
        """Delete one document, or all of a kind."""
        sql, values = "DELETE FROM documents WHERE kind = ?", [kind]
        if key is not None:
            sql, values = f"{sql} AND id = ?", [kind, key.lower()]
        with self.store.transaction() as connection:
            connection.execute(sql, values)

    def clear(self) -> None:
        """Delete every document, and forget the last write."""
        self._last_write = {}
        with self.store.transaction() as connection:
            connection.execute("DELETE FROM documents")

    def close(self) -> None:
        self.store.close()

    def _body(self, kind: str, key: str) -> str | None:
        with self.store.read() as connection:
            row = connection.execute("SELECT body FROM documents WHERE kind = ? AND id = ?", (kind, key)).fetchone()
        return None if row is None else str(row["body"])


def _loaded(body: str) -> Document:
    document: Document = json.loads(body, parse_float=Decimal)
    return document
