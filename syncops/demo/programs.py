"""The processes of a demonstration. Each has a process group of its own, and writes into one folder of logs.

That folder is how they are found again: whatever a program starts inherits its output, also a grandchild whose parents
are gone. (Neither names nor environments would do: the web server and the queue write over both.)
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

OUTPUTS = (1, 2)
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

    def kill(self) -> None:
        """End it at once, with everything that stayed in its process group."""
        if self.process is not None:
            with suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)

    def how_it_ended(self) -> str:
        code = self.code or 0
        return f"was ended by {signal.Signals(-code).name}" if code < 0 else f"ended with code {code}"

    def last_words(self, lines: int = 15) -> list[str]:
        """The end of what it wrote since it was started."""
        with self.log.open("rb") as file:
            file.seek(self.begins_at)
            return file.read().decode(errors="replace").splitlines()[-lines:]


def processes_of(logs: Path) -> list[psutil.Process]:
    """Every living process whose output goes into this folder; one that waits to be collected does not live."""
    found = []
    for process in psutil.process_iter():
        with suppress(psutil.Error, OSError):
            if process.pid != os.getpid() and any(
                file.fd in OUTPUTS and logs in Path(file.path).parents for file in process.open_files()
            ):
                found.append(process)
    return found


def end_processes(logs: Path, *, patience: float = 5.0) -> int:
    """End what still writes into this folder, gently first; how many processes that was."""
    left = _signal_all(logs, signal.SIGTERM)
    if left:
        _await_end(logs, patience)
        _signal_all(logs, signal.SIGKILL)
        _await_end(logs, patience)
    return left


def _signal_all(logs: Path, number: signal.Signals) -> int:
    left = processes_of(logs)
    for process in left:
        with suppress(psutil.Error):
            process.send_signal(number)
    return len(left)


def _await_end(logs: Path, patience: float) -> None:
    deadline = time.monotonic() + patience
    while time.monotonic() < deadline and processes_of(logs):
        time.sleep(0.1)
