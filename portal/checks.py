"""System checks: settings that break something measured are refused at start-up, with the reason and the way out."""

import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psutil
from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error, register

SQLITE = "django.db.backends.sqlite3"
LEAST_KEY_LENGTH = 32  # characters: no fewer than a 256-bit key has bytes
FAR_BELOW = 2  # a drain and one request must fit into the queue's timeout this many times
NETWORK_FILE_SYSTEMS = frozenset(
    {"9p", "afs", "beegfs", "ceph", "cifs", "fuse.glusterfs", "fuse.s3fs", "fuse.sshfs", "glusterfs", "lustre"}
    | {"ncpfs", "nfs", "nfs4", "smb3", "smbfs"}
)
Apps = Sequence[AppConfig] | None


def cluster() -> dict[str, Any]:
    return dict(settings.Q_CLUSTER)


def database() -> dict[str, Any]:
    return dict(settings.DATABASES["default"])


def uses_sqlite() -> bool:
    return bool(database()["ENGINE"] == SQLITE)


@register("portal")
def check_broker_fits_database(app_configs: Apps, **kwargs: Any) -> Iterable[CheckMessage]:
    if uses_sqlite() and "redis" in cluster():
        yield Error(
            "The queue is on Redis while the data are in SQLite.",
            hint="A wake-up then escapes a transaction that is rolled back. Use PostgreSQL (DATABASE_URL) with Redis, "
            "or QUEUE_URL=orm:// with SQLite.",
            id="portal.E001",
        )


@register("portal")
def check_sqlite_is_durable(app_configs: Apps, **kwargs: Any) -> Iterable[CheckMessage]:
    if not uses_sqlite():
        return
    options = database().get("OPTIONS", {})
    pragmas = "".join(str(options.get("init_command", "")).upper().split())
    missing = [
        name
        for name, there in {
            "transaction_mode IMMEDIATE": options.get("transaction_mode") == "IMMEDIATE",
            "PRAGMA journal_mode=WAL": "JOURNAL_MODE=WAL;" in pragmas,
            "PRAGMA synchronous=FULL": "SYNCHRONOUS=FULL;" in pragmas,
        }.items()
        if not there
    ]
    if missing:
        yield Error(
            f"SQLite is opened without {', '.join(missing)}.",
            hint="Without IMMEDIATE writers fail with “database is locked” instead of waiting; without WAL readers and "
            "writers block each other; without FULL a power cut loses what was confirmed. Restore its OPTIONS.",
            id="portal.E002",
        )


@register("portal")
def check_no_connection_pool(app_configs: Apps, **kwargs: Any) -> Iterable[CheckMessage]:
    if database().get("OPTIONS", {}).get("pool"):
        yield Error(
            "A psycopg connection pool is configured.",
            hint="The queue forks its workers, a forked pool mixes up answers and hangs. Remove OPTIONS['pool']; "
            "CONN_MAX_AGE keeps connections open already.",
            id="portal.E003",
        )


@register("portal")
def check_queue_retry(app_configs: Apps, **kwargs: Any) -> Iterable[CheckMessage]:
    retry, timeout = cluster().get("retry", 60), cluster().get("timeout")
    if timeout is None or retry <= timeout:
        yield Error(
            f"Q_CLUSTER's retry ({retry} s) does not exceed its timeout ({timeout} s).",
            hint="A task that still runs would be started a second time. Set a timeout, and a retry well above it.",
            id="portal.E004",
        )


@register("portal")
def check_queue_shape(app_configs: Apps, **kwargs: Any) -> Iterable[CheckMessage]:
    queue = cluster()
    if queue.get("queue_limit") != queue.get("workers"):
        yield Error(
            f"Q_CLUSTER has {queue.get('workers')} workers and a queue_limit of {queue.get('queue_limit')}.",
            hint="Messages that wait inside a worker count towards retry, and run twice. Make the two equal.",
            id="portal.E005",
        )
    if queue.get("save_limit") != -1:
        yield Error(
            f"Q_CLUSTER's save_limit is {queue.get('save_limit', 250)} instead of -1.",
            hint="Any other value locks all finished tasks for every new one: ten times slower, and worse with time.",
            id="portal.E006",
        )
    if "ALT_CLUSTERS" not in queue:
        yield Error(
            "Q_CLUSTER has no ALT_CLUSTERS.",
            hint="With Q_CLUSTER_NAME in the environment every command then dies with a KeyError. Set it to {}.",
            id="portal.E007",
        )


@register("portal")
def check_drain_budget(app_configs: Apps, **kwargs: Any) -> Iterable[CheckMessage]:
    executor, timeout = settings.EXECUTOR, cluster().get("timeout") or 0
    longest = executor["drain_budget_s"] + executor["connect_timeout_s"] + executor["read_timeout_s"]
    if longest * FAR_BELOW > timeout:
        yield Error(
            f"A drain may take {longest} s with its last request, too near to the queue's timeout of {timeout} s.",
            hint="The timeout kills in mid-write; it is a last resort that must never fire. Lower EXECUTOR's "
            "drain_budget_s or raise Q_CLUSTER's timeout (and its retry).",
            id="portal.E008",
        )


@register("portal")
def check_file_system(app_configs: Apps, **kwargs: Any) -> Iterable[CheckMessage]:
    if not uses_sqlite():
        return
    file = Path(database()["NAME"])
    kind = file_system_of(file)
    if kind in NETWORK_FILE_SYSTEMS:
        yield Error(
            f"The SQLite file {file} lies on a network file system ({kind}).",
            hint="Locks there do not hold, and the file breaks. Use a local disk, or PostgreSQL.",
            id="portal.E009",
        )


def file_system_of(file: Path) -> str:
    """The type of the file system that `file` lies on, as the mount table names it; empty where that is not known."""
    mounts = {part.mountpoint: part.fstype for part in psutil.disk_partitions(all=True)}
    return next((mounts[str(parent)] for parent in file.resolve().parents if str(parent) in mounts), "")


@register("portal")
def check_requests_are_not_transactions(app_configs: Apps, **kwargs: Any) -> Iterable[CheckMessage]:
    if database().get("ATOMIC_REQUESTS"):
        yield Error(
            "ATOMIC_REQUESTS is on.",
            hint="Every page would wait for every writer. Leave it off; actions open their own short transactions.",
            id="portal.E010",
        )


@register("portal")
def check_no_debug_in_public(app_configs: Apps, **kwargs: Any) -> Iterable[CheckMessage]:
    if settings.DEBUG and urlsplit(settings.PUBLIC_URL).scheme == "https":
        yield Error(
            f"PORTAL_DEBUG is on while the portal is public at {settings.PUBLIC_URL}.",
            hint="Error pages would show settings and data to anybody. Unset PORTAL_DEBUG.",
            id="portal.E011",
        )


@register("portal")
def check_keys(app_configs: Apps, **kwargs: Any) -> Iterable[CheckMessage]:
    for name, value in {"PORTAL_FIELD_KEYS": settings.FIELD_KEYS, "PORTAL_AUDIT_KEY": settings.AUDIT_KEY}.items():
        keys = value.split(",") if name == "PORTAL_FIELD_KEYS" else [value]
        if any(len(key.strip().rpartition(":")[2]) < LEAST_KEY_LENGTH for key in keys):
            yield Error(
                f"{name} holds a key of fewer than {LEAST_KEY_LENGTH} characters.",
                hint="Make one with: python3 -c 'import secrets; print(secrets.token_urlsafe(48))'",
                id="portal.E012",
            )


@register("portal")
def check_data_folder(app_configs: Apps, **kwargs: Any) -> Iterable[CheckMessage]:
    folder = Path(settings.DATA_DIR)
    if not (folder.is_dir() and os.access(folder, os.W_OK | os.X_OK)):
        yield Error(
            f"The data folder {folder} is missing or cannot be written to.",
            hint="Create it for the account that the portal runs under, or name another one in PORTAL_DATA_DIR.",
            id="portal.E013",
        )
