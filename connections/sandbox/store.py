"""The ledger of a stand-in: one SQLite file, one connection, one lock.

Requests are answered by many threads. Each takes the store's lock only for the time of its transaction; whoever wants
to be slow (latency, faults) waits before or after, never inside.

The data that an Autotask stand-in starts with is a list of databases (tenants), each a dict:

    {"key": "main", "name": "Northwind Cloud Services", "currency": "EUR", "zone": "EU West",
     "users": [{"user_name", "secret", "integration_code"}],
     "companies": [...], "services": [...], "contracts": [...], "billing_codes": [...], "products": [...],
     "lines": [{"id", "contractID", "serviceID", "internalDescription", "invoiceDescription",
                "units": [{"date", "unitChange", "price", "cost"}],    # applied in this order, as adjustments
                "posted_through": date}],                              # every row that ends by then is posted
     "charges": [...], "currencies": [...], "resources": [...],
     "user_defined_fields": {"Contracts": ["Subscription ID"], "Companies": [...]}}

Everything but `key`, `name` and `users` may be left out. The lists hold dicts with the REST field names of the entity
(`id`, `companyName`, …); dates are `date` values or "YYYY-MM-DD", money is `Decimal`, int or text. User-defined values
travel in `userDefinedFields`: [{"name", "value"}]. Company 0 (the owner), one resource and the base currency are added
where missing. A line without `units` has 0 units throughout.
"""

import json
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

SETTINGS_TABLE = "CREATE TABLE IF NOT EXISTS settings (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;"


class Store:
    """A SQLite file that several threads share. `schema` is run when the file is opened and must be repeatable."""

    def __init__(self, path: Path, schema: str = "") -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self.path = path
        self.is_new = not path.exists()
        self._lock = threading.RLock()
        self._depth = 0
        self._connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self._connection.row_factory = sqlite3.Row
        self._connection.create_function("folded", 1, _folded, deterministic=True)
        self._connection.executescript(
            "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;" + SETTINGS_TABLE + schema
        )

    @contextmanager
    def read(self) -> Iterator[sqlite3.Connection]:
        """The connection, held for this thread alone; for statements that change nothing."""
        with self._lock:
            yield self._connection

    @contextmanager
    def transaction(self, *, keep: bool = True) -> Iterator[sqlite3.Connection]:
        """All or nothing; with `keep=False` always nothing. Nested blocks join the outermost one."""
        with self._lock:
            if self._depth:
                yield self._connection
                return
            self._connection.execute("BEGIN IMMEDIATE")
            self._depth = 1
            try:
                yield self._connection
            except BaseException:
                self._connection.execute("ROLLBACK")
                raise
            else:
                self._connection.execute("COMMIT" if keep else "ROLLBACK")
            finally:
                self._depth = 0

    def setting(self, key: str, default: Any = None) -> Any:
        with self.read() as connection:
            row = connection.execute("SELECT value FROM settings WHERE key = ?", (key,)).fetchone()
        return default if row is None else json.loads(row["value"])

    def set_setting(self, key: str, value: Any) -> None:
        with self.transaction() as connection:
            connection.execute(
                "INSERT OR REPLACE INTO settings VALUES (?, ?)",
                (key, json.dumps(value)),
            )

    def close(self) -> None:
        with self._lock:
            self._connection.close()


def remove(path: Path) -> None:
    """Delete a store's file with its companions; missing files are fine."""
    for suffix in ("", "-wal", "-shm"):
        Path(f"{path}{suffix}").unlink(missing_ok=True)


def _folded(value: Any) -> Any:
    """Text without regard to case, also outside ASCII, where SQLite's own LIKE and NOCASE stop."""
    return value.casefold() if isinstance(value, str) else value
