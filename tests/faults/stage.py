"""An installation of its own for processes that are killed: data folder, stand-ins, and verbs to play it with.

The verbs run in processes of their own (`python -m tests.faults.stage VERB …`), as the worker does.
"""

import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
import requests

from connections.sandbox.server import Sandbox
from tests.connections.sandbox.autotask_api import USER, database

ROOT = Path(__file__).resolve().parent.parent.parent
TODAY = "2026-05-10"


@dataclass
class Stage:
    """A data folder with a running pair of stand-ins; `run` plays a verb, `start_worker` a worker."""

    folder: Path
    sandbox: Sandbox
    extra: dict[str, str] = field(default_factory=dict)
    workers: list[subprocess.Popen] = field(default_factory=list)

    @property
    def environ(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("PORTAL_", "QUEUE_URL"))}
        return (
            kept
            | {
                "PORTAL_DATA_DIR": str(self.folder),
                "AUTOTASK_ZONE_URL": f"{self.sandbox.autotask_url}/atservicesrest/v1.0/zoneInformation",
                "PARTNER_CENTER_URL": self.sandbox.partner_center_url,
                "PARTNER_CENTER_LOGIN_URL": self.sandbox.partner_center_url,
                "PORTAL_LOG_LEVEL": "ERROR",
            }
            | self.extra
        )

    def run(self, verb: str, *words: str) -> None:
        done = subprocess.run(
            [sys.executable, "-m", "tests.faults.stage", verb, *words],
            cwd=ROOT,
            env=self.environ,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, done.stderr[-3000:]

    def manage(self, *words: str) -> None:
        command = [sys.executable, "manage.py", *words]
        subprocess.run(command, cwd=ROOT, env=self.environ, check=True, capture_output=True, timeout=120)

    def start_worker(self) -> subprocess.Popen:
        with (self.folder / "worker.log").open("ab") as log:
            worker = subprocess.Popen(
                [sys.executable, "manage.py", "work"],
                cwd=ROOT,
                env=self.environ,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self.workers.append(worker)
        return worker

    def control(self, name: str, body: Any = None, method: str = "POST", **query: Any) -> Any:
        url = f"{self.sandbox.autotask_url}/_control/{name}"
        return requests.request(method, url, json=body, params=query, timeout=10).json()

    def applied(self) -> list[tuple[str, int]]:
        """The adjustments that took effect on our line: date and units."""
        journal = self.control("journal", method="GET", key="SUB-1")["adjustments"]
        return [(one["effective"][:10], one["unitChange"]) for one in journal if one["outcome"] == "applied"]

    def wait_for(self, what: Callable[[], Any], seconds: float = 40) -> Any:
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if found := what():
                return found
            time.sleep(0.2)
        raise AssertionError(f"not within {seconds} s; worker said: {self.worker_log()[-2000:]}")

    def worker_log(self) -> str:
        file = self.folder / "worker.log"
        return file.read_text() if file.exists() else ""

    def look(self, question: str) -> Any:
        """The first column of the first row, read from the database beside the worker."""
        with closing(sqlite3.connect(f"file:{self.folder}/portal.sqlite3?mode=ro", uri=True, timeout=20)) as database:
            row = database.execute(question).fetchone()
        return row[0] if row else None

    def state(self) -> str:
        return self.look("SELECT state FROM syncops_syncoperation ORDER BY id DESC")

    def last_write(self) -> str:
        return self.look("SELECT state FROM syncops_write ORDER BY id DESC")

    def close(self) -> None:
        for worker in self.workers:
            end_tree(worker)
        self.sandbox.stop()


def end_tree(process: subprocess.Popen, number: int = signal.SIGKILL) -> None:
    """End a process that we started, and all its descendants."""
    try:
        family = [psutil.Process(process.pid), *psutil.Process(process.pid).children(recursive=True)]
    except psutil.NoSuchProcess:
        family = []
    for member in family:
        try:
            os.kill(member.pid, number)
        except ProcessLookupError:
            continue
    process.wait(10)


def cluster_of(worker: subprocess.Popen) -> psutil.Process | None:
    """The queue's main process under the supervisor."""
    children = psutil.Process(worker.pid).children()
    return children[0] if children else None


@dataclass(frozen=True)
class Prepared:
    """A folder with a set-up installation to copy, and the ports that its connection knows."""

    folder: Path
    ports: tuple[int, int]

    def open(self, folder: Path, **environ: str) -> Stage:
        shutil.copytree(self.folder, folder, dirs_exist_ok=True)
        return Stage(folder, _sandbox(folder, self.ports), extra=environ)


def prepare(folder: Path, tables: Path) -> Prepared:
    """Set an installation up once on empty `tables`; every test gets a copy of it."""
    sandbox = _sandbox(folder, (0, 0))
    stage = Stage(folder, sandbox)
    stage.control("clock", {"today": TODAY})
    shutil.copy(tables, folder)
    stage.run("set_up")
    ports = tuple(int(url.rpartition(":")[2]) for url in (sandbox.autotask_url, sandbox.partner_center_url))
    stage.close()
    return Prepared(folder, (ports[0], ports[1]))


def _sandbox(folder: Path, ports: tuple[int, int]) -> Sandbox:
    sandbox = Sandbox(folder / "sandbox", *ports, autotask_databases=[database()])
    sandbox.start()
    return sandbox


# The verbs, in processes with Django.


def set_up() -> None:
    """A connection, a mapped subscription of 10 whose line is proved."""
    import uuid
    from datetime import date

    from django.utils import timezone

    from connections.actions import create_connection
    from connections.models import MirroredContract
    from connections.registry import psa_for, try_credentials
    from portal.audit import Actor
    from syncops.actions import sync_to_connection
    from syncops.engine import Engine
    from syncops.preview import MappingChoice, read_facts
    from tests.cast import make_cast, make_customer, make_subscription, make_variant

    cast, day, now, key = make_cast(), date.fromisoformat(TODAY), timezone.now(), uuid.uuid4()
    public = {"user_name": USER["user_name"]}
    secrets = {n: USER[n] for n in ("secret", "integration_code")}
    trial = try_credentials("autotask", public, secrets, key, organization=cast.csp)
    connection = create_connection(
        cast.csp,
        kind="autotask",
        name="Autotask",
        currency="EUR",
        settings=public,
        trial=trial,
        key=key,
        actor=Actor.user(cast.admin),
        now=now,
    )
    contract = psa_for(connection).contract(70)
    assert contract
    MirroredContract.objects.create(
        connection=connection,
        remote_id=70,
        company_remote_id=10,
        name=contract.name,
        search_name="monthly",
        type_label=contract.type_label,
        period=contract.period,
        is_active=True,
        starts_on=contract.starts_on,
        ends_on=contract.ends_on,
        read_at=now,
    )
    row = make_subscription(
        make_customer(cast.csp, "Müller Bau"),
        make_variant(cast.csp),
        external_id="SUB-1",
        created_on=day,
        starts_on=day,
    )
    choice = MappingChoice(connection.pk, row.pk, company_id=10, service_id=31, contract_id=70)
    sync_to_connection(choice, read_facts(choice, psa_for(connection)), actor=cast.admin, today=day, now=now)
    Engine().drain()


def change(quantity: str, day: str = TODAY) -> None:
    """What a confirmed change at Microsoft does."""
    from datetime import date

    from django.utils import timezone

    from portal.actions.subscriptions import record_change
    from portal.audit import Actor
    from portal.models import Subscription, User

    row = Subscription.objects.get()
    record_change(
        row,
        kind="quantity_changed",
        effective_on=date.fromisoformat(day),
        source="portal",
        after={"quantity": int(quantity)},
        actor=Actor.user(User.objects.earliest("pk")),
        at=timezone.now(),
    )


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")
    import django

    django.setup()
    verb, *words = sys.argv[1:]
    {"set_up": set_up, "change": change}[verb](*words)


if __name__ == "__main__":
    main()
