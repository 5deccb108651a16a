"""Runs the proof of the main job in a world of its own: a fresh database, and a sandbox that nobody else uses."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

from django.conf import settings

from connections.sandbox.remote import Addresses, control, status_of
from connections.sandbox.server import Sandbox
from syncops.demo.folder import DATABASE
from syncops.demo.prepare import prepare
from syncops.demo.proof import Proof, Report

ADJUSTMENTS = "ServiceAdjustments"
QUICK = {"connect_timeout_s": 2, "read_timeout_s": 5, "quiet_s": 3}
"""Seconds. A far side on this machine answers at once, so a lie of its is found out at once, too."""


class CannotCheck(Exception):
    """The check could not begin; the words say why."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What to check against. `sandbox`: an Autotask stand-in that runs already; empty for a fresh one."""

    sandbox: str = ""
    partner_center: str = ""
    record: Path | None = None
    drop_adjustment: bool = False
    as_json: bool = False


def check_apart(wanted: Wanted) -> int:
    """Make that world, and prove the job in a process of its own that knows no other. Its exit code."""
    with tempfile.TemporaryDirectory(prefix="portal-check-") as name, ExitStack() as stack:
        folder = Path(name)
        addresses = _running(wanted) if wanted.sandbox else _fresh(folder, wanted, stack)
        if wanted.drop_adjustment:
            control(addresses.autotask, "POST", "faults", {"fault": "swallow", "path": ADJUSTMENTS, "times": None})
        command = [sys.executable, str(settings.BASE_DIR / "manage.py"), "demo", "--check", "--here"]
        if wanted.as_json:
            command.append("--json")
        return subprocess.run(command, env=_environment(folder, addresses), check=False).returncode  # noqa: S603


def check_here(addresses: Addresses, *, say: Callable[[str], None]) -> Report:
    """Prove the job with the database and the far sides that the environment names; both must be for this alone."""
    if urlsplit(settings.AUTOTASK_ZONE_URL).hostname != "127.0.0.1":
        raise CannotCheck("This part of the check runs against a sandbox on this machine, and nothing else.")
    settings.EXECUTOR.update(QUICK)
    tenant = prepare(datetime.now(UTC).date(), say=say, synced=0, static=False)
    return Proof(tenant, addresses, say=say).run()


def addresses_here() -> Addresses:
    """The sandbox that the environment names."""
    parts = urlsplit(settings.AUTOTASK_ZONE_URL)
    return Addresses(f"{parts.scheme}://{parts.netloc}", settings.PARTNER_CENTER_URL)


def _fresh(folder: Path, wanted: Wanted, stack: ExitStack) -> Addresses:
    record = wanted.record and wanted.record.absolute()
    if record is not None:
        record.parent.mkdir(parents=True, exist_ok=True)
        record.unlink(missing_ok=True)
    sandbox = stack.enter_context(Sandbox(folder / "sandbox", record=record))
    return Addresses(sandbox.autotask_url, sandbox.partner_center_url)


def _running(wanted: Wanted) -> Addresses:
    if wanted.record:
        raise CannotCheck("A sandbox that runs already records by itself: manage.py sandbox --record FILE.")
    parts = urlsplit(wanted.sandbox)
    if parts.scheme != "http" or not parts.port:
        raise CannotCheck(f"{wanted.sandbox} is not the address of a sandbox; it looks like http://127.0.0.1:8101.")
    beside = f"{parts.scheme}://{parts.hostname}:{parts.port + 1}"
    addresses = Addresses(f"{parts.scheme}://{parts.netloc}", (wanted.partner_center or beside).rstrip("/"))
    for url, option in ((addresses.autotask, "--sandbox"), (addresses.partner_center, "--sandbox-partner-center")):
        if status_of(f"{url}/_control/counters") != 200:
            raise CannotCheck(f"No sandbox answers at {url} ({option}).")
    return addresses


def _environment(folder: Path, addresses: Addresses) -> dict[str, str]:
    own = {
        "PORTAL_DATA_DIR": str(folder / "data"),
        "DATABASE_URL": f"sqlite:///{folder / 'data' / DATABASE}",
        "QUEUE_URL": "orm://",
        "PORTAL_LOG_LEVEL": "ERROR",
        "PORTAL_DEBUG": "false",
    }
    return dict(os.environ) | own | addresses.environment
