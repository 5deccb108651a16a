"""Real processes that share one budget, on both databases. BUDGET_SECONDS=10 has them ask for longer."""

import json
import os
import signal
import subprocess
import sys
import uuid
from pathlib import Path
from statistics import median

import psycopg
import pytest

from connections.budget import MOST_AHEAD

ROOT = Path(__file__).resolve().parent.parent.parent
PROCESSES, SECONDS = 4, float(os.environ.get("BUDGET_SECONDS", "1"))
SHARE, LONGEST_S = 30, 30


class Hammer:
    """The process that has others ask (see hammer.py)."""

    def __init__(self, environ):
        command = [sys.executable, "-m", "tests.connections.hammer"]
        self.process = subprocess.Popen(
            command, cwd=ROOT, env=environ, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def __call__(self, *words):
        self.process.stdin.write(json.dumps(words) + "\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())

    def close(self):
        self.process.communicate(timeout=10)


@pytest.fixture(scope="module", params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def hammer(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp("installation")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PORTAL_", "DATABASE_URL"))}
    kept |= {
        "PORTAL_DATA_DIR": str(folder),
        "PORTAL_LOG_LEVEL": "ERROR",
        "DJANGO_SETTINGS_MODULE": "portal.settings",
    }
    if request.param == "sqlite":
        hammer = Hammer(kept)
        yield hammer
        hammer.close()
        return
    server, name = os.environ["TEST_POSTGRES_URL"], f"budget_{uuid.uuid4().hex[:8]}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
        hammer = Hammer(kept | {"DATABASE_URL": f"{server.rsplit('/', 1)[0]}/{name}"})
        yield hammer
        hammer.close()
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


def most_at_once(held):
    changes = sorted([(began, 1) for began, _ in held] + [(ended, -1) for _, ended in held])
    count = most = 0
    for _, change in changes:
        count += change
        most = max(most, count)
    return most


def test_processes_of_several_threads_never_hold_more_than_three_places(hammer):
    held = hammer("hammer", hammer("make", 1_000_000), PROCESSES, SECONDS)["held"]
    assert len(held) > 20
    assert most_at_once(held) <= 3


def test_together_they_use_the_share_and_never_more(hammer):
    organization = hammer("make", 2 * SHARE)
    said = hammer("hammer", organization, PROCESSES, LONGEST_S)
    assert len(said["held"]) == hammer("counted", organization) == SHARE
    assert said["refused"] > 0
    assert most_at_once(said["held"]) <= 3


def test_a_person_goes_before_bulk_work_that_hands_its_places_on(hammer):
    said = hammer("overtake", hammer("make", 1_000_000), 5)
    assert said["bulk"] > 10
    assert median(said["overtaken"]) <= 3  # those that were let go on at the very moment in which the person came


def test_what_a_process_holds_is_its_own_until_it_is_killed(hammer):
    organization = hammer("make", 1_000_000)
    victims = [hammer("hold", organization) for _ in range(3)]
    assert hammer("hammer", organization, PROCESSES, 0.3)["held"] == []
    for victim in victims:
        os.kill(victim, signal.SIGKILL)
    lost = hammer("counted", organization)
    assert lost == 3 * (1 + MOST_AHEAD)
    held = hammer("hammer", organization, PROCESSES, SECONDS)["held"]
    assert held
    assert most_at_once(held) <= 3
    assert hammer("counted", organization) == lost + len(held)
