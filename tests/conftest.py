"""Fixtures for every test. Sockets are closed but for loopback."""

import fcntl
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cast import Cast, make_cast
from tests.needs import NEEDS, is_obligatory

DATABASE_FIXTURES = {"db", "transactional_db", "django_db_setup"}


def pytest_configure(config):
    config.addinivalue_line("markers", "database: uses the database (set by itself); run again on PostgreSQL")


def pytest_collection_modifyitems(items):
    for item in items:
        if item.get_closest_marker("django_db") or DATABASE_FIXTURES & set(getattr(item, "fixturenames", ())):
            item.add_marker("database")


def pytest_runtest_setup(item):
    """Skip what cannot be run here, with a line that says how it could."""
    for need in NEEDS:
        if item.get_closest_marker(need.marker) and not need.found():
            (pytest.fail if is_obligatory(need) else pytest.skip)(need.how)


@pytest.fixture(autouse=True)
def plain_settings(settings):
    """No manifest and no folder of static files, quick passwords, and a cache that forgets."""
    settings.STORAGES = settings.STORAGES | {
        "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    }
    settings.WHITENOISE_AUTOREFRESH = True
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    settings.CACHES = {name: {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"} for name in settings.CACHES}


@pytest.fixture(scope="session", autouse=True)
def tables_that_can_be_emptied():
    """A test with real transactions empties all tables afterwards; the audit log's triggers on SQLite would refuse."""
    from django.db import connections

    if connections["default"].vendor != "sqlite":  # row triggers do not see PostgreSQL's TRUNCATE
        yield
        return
    from django.db.backends.sqlite3.operations import DatabaseOperations

    sql_flush = DatabaseOperations.sql_flush

    def without_triggers(self, style, tables, **options):
        with connections["default"].cursor() as cursor:
            cursor.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'")
            triggers = cursor.fetchall()
        dropped = [f"DROP TRIGGER {name}" for name, _ in triggers]
        return [*dropped, *sql_flush(self, style, tables, **options), *(sql for _, sql in triggers)]

    DatabaseOperations.sql_flush = without_triggers
    yield
    DatabaseOperations.sql_flush = sql_flush


@pytest.fixture(scope="session")
def tables(tmp_path_factory) -> Path:
    """A SQLite file with the portal's tables and no rows, for processes of their own to work on a copy of it."""
    folder = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        folder = folder.parent  # made once, by whoever needs it first
    file = folder / "tables" / "portal.sqlite3"
    with (folder / "tables.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not file.exists():
            kept = {name: value for name, value in os.environ.items() if not name.startswith(("PORTAL_", "DATABASE_"))}
            subprocess.run(
                [sys.executable, "manage.py", "migrate", "--verbosity", "0"],
                cwd=Path(__file__).parent.parent,
                env=kept | {"PORTAL_DATA_DIR": str(folder / "made"), "PORTAL_LOG_LEVEL": "ERROR"},
                check=True,
                timeout=240,
            )
            (folder / "made").rename(file.parent)
    return file


@pytest.fixture
def unlimited(monkeypatch):
    """No budget of requests: threads cannot write its rows while the test's own transaction holds SQLite."""
    from connections import registry
    from tests.connections.far_sides import Unlimited

    monkeypatch.setattr(registry, "_budget", lambda *about, **how: Unlimited())


@pytest.fixture
def cast(db) -> Cast:
    return make_cast()


@pytest.fixture
def as_user(client):
    """Sign a person in: `as_user(cast.admin)` gives a client."""

    def sign_in(user):
        client.force_login(user)
        return client

    return sign_in
