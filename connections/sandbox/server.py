"""Both stand-ins together, as one thing to start and stop: for tests a context manager, for the command line a loop."""

import importlib
import signal
import threading
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from .autotask.server import AutotaskServer
from .stand_in import StandIn


class Sandbox:
    """Autotask and Partner Center on loopback, each with its own ledger below `data_dir`, kept between runs.

    `fresh` starts over. `record` gets every exchange with Autotask as one JSON line (see stand_in.py); Partner Center's
    go to the same name with `partner-center-` before it. Every answer takes `latency` seconds or more.
    `autotask_databases` replaces the demonstration's data, in the shape described in store.py. PortTaken names the
    stand-in whose port is in use.
    """

    def __init__(
        self,
        data_dir: Path,
        autotask_port: int = 0,
        partner_center_port: int = 0,
        *,
        record: Path | None = None,
        latency: float = 0.0,
        fresh: bool = False,
        autotask_databases: Iterable[Mapping[str, Any]] | None = None,
    ) -> None:
        databases = _demonstration() if autotask_databases is None else autotask_databases
        self.autotask = AutotaskServer(
            data_dir / "autotask",
            port=autotask_port,
            record=record,
            latency=latency,
            fresh=fresh,
            databases=databases,
        )
        self.partner_center: StandIn | None = None
        make = _partner_center()
        try:
            if make is not None:
                self.partner_center = make(
                    data_dir / "partner_center",
                    port=partner_center_port,
                    record=record and record.with_name(f"partner-center-{record.name}"),
                    latency=latency,
                    fresh=fresh,
                )
        except BaseException:
            self.autotask.stop()
            raise

    @property
    def autotask_url(self) -> str:
        """The base of all addresses; the zone look-up is at {autotask_url}/atservicesrest/v1.0/zoneInformation."""
        return self.autotask.url

    @property
    def partner_center_url(self) -> str:
        """The base of all addresses: Partner Center, token endpoint and Graph alike."""
        if self.partner_center is None:
            raise LookupError("there is no Partner Center stand-in")
        return self.partner_center.url

    def start(self) -> None:
        for stand_in in self._all():
            stand_in.start()

    def stop(self) -> None:
        for stand_in in self._all():
            stand_in.stop()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def serve_forever(self, announce: Callable[[str], None] = print) -> None:
        """Serve until SIGINT or SIGTERM. Call it in the main thread; `announce` gets one line per address."""
        done = threading.Event()
        former = {s: signal.signal(s, lambda number, frame: done.set()) for s in (signal.SIGINT, signal.SIGTERM)}
        try:
            with self:
                announce(f"Autotask sandbox: {self.autotask_url}/atservicesrest/v1.0/zoneInformation")
                if self.partner_center is not None:
                    announce(f"Partner Center sandbox: {self.partner_center_url}")
                done.wait()
        finally:
            for number, handler in former.items():
                signal.signal(number, handler)

    def _all(self) -> list[StandIn]:
        return [stand_in for stand_in in (self.autotask, self.partner_center) if stand_in is not None]


def _demonstration() -> list[dict[str, Any]]:
    seed = _optional("connections.sandbox.seed")
    return list(seed.autotask_databases(datetime.now(UTC).date())) if seed is not None else []


def _partner_center() -> Callable[..., StandIn] | None:
    module = _optional("connections.sandbox.partner_center.server")
    made: Callable[..., StandIn] | None = module.PartnerCenterServer if module is not None else None
    return made


def _optional(name: str) -> Any:
    """A module of the sandbox that an installation may lack; a module that is there and broken is an error."""
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name is not None and name.startswith(error.name):
            return None
        raise
