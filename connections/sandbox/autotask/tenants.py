"""The databases (tenants) that one stand-in holds, each in its own file beside the stand-in's own."""

import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..clock import Clock
from ..store import Store, remove
from .access import Access
from .database import Database
from .loading import load

_KEY = "databases"


class Tenants:
    """Databases by key. The first one is what control endpoints mean when they name none."""

    def __init__(self, folder: Path, store: Store, access: Access, clock: Clock) -> None:
        self._folder = folder
        self._store = store
        self._access = access
        self._clock = clock
        self._lock = threading.Lock()
        self._databases = {key: Database(self._path(key), clock) for key in store.setting(_KEY, [])}

    def get(self, key: str | None = None) -> Database:
        """A database by its key, the first one without. LookupError where there is none."""
        with self._lock:
            if key is None and self._databases:
                return next(iter(self._databases.values()))
            if key in self._databases:
                return self._databases[key]
        raise LookupError(f"no database {key!r}; there are: {', '.join(self._databases) or 'none'}")

    def add(self, data: Mapping[str, Any]) -> Database:
        """Load a new database with its API users; one of the same key is replaced."""
        key = str(data["key"])
        with self._lock:
            former = self._databases.pop(key, None)
            if former is not None:
                former.close()
            remove(self._path(key))
            database = Database(self._path(key), self._clock)
            load(database, data)
            self._databases[key] = database
            self._store.set_setting(_KEY, list(self._databases))
        for user in data.get("users") or ():
            self._access.put_user(key, user)
        return database

    def about(self) -> list[dict[str, Any]]:
        with self._lock:
            return [database.about for database in self._databases.values()]

    def clear(self) -> None:
        """Delete every database."""
        with self._lock:
            for key, database in self._databases.items():
                database.close()
                remove(self._path(key))
            self._databases.clear()
            self._store.set_setting(_KEY, [])

    def close(self) -> None:
        with self._lock:
            for database in self._databases.values():
                database.close()

    def _path(self, key: str) -> Path:
        if not key.replace("-", "").replace("_", "").isalnum():
            raise ValueError(f"not a usable database key: {key!r}")
        return self._folder / f"database-{key}.sqlite3"
