"""The demonstration as a newcomer runs it, in processes and a folder of its own, and what its ledgers show."""

import os
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack, closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from connections.sandbox.remote import control
from tests.faults.stage import ROOT, end_tree

OTHER_CSP = "stranger@southwind.example"
"""The administrator of a CSP that has nothing to do with the demonstration's."""
READY = "The portal is ready"
OURS = ("DJANGO_", "PORTAL_", "DATABASE_URL", "QUEUE_URL", "AUTOTASK_", "PARTNER_CENTER_", "GUNICORN_")


@dataclass(frozen=True)
class Installation:
    """Where the portal and the two stand-ins answer, and questions to the database and to the ledgers."""

    folder: Path
    url: str
    autotask: str
    partner_center: str
    process: "subprocess.Popen[bytes]"

    def manage(self, *words: str, **environ: str) -> None:
        """Run a command of the product on this installation."""
        lines = (self.folder / "demonstration.env").read_text().splitlines()
        own = {name: value.strip('"') for name, value in (line.split("=", 1) for line in lines)}
        command = [sys.executable, "manage.py", *words]
        subprocess.run(command, cwd=ROOT, env=_foreign() | own | environ, check=True, capture_output=True, timeout=60)

    def look(self, question: str, *values: Any) -> list[tuple[Any, ...]]:
        """Rows of the portal's database, read beside it."""
        with closing(sqlite3.connect(f"file:{self.folder}/portal.sqlite3?mode=ro", uri=True, timeout=20)) as database:
            return database.execute(question, values).fetchall()

    def one(self, question: str, *values: Any) -> Any:
        ((value,),) = self.look(question, *values)
        return value

    def customer(self, name: str) -> int:
        return self.one("SELECT id FROM portal_customer WHERE name = ?", name)

    def subscription(self, customer: str, name: str) -> int:
        """The newest one of that customer and friendly name."""
        question = "SELECT max(id) FROM portal_subscription WHERE customer_id = ? AND friendly_name = ?"
        return self.one(question, self.customer(customer), name)

    def bought(self, order: int) -> int:
        """The subscription of an order of one line."""
        return self.one("SELECT subscription_id FROM portal_orderline WHERE order_id = ?", order)

    def external_id(self, subscription: int) -> str:
        return self.one("SELECT external_id FROM portal_subscription WHERE id = ?", subscription)

    def operations(self, subscription: int) -> list[tuple[str, str]]:
        """Kind and state, oldest first."""
        question = "SELECT kind, state FROM syncops_syncoperation WHERE subscription_id = ? ORDER BY id"
        return self.look(question, subscription)

    def fault(self, name: str, method: str = "GET|POST", path: str = ".*", times: int | None = 1) -> None:
        """Script a fault of the Autotask stand-in; see connections/sandbox/faults.py."""
        control(self.autotask, "POST", "faults", {"fault": name, "method": method, "path": path, "times": times})

    def no_faults(self) -> None:
        control(self.autotask, "DELETE", "faults")

    def billed(self, subscription: int) -> list[tuple[int, Decimal]]:
        """Units and price as Autotask bills them from now on, one pair per line that carries the subscription's key."""
        lines = control(self.autotask, "GET", "ledger", key=self.external_id(subscription))["lines"]
        return [_from_now_on(line["rows"]) for line in lines]

    def billed_on(self, line: int) -> tuple[int, Decimal]:
        ((only,),) = [control(self.autotask, "GET", "ledger", line=line)["lines"]]
        return _from_now_on(only["rows"])

    def wait_for(self, what: Callable[[], Any], seconds: float = 20) -> Any:
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if found := what():
                return found
            time.sleep(0.1)
        raise AssertionError(f"not within {seconds} s")


def _from_now_on(rows: list[dict[str, Any]]) -> tuple[int, Decimal]:
    """What every open row from the day after tomorrow shows: by then no time zone is still at an earlier day."""
    tomorrow = (datetime.now(UTC) + timedelta(days=1)).date().isoformat()
    (found,) = {(row["units"], Decimal(row["unit_price"])) for row in rows if row["end"] > tomorrow}
    return found


def start(folder: Path) -> Installation:
    """Start all of it; returns once every part answers."""
    web, autotask, partner_center = _free_ports(3)
    ports = ["--port", web, "--sandbox-port", autotask, "--partner-center-port", partner_center]
    command = [sys.executable, "manage.py", "demo", *map(str, ports)]
    log = folder.with_suffix(".log")
    with log.open("wb") as out:
        process = subprocess.Popen(
            command,
            cwd=ROOT,
            env=_foreign() | {"PORTAL_DATA_DIR": str(folder)},
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=out,
            start_new_session=True,
        )
    found = Installation(
        folder,
        f"http://localhost:{web}",
        f"http://127.0.0.1:{autotask}",
        f"http://127.0.0.1:{partner_center}",
        process,
    )
    try:
        found.wait_for(lambda: READY in log.read_text() or process.poll() is not None, 180)
        assert process.poll() is None, log.read_text()
        control(found.partner_center, "POST", "modes", {"provisioning_delay": 0.5, "order_visible_after": 0.0})
    except BaseException:
        stop(found)
        raise
    return found


def stop(installation: Installation) -> None:
    installation.process.send_signal(signal.SIGINT)
    try:
        installation.process.wait(40)
    except subprocess.TimeoutExpired:
        end_tree(installation.process)


def _foreign() -> dict[str, str]:
    """Our environment without what would point a process of the product elsewhere."""
    return {name: value for name, value in os.environ.items() if not name.startswith(OURS)}


def _free_ports(count: int) -> list[int]:
    """All taken at once, so that no two are the same."""
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]
