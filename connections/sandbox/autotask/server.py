"""The Autotask stand-in: its addresses, and which of them leads to what.

The zone address is {url}/atservicesrest/v1.0/zoneInformation; it answers with {url}/ATServicesRest/ as the API's. After
a move between zones the API's address is {url}/zoneN/ATServicesRest/, and the former one answers 401.
"""

import os
import re
import secrets
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ..clock import Clock
from ..http import Refused, Request, Response
from ..stand_in import StandIn
from ..store import Store, remove
from .access import SCHEMA, Access, Caller
from .control import Control
from .errors import no_route, refusal
from .modes import Modes
from .resource import Call, parse_call, serve
from .tenants import Tenants

RECORDS = "SANDBOX_RECORD"
_ADDRESS = re.compile(r"(?:/zone(?P<zone>\d+))?/atservicesrest/v1\.0/(?P<rest>.*)", re.IGNORECASE)
_OPEN = re.compile(r"/atservicesrest/(?:v1\.0/(?P<zone>zoneinformation)|versioninformation)/?", re.IGNORECASE)


class AutotaskServer(StandIn):
    """The stand-in for Autotask. `databases` is loaded when the ledger in `data_dir` is new or `fresh` is given."""

    name = "autotask-sandbox"

    def __init__(
        self,
        data_dir: Path,
        *,
        port: int = 0,
        record: Path | None = None,
        latency: float = 0.0,
        fresh: bool = False,
        databases: Iterable[Mapping[str, Any]] = (),
    ) -> None:
        path = data_dir / "autotask.sqlite3"
        if fresh:
            forget(data_dir)
        self.store = Store(path, SCHEMA)
        self.clock: Clock = Clock(self.store)
        try:
            super().__init__(port=port, record=record, copy=_copy(), latency=latency, clock=self.clock)
        except OSError:
            self.store.close()
            raise
        self.modes = Modes(self.store)
        self.access = Access(self.store, self.modes, self.clock)
        self.tenants = Tenants(data_dir, self.store, self.access, self.clock)
        self._seed = tuple(databases)
        if self.store.is_new:
            self.seed()
        Control(self).add_to(self.control)

    def seed(self) -> None:
        """Load the databases that this stand-in starts with, in place of those of the same key."""
        for data in self._seed:
            self.tenants.add(data)

    def reset(self) -> None:
        """Everything as it was when the ledger was new: data, users, rights, zones, modes, clock, faults, counters."""
        self.faults.clear()
        self.clear_counters()
        self.modes.reset()
        self.access.reset()
        self.clock.control({"real": True})
        self.tenants.clear()
        self.seed()

    def stop(self) -> None:
        super().stop()
        self.tenants.close()
        self.store.close()

    def refusal(self, status: int, text: str) -> Response:
        return refusal(status, text)

    def unauthorized(self) -> Response:
        return self.access.unauthorized()

    @contextmanager
    def admitted(self, request: Request) -> Iterator[None]:
        match = _ADDRESS.fullmatch(request.path)
        if match is None or _OPEN.fullmatch(request.path):
            yield
            return
        rest = match["rest"].strip("/")
        caller = self.access.authenticate(request.headers)
        if int(match["zone"] or 0) != self.access.zone(caller.database):
            raise Refused(self.access.unauthorized())
        call = parse_call(request.method, rest)
        delay = self.access.count_request(caller.database)
        with self.access.thread(caller, call.entity.name if call.entity else rest.lower()):
            self.pause(delay)
            request.context = (caller, call)
            yield

    def respond(self, request: Request) -> Response:
        if request.context is None:
            return self._open_address(request)
        caller, call = request.context
        if request.has_fault("zone_moved"):
            self.access.move_zone(caller.database)
            return self.access.unauthorized()
        database = self.tenants.get(caller.database)
        if call.entity is None:
            return self._about_the_api(caller, call)
        rights = self.access.rights(caller.database, call.entity.name)
        base = self._api_url(caller.database)
        return serve(database, self.modes, call, request, rights=rights, base=base)

    def counters(self) -> dict[str, Any]:
        return super().counters() | self.access.counters()

    def clear_counters(self) -> None:
        super().clear_counters()
        self.access.clear_counters()

    def _open_address(self, request: Request) -> Response:
        match = _OPEN.fullmatch(request.path)
        if match is None:
            raise no_route(request.path)
        if match["zone"] is None:
            return Response(body={"apiVersions": ["V1.0"]})
        key = self.access.zone_database(request.query.get("user", ""), request.headers.get("ApiIntegrationCode"))
        if request.has_fault("zone_moved"):
            self.access.move_zone(key)
        about = self.tenants.get(key).about
        url = self._written(self._api_url(key))
        return Response(body={"zoneName": about["zone"], "url": url, "webUrl": f"{self.url}/", "ci": about["ci"]})

    def _written(self, url: str) -> str:
        """The API's address as one of the ways in which zones write it."""
        ways = {"slash": f"{url}/", "bare": url, "lower": f"{url}/".lower(), "version": f"{url}/v1.0/"}
        return ways[self.modes["zone_url"]]

    def _about_the_api(self, caller: Caller, call: Call) -> Response:
        if call.special == "version":
            return Response(body={"apiVersion": "V1.0"})
        count = self.access.requests_in_the_last_hour(caller.database)
        return Response(
            body={
                "externalRequestThreshold": int(self.modes["hourly_limit"] or 10_000),
                "requestThresholdTimeframe": 60,
                "currentTimeframeRequestCount": count,
            }
        )

    def _api_url(self, database: str) -> str:
        zone = self.access.zone(database)
        return f"{self.url}/zone{zone}/ATServicesRest" if zone else f"{self.url}/ATServicesRest"


def _copy() -> Path | None:
    """A file of its own in the folder of all records, where the environment names one: a whole test run is kept so."""
    if not (folder := os.environ.get(RECORDS)):
        return None
    Path(folder).mkdir(parents=True, exist_ok=True)
    return Path(folder) / f"{os.getpid()}-{secrets.token_hex(4)}.jsonl"


def forget(data_dir: Path) -> None:
    """Delete the stand-in's ledger."""
    if data_dir.exists():
        for path in [data_dir / "autotask.sqlite3", *data_dir.glob("database-*.sqlite3")]:
            remove(path)
