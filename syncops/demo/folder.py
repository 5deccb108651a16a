"""The folder that a demonstration lives in: whether it may be used, who uses it now, and starting over in it."""

import fcntl
import json
import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

from syncops.demo.programs import end_processes

MARKER, LOCK, ENVIRONMENT = "demonstration.json", "demonstration.lock", "demonstration.env"
DATABASE = "portal.sqlite3"
KEPT = ("keys", LOCK)
"""Keys open what other copies of this folder hold, so not even starting over removes them."""
MADE = (
    *(MARKER, LOCK, ENVIRONMENT, "cache", "keys", "logs", "run", "sandbox", "static"),
    *(f"{DATABASE}{suffix}" for suffix in ("", "-wal", "-shm", "-journal")),
)
ELSEWHERE = "Choose another folder: make demo PORTAL_DATA_DIR=/a/folder"


class Unusable(Exception):
    """The folder is somebody else's, or in use; the words say what to do."""


@dataclass(frozen=True, slots=True)
class Folder:
    """A data folder. A marker in it says that the demonstration made it, and on which day."""

    path: Path

    @property
    def is_ours(self) -> bool:
        return (self.path / MARKER).is_file()

    def check(self) -> None:
        """Raise Unusable where the folder holds something that the demonstration did not make."""
        if self.path.exists() and not self.path.is_dir():
            raise Unusable(f"{self.path} is not a folder. {ELSEWHERE}")
        if self.is_ours:
            return
        if _organizations(self.path / DATABASE):
            raise Unusable(f"{self.path} holds an installation that the demonstration did not make. {ELSEWHERE}")
        if (self.path / "sandbox").exists():
            raise Unusable(f"{self.path} holds a sandbox that the demonstration did not make. {ELSEWHERE}")

    def clear(self) -> None:
        """Remove what an earlier demonstration left. Raises Unusable, with nothing removed, where there is more."""
        if not self.is_ours:
            return
        entries = list(self.path.iterdir())
        if foreign := sorted(entry.name for entry in entries if entry.name not in MADE or entry.is_symlink()):
            raise Unusable(
                f"{self.path} also holds {', '.join(foreign)}, which the demonstration did not make. Nothing was "
                f"removed; move it away first. {ELSEWHERE}"
            )
        for entry in (each for each in entries if each.name not in (*KEPT, MARKER)):
            shutil.rmtree(entry) if entry.is_dir() else entry.unlink()
        (self.path / MARKER).unlink()  # last, so that a removal that broke off can be repeated

    def claim(self) -> date:
        """Mark the folder as the demonstration's; the day on which what it holds was made."""
        marker = self.path / MARKER
        if not marker.exists() or not any((self.path / name).exists() for name in (DATABASE, "sandbox")):
            self.path.mkdir(parents=True, exist_ok=True)
            marker.write_text(json.dumps({"made_on": datetime.now(UTC).date().isoformat()}), encoding="utf-8")
        return date.fromisoformat(json.loads(marker.read_text(encoding="utf-8"))["made_on"])

    @property
    def logs(self) -> Path:
        return self.path / "logs"

    @contextmanager
    def locked(self) -> Iterator[int]:
        """Be the only demonstration on this folder; gives how many processes a killed one had left, which are ended.

        The lock is the kernel's, so it is never stale. Raises Unusable.
        """
        self.path.mkdir(parents=True, exist_ok=True)
        with (self.path / LOCK).open("a+", encoding="utf-8") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                file.seek(0)
                raise Unusable(
                    f"A demonstration runs on {self.path} already (process {file.read() or 'unknown'}). Stop it with "
                    f"Ctrl-C where it runs, or start this one beside it, with other ports. {ELSEWHERE} PORT=8010 "
                    "SANDBOX_PORT=8111"
                ) from None
            file.truncate(0)
            file.write(str(os.getpid()))
            file.flush()
            yield end_processes(self.logs) if self.is_ours else 0
            file.truncate(0)


def _organizations(database: Path) -> int:
    """How many organizations a database holds; 0 where there is none yet."""
    if not database.is_file():
        return 0
    try:
        with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as connection:
            return int(connection.execute("SELECT COUNT(*) FROM portal_organization").fetchone()[0])
    except sqlite3.OperationalError:
        return 0
    except sqlite3.DatabaseError as error:
        raise Unusable(f"{database} is not a database: {error}. {ELSEWHERE}") from error
