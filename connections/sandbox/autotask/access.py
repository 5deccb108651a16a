"""Who may call the stand-in, how often, and from which address: API users, zones, rights, limits.

An API user belongs to one database. Its name decides the zone, its secret and tracking identifier open it. After some
failed log-ins it is locked until an administrator unlocks it.
"""

import threading
from collections import Counter, deque
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from ..clock import Clock
from ..http import Refused, Response
from ..store import Store
from .errors import (
    BAD_INTEGRATION_CODE,
    NO_ZONE,
    TOO_MANY_REQUESTS,
    TOO_MANY_THREADS,
    UNAUTHORIZED,
    USER_LOCKED,
    refused,
)
from .modes import Modes

SCHEMA = """
CREATE TABLE IF NOT EXISTS users (
    user_name TEXT PRIMARY KEY COLLATE NOCASE, database TEXT NOT NULL, secret TEXT NOT NULL,
    integration_code TEXT NOT NULL, failures INTEGER NOT NULL DEFAULT 0
) WITHOUT ROWID;
"""
HOUR = 3600
VERBS = ("create", "delete", "query", "update")


@dataclass(frozen=True, slots=True)
class Caller:
    """An authenticated API user."""

    user_name: str
    database: str
    integration_code: str


class Access:
    """The gate of the stand-in. Users, rights and zones survive a restart; what is counted does not."""

    def __init__(self, store: Store, modes: Modes, clock: Clock) -> None:
        self._store = store
        self._modes = modes
        self._clock = clock
        self._lock = threading.Lock()
        self._running: Counter[tuple[str, str]] = Counter()
        self._peaks: Counter[str] = Counter()
        self._recent: dict[str, deque[float]] = {}

    def put_user(self, database: str, user: Mapping[str, str]) -> None:
        """Add an API user, or give a known one new credentials; either way it is not locked."""
        values = (user["user_name"], database, user["secret"], user["integration_code"])
        with self._store.transaction() as connection:
            connection.execute("INSERT OR REPLACE INTO users VALUES (?, ?, ?, ?, 0)", values)

    def unlock(self, user_name: str) -> None:
        with self._store.transaction() as connection:
            connection.execute("UPDATE users SET failures = 0 WHERE user_name = ?", (user_name,))

    def users(self) -> list[dict[str, Any]]:
        with self._store.read() as connection:
            found = connection.execute("SELECT user_name, database, failures FROM users ORDER BY user_name").fetchall()
        return [{**dict(user), "locked": self._locked(user["failures"])} for user in found]

    def zone_database(self, user_name: str, integration_code: str | None) -> str:
        """The database of an API user, asked without credentials. Refused with 500 where it is not known."""
        user = self._user(user_name)
        if user is None:
            raise refused(500, NO_ZONE)
        if integration_code not in (None, "", user["integration_code"]):
            raise refused(500, BAD_INTEGRATION_CODE)
        return str(user["database"])

    def authenticate(self, headers: Any) -> Caller:
        """The caller; Refused with 401 for any wrong header and for a locked user."""
        user = self._user(headers.get("UserName") or "")
        if user is None or self._locked(user["failures"]):
            raise Refused(self.unauthorized(locked=user is not None))
        sent = (headers.get("Secret"), headers.get("ApiIntegrationCode"))
        right = sent == (user["secret"], user["integration_code"])
        if right and not user["failures"]:
            return Caller(user["user_name"], user["database"], user["integration_code"])
        with self._store.transaction() as connection:
            failures = 0 if right else user["failures"] + 1
            connection.execute("UPDATE users SET failures = ? WHERE user_name = ?", (failures, user["user_name"]))
        if not right:
            raise Refused(self.unauthorized())
        return Caller(user["user_name"], user["database"], user["integration_code"])

    def unauthorized(self, *, locked: bool = False) -> Response:
        how = self._modes["unauthorized_body"]
        text = USER_LOCKED if locked and how == "reason" else UNAUTHORIZED
        return Response(401, None if how == "empty" else {"errors": [text]})

    def zone(self, database: str) -> int:
        """The number of moves that the database has made between zones; part of its address from the first move on."""
        return int(self._store.setting("zones", {}).get(database, 0))

    def move_zone(self, database: str) -> int:
        zones = self._store.setting("zones", {})
        zones[database] = zones.get(database, 0) + 1
        self._store.set_setting("zones", zones)
        return int(zones[database])

    def rights(self, database: str, entity: str) -> dict[str, bool]:
        revoked = self._store.setting("revoked", {}).get(f"{database}/{entity}", [])
        return {verb: verb not in revoked for verb in VERBS}

    def set_rights(self, database: str, entity: str, allowed: list[str]) -> dict[str, bool]:
        """From now on the database's users may do only `allowed` (of create, delete, query, update) with the entity."""
        if unknown := set(allowed) - set(VERBS):
            raise ValueError(f"no such rights: {', '.join(sorted(unknown))}; known: {', '.join(VERBS)}")
        revoked = self._store.setting("revoked", {})
        revoked[f"{database}/{entity}"] = [verb for verb in VERBS if verb not in allowed]
        self._store.set_setting("revoked", revoked)
        return self.rights(database, entity)

    @contextmanager
    def thread(self, caller: Caller, entity: str) -> Iterator[None]:
        """One of the few threads per tracking identifier and entity; Refused with 429 where all are taken."""
        key, limit = (caller.integration_code, entity), self._modes["threads"]
        with self._lock:
            if limit is not None and self._running[key] >= limit:
                raise refused(429, TOO_MANY_THREADS.format(limit=int(limit)))
            self._running[key] += 1
            self._peaks[entity] = max(self._peaks[entity], self._running[key])
        try:
            yield
        finally:
            with self._lock:
                self._running[key] -= 1

    def count_request(self, database: str) -> float:
        """Count a request of the last hour; returns the seconds of delay that the usage costs. Refused at the limit."""
        limit, now = self._modes["hourly_limit"], self._clock.now().timestamp()
        with self._lock:
            recent = self._recent_of(database, now)
            if limit is not None and len(recent) >= limit:
                raise refused(429, TOO_MANY_REQUESTS.format(limit=int(limit)))
            recent.append(now)
            used = len(recent) / limit if limit else 0
        latency = float(self._modes["hourly_latency"] or 0)
        return latency if used >= 0.75 else latency / 2 if used >= 0.5 else 0.0

    def requests_in_the_last_hour(self, database: str) -> int:
        with self._lock:
            return len(self._recent_of(database, self._clock.now().timestamp()))

    def reset(self) -> None:
        """Forget users, rights and zones."""
        with self._store.transaction() as connection:
            connection.execute("DELETE FROM users")
        self._store.set_setting("zones", {})
        self._store.set_setting("revoked", {})

    def counters(self) -> dict[str, Any]:
        with self._lock:
            hourly = {database: len(recent) for database, recent in self._recent.items()}
            return {"peak_by_entity": dict(self._peaks), "last_hour": hourly}

    def clear_counters(self) -> None:
        with self._lock:
            self._peaks.clear()
            self._recent.clear()

    def _recent_of(self, database: str, now: float) -> deque[float]:
        recent = self._recent.setdefault(database, deque())
        while recent and (recent[0] <= now - HOUR or recent[0] > now):
            recent.popleft()
        return recent

    def _user(self, user_name: str) -> Any:
        with self._store.read() as connection:
            return connection.execute("SELECT * FROM users WHERE user_name = ?", (user_name,)).fetchone()

    def _locked(self, failures: int) -> bool:
        limit = self._modes["lock_after"]
        return limit is not None and failures >= limit
