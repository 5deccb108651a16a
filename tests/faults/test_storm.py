"""Workers with three threads each and people who click, all at once: STORM_SEEDS=20 lets it rage more often."""

import os
import shutil
import subprocess
import sys
import uuid

import psycopg
import pytest

from tests.faults.stage import ROOT

pytestmark = [pytest.mark.faults, pytest.mark.slow]
SEEDS = range(1, int(os.environ.get("STORM_SEEDS", "1")) + 1)


def play(folder, *command: str, **environ: str) -> None:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PORTAL_", "QUEUE_URL"))}
    done = subprocess.run(
        [sys.executable, *command],
        cwd=ROOT,
        env=kept | {"PORTAL_DATA_DIR": str(folder), "PORTAL_LOG_LEVEL": "ERROR"} | environ,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert done.returncode == 0, f"{done.stdout[-3000:]}\n{done.stderr[-2000:]}"


@pytest.fixture
def database():
    """An empty database of its own on the PostgreSQL server."""
    server = os.environ["TEST_POSTGRES_URL"]
    name = f"storm_{uuid.uuid4().hex[:12]}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
        yield f"{server.rpartition('/')[0]}/{name}"
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.mark.parametrize("seed", SEEDS)
def test_a_storm_on_sqlite_leaves_every_line_as_it_was_told(tmp_path, tables, seed):
    own = {"DATABASE_URL": f"sqlite:///{tmp_path}/portal.sqlite3"}
    shutil.copy(tables, tmp_path)
    play(tmp_path, "-m", "tests.faults.storm", str(seed), **own)


@pytest.mark.postgres
@pytest.mark.parametrize("seed", SEEDS)
def test_a_storm_on_postgresql_leaves_every_line_as_it_was_told_and_nobody_waits_in_a_circle(tmp_path, database, seed):
    play(tmp_path, "manage.py", "migrate", "--verbosity", "0", DATABASE_URL=database)
    play(tmp_path, "-m", "tests.faults.storm", str(seed), DATABASE_URL=database)
