"""Real processes that share one budget, on both databases."""

import json
import os
import shutil
import signal
import subprocess
import sys
import uuid
from pathlib import Path

import psycopg
import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
PROCESSES, SECONDS = 4, 3
SHARE = 15
MAKE = """
from connections.models import RequestBudget
from portal.models import Organization
one = Organization.objects.create(kind="csp", name=f"CSP {{Organization.objects.count()}}", currency="EUR")
RequestBudget.objects.create(organization=one, identity="hammered", limit={limit}, share=50)
print(one.pk)
"""


@pytest.fixture(scope="module", params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def environ(request, tmp_path_factory, tables):
    """An empty installation of its own, its tables made."""
    folder = tmp_path_factory.mktemp("installation")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PORTAL_", "DATABASE_URL"))}
    kept |= {
        "PORTAL_DATA_DIR": str(folder),
        "PORTAL_LOG_LEVEL": "ERROR",
        "DJANGO_SETTINGS_MODULE": "portal.settings",
    }
    if request.param == "sqlite":
        shutil.copy(tables, folder)
        yield kept
        return
    server, name = os.environ["TEST_POSTGRES_URL"], f"budget_{uuid.uuid4().hex[:8]}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    kept |= {"DATABASE_URL": f"{server.rsplit('/', 1)[0]}/{name}"}
    run(kept, "manage.py", "migrate", "--verbosity", "0")
    yield kept
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


def run(environ, *command):
    done = subprocess.run(
        [sys.executable, *command], cwd=ROOT, env=environ, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout


def made(environ, limit):
    """A new organization with a budget of this hourly limit; its id."""
    return run(environ, "manage.py", "shell", "--verbosity", "0", "--command", MAKE.format(limit=limit)).strip()


def started(environ, organization, seconds):
    command = [sys.executable, "-m", "tests.connections.hammer", organization, str(seconds)]
    return subprocess.Popen(command, cwd=ROOT, env=environ, stdout=subprocess.PIPE, text=True)


def hammered(environ, organization):
    workers = [started(environ, organization, SECONDS) for _ in range(PROCESSES)]
    said = [json.loads(worker.communicate(timeout=90)[0]) for worker in workers]
    return [tuple(each) for one in said for each in one["held"]], sum(one["refused"] for one in said)


def most_at_once(held):
    changes = sorted([(began, 1) for began, _ in held] + [(ended, -1) for _, ended in held])
    count = most = 0
    for _, change in changes:
        count += change
        most = max(most, count)
    return most


def test_four_processes_of_three_threads_never_hold_more_than_three_places(environ):
    held, _ = hammered(environ, made(environ, limit=1_000_000))
    assert len(held) > 20
    assert most_at_once(held) <= 3


def test_together_they_never_use_more_than_the_share(environ):
    held, refused = hammered(environ, made(environ, limit=2 * SHARE))
    assert len(held) == SHARE
    assert refused > 0


def test_what_a_process_holds_is_its_own_until_it_is_killed(environ):
    organization = made(environ, limit=1_000_000)
    victims = [started(environ, organization, 0) for _ in range(3)]
    for victim in victims:
        assert victim.stdout.readline() == "held\n"
    assert hammered(environ, organization)[0] == []
    for victim in victims:
        victim.send_signal(signal.SIGKILL)
        victim.communicate(timeout=10)
    held, _ = hammered(environ, organization)
    assert held
    assert most_at_once(held) <= 3
