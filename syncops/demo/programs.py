"""The processes of a demonstration. Each has a process group of its own, and all of one run carry its name.

The name travels in the environment, so every process of a run can be found again, also a grandchild whose parents are
gone.
"""

import os
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import psutil

RUN = "CSP_DEMONSTRATION_RUN"
LONGEST_LOG = 5_000_000  # bytes; a longer one is begun anew


@dataclass
class Program:
    """One process. What it writes goes to `log`; what it says to people too, unless `speaks`."""

    name: str
    command: Sequence[str]
    log: Path
    environment: Mapping[str, str]
    folder: Path
    speaks: bool = False
    process: "subprocess.Popen[bytes] | None" = field(default=None, repr=False)
    begins_at: int = 0

    def start(self) -> None:
        self.log.parent.mkdir(parents=True, exist_ok=True)
        if self.log.exists() and self.log.stat().st_size > LONGEST_LOG:
            self.log.replace(self.log.with_suffix(".old.log"))
        with self.log.open("ab") as out:
            self.begins_at = out.tell()
            self.process = subprocess.Popen(  # noqa: S603  our own command
                self.command,
                cwd=self.folder,
                env=dict(self.environment),
                stdin=subprocess.DEVNULL,
                stdout=None if self.speaks else out,
                stderr=out,
                start_new_session=True,
            )

    @property
    def code(self) -> int | None:
        """How it ended; None while it runs or before it was started."""
        return None if self.process is None else self.process.poll()

    @property
    def is_running(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def ask_to_stop(self) -> None:
        if self.is_running and self.process is not None:
            self.process.terminate()

    def how_it_ended(self) -> str:
        code = self.code or 0
        return f"was ended by {signal.Signals(-code).name}" if code < 0 else f"ended with code {code}"

    def last_words(self, lines: int = 15) -> list[str]:
        """The end of what it wrote since it was started."""
        with self.log.open("rb") as file:
            file.seek(self.begins_at)
            return file.read().decode(errors="replace").splitlines()[-lines:]


def processes_of(run: str) -> list[psutil.Process]:
    """Every living process that was started in this run."""
    found = []
    for process in psutil.process_iter():
        with suppress(psutil.Error, OSError):
            if process.pid != os.getpid() and process.environ().get(RUN) == run:
                found.append(process)
    return found


def end_run(run: str, *, patience: float = 5.0) -> int:
    """End what is left of a run, gently first; how many processes that was."""
    left = processes_of(run)
    for process in left:
        with suppress(psutil.Error):
            process.terminate()
    deadline = time.monotonic() + patience
    while processes_of(run) and time.monotonic() < deadline:
        psutil.wait_procs(left, timeout=0.2)
    for process in processes_of(run):
        with suppress(psutil.Error):
            process.kill()
            process.wait(2)
    return len(left)
