"""The one doorway to the queue, and the only importer of django_q.

The queue wakes a worker and carries nothing but a dotted name and ids. Losing, doubling or reordering messages changes
nothing: the rows are the truth and the sweep finds what is due.
"""

import time
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import transaction

HEARTBEAT = "heartbeat"


def enqueue(task: str, *ids: int) -> None:
    """Wake a worker to call `task` (dotted name) with `ids`.

    With the ORM broker the message commits or rolls back with the caller's rows. With Redis it goes out on commit, and a
    broker that does not answer is logged and forgotten, because the sweep covers it.
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


def heartbeat_file() -> Path:
    return Path(settings.DATA_DIR) / "run" / HEARTBEAT


def beat() -> None:
    """The canary task. Its finishing, seen by the queue's monitor process, proves pusher, worker and monitor."""


def record_beat(sender: Any = None, task: dict[str, Any] | None = None, **kwargs: Any) -> None:
    """Touch the heartbeat file whenever the monitor process has taken a finished task off the result queue."""
    file = heartbeat_file()
    file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    file.write_text(str(time.time()), encoding="utf-8")


def watch_monitor() -> None:
    """Let the queue's monitor process record its heartbeat; called once in the worker's start-up."""
    from django_q.signals import post_execute

    post_execute.connect(record_beat, dispatch_uid="portal.heartbeat")


def waiting_messages() -> int:
    """How many wake-ups wait in the broker."""
    from django_q.brokers import get_broker

    return int(get_broker().queue_size())
