"""The one doorway to the queue, and the only importer of django_q.

The queue wakes a worker and carries nothing but a dotted name and ids. Losing, doubling or reordering messages changes
nothing: the rows are the truth and the sweep finds what is due.
"""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
from django.conf import settings
from django.db import transaction

HEARTBEAT = "heartbeat"
BUSY = "busy."


def enqueue(task: str, *ids: int) -> None:
    """Wake a worker to call `task` (dotted name) with `ids`.

    With the ORM broker the message commits or rolls back with the caller's rows. With Redis it goes out on commit,
    and a broker that does not answer is logged and forgotten, because the sweep covers it.
    """
    from django_q.tasks import async_task

    def send() -> None:
        async_task(task, *ids)

    if "orm" in settings.Q_CLUSTER:
        send()
    else:
        transaction.on_commit(send, robust=True)


def every_minutes(name: str, task: str, minutes: int) -> None:
    """Make or correct the one schedule called `name`."""
    from django_q.models import Schedule

    Schedule.objects.update_or_create(
        name=name, defaults={"func": task, "schedule_type": Schedule.MINUTES, "minutes": minutes, "repeats": -1}
    )


def beat() -> None:
    """The canary task. Its finishing, seen by the queue's monitor process, proves pusher, worker and monitor."""


def watch_monitor() -> None:
    """Let the queue's monitor process note every finished task; called once at start-up."""
    from django_q.signals import post_execute

    post_execute.connect(_note_beat, dispatch_uid="portal.heartbeat")


def _note_beat(**kwargs: Any) -> None:
    _write(_run_dir() / HEARTBEAT, time.time())


def beat_age() -> float | None:
    """Seconds since a task last came all the way round; None where none has since `forget_beats`."""
    last = _read(_run_dir() / HEARTBEAT)
    return None if last is None else max(0.0, time.time() - last)


def forget_beats() -> None:
    (_run_dir() / HEARTBEAT).unlink(missing_ok=True)


@contextmanager
def busy(seconds: float) -> Iterator[None]:
    """Say that this process works for up to `seconds` and is not deaf, though no canary can get through it."""
    file = _run_dir() / f"{BUSY}{os.getpid()}"
    _write(file, time.time() + seconds)
    try:
        yield
    finally:
        file.unlink(missing_ok=True)


def busy_now() -> bool:
    """True where a living worker said that it is busy until later than now."""
    found = False
    for file in _run_dir().glob(f"{BUSY}*"):
        until, pid = _read(file), int(file.name.removeprefix(BUSY))
        if until is None or until < time.time() or not psutil.pid_exists(pid):
            file.unlink(missing_ok=True)
        else:
            found = True
    return found


def waiting_messages() -> int:
    """How many wake-ups wait in the broker."""
    from django_q.brokers import get_broker

    return int(get_broker().queue_size())


def _run_dir() -> Path:
    folder = Path(settings.DATA_DIR) / "run"
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    return folder


def _write(file: Path, moment: float) -> None:
    draft = file.with_name(f".{file.name}.{os.getpid()}")
    draft.write_text(str(moment), encoding="ascii")
    draft.replace(file)


def _read(file: Path) -> float | None:
    try:
        return float(file.read_text(encoding="ascii"))
    except (FileNotFoundError, ValueError):
        return None
