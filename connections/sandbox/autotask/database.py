"""One database (tenant) of the Autotask stand-in: its records, and what the last write to them replaced.

Records are dicts with the REST field names and the ledger's values (see `fields`). Nothing here knows a business rule.
"""
# ruff: noqa: S608  names of tables and columns come from the entity tables, values are always parameters

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

from ..clock import Clock
from ..store import Store
from .entities import ENTITIES, SCHEMA, USER_DEFINED, Entity

Record = dict[str, Any]


class Database:
    """Records of one tenant in one SQLite file. Writes belong into a `writing` block: kept whole or not at all."""

    def __init__(self, path: Path, clock: Clock) -> None:
        self.store = Store(path, SCHEMA)
        self.clock = clock
        self._before: dict[tuple[str, int], Record | None] = {}
        self._last_write: dict[tuple[str, int], Record | None] = {}
        self._highest: dict[str, int] = {}

    @property
    def about(self) -> dict[str, Any]:
        """{"key", "name", "currency", "zone", "ci"} as loaded."""
        described: dict[str, Any] = self.store.setting("about", {})
        return described

    @contextmanager
    def writing(self, *, keep: bool = True) -> Iterator[None]:
        """All or nothing, one at a time; with `keep=False` everything happens and nothing stays."""
        with self.store.transaction(keep=keep):
            self._before = {}
            yield
            if keep and self._before:
                self._last_write = self._before

    @contextmanager
    def as_before_the_last_write(self) -> Iterator[None]:
        """Inside the block the records are those from before the last write."""
        with self.store.transaction(keep=False):
            for (entity, key), record in self._last_write.items():
                self._delete(entity, key)
                if record is not None:
                    self._put(entity, record)
            yield

    def get(self, entity: str, key: Any) -> Record | None:
        found = self.select(entity, "id = ?", (key,))
        return found[0] if found else None

    def select(self, entity: str, where: str, parameters: Sequence[Any] = (), limit: int = -1) -> list[Record]:
        """Records by id ascending. `where` is SQL over the field names."""
        sql = f'SELECT * FROM "{entity}" WHERE {where} ORDER BY id LIMIT {limit:d}'
        with self.store.read() as connection:
            cursor = connection.execute(sql, tuple(parameters))
            names = [column[0] for column in cursor.description]
            return [dict(zip(names, row, strict=True)) for row in cursor]

    def count(self, entity: str, where: str, parameters: Sequence[Any] = ()) -> int:
        with self.store.read() as connection:
            row = connection.execute(f'SELECT count(*) FROM "{entity}" WHERE {where}', tuple(parameters)).fetchone()
            return int(row[0])

    def insert(self, entity: str, values: Mapping[str, Any]) -> int:
        """Add a record; returns its id, which is the next free one where `values` has none."""
        key = self._put(entity, {"id": self._fresh_id(entity), **values})
        self._before.setdefault((entity, key), None)
        return key

    def update(self, entity: str, key: int, changes: Mapping[str, Any]) -> None:
        self._remember(entity, key)
        assignments = ", ".join(f'"{name}" = ?' for name in changes)
        with self.store.read() as connection:
            connection.execute(f'UPDATE "{entity}" SET {assignments} WHERE id = ?', (*changes.values(), key))

    def delete(self, entity: str, key: int) -> None:
        self._remember(entity, key)
        self._delete(entity, key)

    def insert_many(self, entity: Entity, records: Iterable[Mapping[str, Any]]) -> None:
        """Add many records with their ids at once; they are not remembered for stale reads."""
        columns = entity.columns
        sql = f'INSERT INTO "{entity.name}" ({_quoted(columns)}) VALUES ({_marks(columns)})'
        with self.store.read() as connection:
            connection.executemany(sql, ([record.get(name) for name in columns] for record in records))

    def next_id(self, entity: str) -> int:
        with self.store.read() as connection:
            row = connection.execute(f'SELECT coalesce(max(id), 0) + 1 FROM "{entity}"').fetchone()
            return int(row[0])

    def user_defined(self, entity: Entity, keys: Sequence[int]) -> dict[int, dict[str, str | None]]:
        """For each id its user-defined values by name."""
        found: dict[int, dict[str, str | None]] = {key: {} for key in keys}
        sql = f"SELECT parent, name, value FROM user_defined WHERE entity = ? AND parent IN ({_marks(keys)})"
        with self.store.read() as connection:
            for parent, name, value in connection.execute(sql, (entity.name, *keys)):
                found[parent][name] = value
        return found

    def set_user_defined(self, entity: Entity, key: int, values: Iterable[Mapping[str, Any]]) -> None:
        rows = [(entity.name, key, str(v["name"]), None if v.get("value") is None else str(v["value"])) for v in values]
        with self.store.read() as connection:
            connection.executemany("INSERT OR REPLACE INTO user_defined VALUES (?, ?, ?, ?)", rows)

    def user_defined_names(self, entity: Entity) -> list[str]:
        names: list[str] = self.store.setting(USER_DEFINED, {}).get(entity.name, [])
        return names

    def exchange_rate(self, currency_id: int | None) -> Decimal:
        """Units of that currency for one unit of the base currency."""
        record = self.get("Currencies", currency_id) if currency_id is not None else None
        return Decimal(record["exchangeRate"]) if record else Decimal(1)

    def today(self) -> date:
        return self.clock.today()

    def close(self) -> None:
        self.store.close()

    def _remember(self, entity: str, key: int) -> None:
        if (entity, key) not in self._before:
            self._before[entity, key] = self.get(entity, key)

    def _fresh_id(self, entity: str) -> int:
        """An id that nobody was ever told, also not in the answer to a write that was thrown away."""
        self._highest[entity] = max(self.next_id(entity), self._highest.get(entity, 0) + 1)
        return self._highest[entity]

    def _put(self, entity: str, values: Mapping[str, Any]) -> int:
        names = [name for name in ENTITIES[entity].columns if name in values]
        sql = f'INSERT INTO "{entity}" ({_quoted(names)}) VALUES ({_marks(names)})'
        with self.store.read() as connection:
            return int(connection.execute(sql, [values[name] for name in names]).lastrowid or 0)

    def _delete(self, entity: str, key: int) -> None:
        with self.store.read() as connection:
            connection.execute(f'DELETE FROM "{entity}" WHERE id = ?', (key,))


def _quoted(names: Iterable[str]) -> str:
    return ", ".join(f'"{name}"' for name in names)


def _marks(values: Sequence[Any]) -> str:
    return ", ".join("?" * len(values))
