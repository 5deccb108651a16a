"""Installations to measure: a data folder with SQLite, a running pair of stand-ins, processes that end with it.

What needs Django runs in processes of its own: `site.inside(VERB, …)` calls a function of tests.benchmarks.inside.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from connections.sandbox.server import Sandbox
from tests.benchmarks.far_side import TODAY
from tests.faults.stage import Stage

ROOT = Path(__file__).resolve().parent.parent.parent
LATENCY_S = 0.1
AT_ONCE = 3  # requests that Autotask answers at once, per tracking identifier and entity


class Site(Stage):
    """An installation with all defaults; its far side is quick until `slow_down` is called."""

    def inside(self, verb: str, *words: object, seconds: float = 300) -> Any:
        """Call a verb in a process with Django; its answer."""
        command = [sys.executable, "-m", "tests.benchmarks.inside", verb, *map(str, words)]
        done = subprocess.run(
            command, cwd=ROOT, env=self.environ, capture_output=True, text=True, timeout=seconds, check=False
        )
        if done.returncode:
            raise RuntimeError(f"{verb} failed: {done.stderr[-3000:]}")
        return json.loads(done.stdout.splitlines()[-1])

    def connected(self, lines: int) -> None:
        """Have people, a connection whose mirror is read, and this many subscriptions on lines of their own."""
        name = self.inside("connect")
        self.manage("mirror", "--connection", name)
        assert self.inside("map_lines", lines) == lines

    def started_worker(self) -> subprocess.Popen[bytes]:
        """A worker that is up: a task has been all the way round."""
        worker = self.start_worker()
        self.wait_for(lambda: (self.folder / "run" / "heartbeat").exists())
        return worker

    def slow_down(self) -> None:
        """From now on every answer takes LATENCY_S, and requests are counted from zero."""
        self.control("latency", {"seconds": LATENCY_S})
        self.control("counters", method="DELETE")

    def requests(self) -> int:
        """How many requests the far side has had since `slow_down`."""
        return int(self.control("counters", method="GET")["requests"])


@dataclass(frozen=True, slots=True)
class Ground:
    """A folder with an installation that has tables and static files and nothing else, to be copied."""

    folder: Path

    @contextmanager
    def site(self, database: Mapping[str, Any]) -> Iterator[Site]:
        """A copy of its own with this Autotask database, without the hourly limit; gone afterwards."""
        with tempfile.TemporaryDirectory(prefix="site-", dir=self.folder.parent) as name:
            folder = Path(name)
            shutil.copytree(self.folder, folder, dirs_exist_ok=True)
            sandbox = Sandbox(folder / "sandbox", autotask_databases=[database])
            sandbox.start()
            site = Site(folder, sandbox)
            try:
                site.control("clock", {"today": TODAY})
                site.control("modes", {"hourly_limit": None})
                yield site
            finally:
                site.close()


def prepare_ground(folder: Path) -> Ground:
    """Make what every benchmark begins with: the defaults, whatever the caller's environment says."""
    for name in ("DATABASE_URL", "DJANGO_SETTINGS_MODULE"):
        os.environ.pop(name, None)
    ground = folder / "ground"
    environ = {name: value for name, value in os.environ.items() if not name.startswith(("PORTAL_", "QUEUE_URL"))}
    environ |= {"PORTAL_DATA_DIR": str(ground), "PORTAL_LOG_LEVEL": "ERROR"}
    for words in (("migrate", "--verbosity", "0"), ("collectstatic", "--noinput", "--verbosity", "0")):
        subprocess.run([sys.executable, "manage.py", *words], cwd=ROOT, env=environ, check=True, timeout=120)
    return Ground(ground)
