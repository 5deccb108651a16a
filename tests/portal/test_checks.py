from types import SimpleNamespace

import pytest
from django.core.checks import run_checks

from portal import checks

LONG = "k" * 48
POSTGRES = {"ENGINE": "django.db.backends.postgresql", "NAME": "portal"}


def sqlite(**options):
    command = "PRAGMA journal_mode=WAL;PRAGMA synchronous=FULL;"
    found = {"timeout": 20, "transaction_mode": "IMMEDIATE", "init_command": command} | options
    return {"ENGINE": "django.db.backends.sqlite3", "NAME": "/var/lib/portal/portal.sqlite3", "OPTIONS": found}


@pytest.fixture
def configured(monkeypatch, tmp_path):
    """Call it with what differs from settings in which nothing is wrong; it gives the ids that are reported."""

    def run(*, database=None, queue=None, drop=(), **others):
        cluster = {"orm": "default", "workers": 2, "queue_limit": 2, "timeout": 240, "retry": 600, "save_limit": -1}
        cluster |= {"ALT_CLUSTERS": {}} | (queue or {})
        good = {
            "DATABASES": {"default": database or sqlite()},
            "Q_CLUSTER": {name: value for name, value in cluster.items() if name not in drop},
            "EXECUTOR": {"drain_budget_s": 20, "connect_timeout_s": 5, "read_timeout_s": 60},
            "DEBUG": False,
            "PUBLIC_URL": "https://portal.example",
            "FIELD_KEYS": LONG,
            "AUDIT_KEY": LONG,
            "DATA_DIR": tmp_path,
        }
        monkeypatch.setattr(checks, "settings", SimpleNamespace(**(good | others)))
        return [message.id for message in run_checks(tags=["portal"])]

    return run


def test_settings_as_they_come_are_fine(configured):
    assert configured() == []


@pytest.mark.parametrize(
    ("reported", "wrong"),
    [
        ("portal.E001", {"queue": {"redis": "redis://cache"}}),
        ("portal.E002", {"database": sqlite(transaction_mode="DEFERRED")}),
        ("portal.E002", {"database": sqlite(init_command="PRAGMA journal_mode=WAL;PRAGMA synchronous=NORMAL;")}),
        ("portal.E002", {"database": sqlite(init_command="PRAGMA synchronous=FULL;")}),
        ("portal.E003", {"database": POSTGRES | {"OPTIONS": {"pool": True}}}),
        ("portal.E004", {"queue": {"retry": 240}}),
        ("portal.E004", {"queue": {"timeout": 600}}),
        ("portal.E005", {"queue": {"queue_limit": 4}}),
        ("portal.E006", {"queue": {"save_limit": 250}}),
        ("portal.E006", {"drop": ("save_limit",)}),
        ("portal.E007", {"drop": ("ALT_CLUSTERS",)}),
        ("portal.E008", {"EXECUTOR": {"drain_budget_s": 60, "connect_timeout_s": 5, "read_timeout_s": 60}}),
        ("portal.E010", {"database": sqlite() | {"ATOMIC_REQUESTS": True}}),
        ("portal.E011", {"DEBUG": True}),
        ("portal.E012", {"FIELD_KEYS": f"new:{LONG},old:short"}),
        ("portal.E012", {"AUDIT_KEY": "short"}),
        ("portal.E013", {"DATA_DIR": "/nowhere/at/all"}),
    ],
)
def test_a_setting_that_breaks_something_is_reported(configured, reported, wrong):
    assert configured(**wrong) == [reported]


def test_redis_with_postgresql_is_fine(configured):
    assert configured(database=POSTGRES, queue={"redis": "redis://cache"}) == []


def test_debugging_on_ones_own_machine_is_fine(configured):
    assert configured(DEBUG=True, PUBLIC_URL="http://localhost:8000") == []


@pytest.mark.parametrize(("kind", "reported"), [("nfs4", ["portal.E009"]), ("ext4", [])])
def test_sqlite_on_a_network_file_system_is_reported(configured, monkeypatch, kind, reported):
    mounts = [
        SimpleNamespace(mountpoint="/", fstype="ext4"),
        SimpleNamespace(mountpoint="/var/lib/portal", fstype=kind),
    ]
    monkeypatch.setattr(checks.psutil, "disk_partitions", lambda all: mounts)
    assert configured() == reported


def test_every_report_says_what_to_do(configured, monkeypatch):
    configured(queue={"redis": "x", "retry": 1, "queue_limit": 9, "save_limit": 1}, drop=("ALT_CLUSTERS",), DEBUG=True)
    messages = run_checks(tags=["portal"])
    assert len(messages) >= 6
    assert all(message.hint for message in messages)
