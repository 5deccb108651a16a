"""At most one of each, whoever is first: two processes try at the same moment, on a database of their own."""

import json
import os
import sqlite3
import subprocess
import sys
import time
import uuid
from contextlib import closing
from pathlib import Path

import psycopg
import pytest
from django.db import connections

from tests.mappings.rivals import ROUNDS

pytestmark = pytest.mark.django_db
ROOT = Path(__file__).resolve().parent.parent.parent
REFUSALS = {
    "company": "is mapped to the customer Customer",
    "customer": "The customer is mapped to Company",
    "service": "is mapped to the offer Offer",
    "offer": "The offer is mapped to Service",
    "subscription": "Nothing was changed: it is mapped to Contract",
    "tenant": "A subscription is billed in one place",
    "line": "The line bills Offer",
}


class Rivals:
    """Two processes; `cases` holds the pairs of attempts of each case."""

    def __init__(self, environ):
        command = [sys.executable, "-m", "tests.mappings.rivals"]
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
        self.both = [subprocess.Popen(command, cwd=ROOT, env=environ, **pipes) for _ in range(2)]

    def __enter__(self):
        return self

    def __exit__(self, *error):
        for rival in self.both:
            rival.stdin.close()
            rival.wait(20)
            rival.stdout.close()

    def tell(self, rival, asked):
        rival.stdin.write(json.dumps(asked) + "\n")
        rival.stdin.flush()

    def prepare(self):
        self.cases = self.ask({"do": "set_up"})
        self.at_once(*({"do": "sign_in", "email": "admin@alder.example"} for _ in self.both))

    def ask(self, asked):
        self.tell(self.both[0], asked)
        return json.loads(self.both[0].stdout.readline())

    def at_once(self, *attempts):
        begin = time.monotonic() + 0.01
        for rival, attempt in zip(self.both, attempts, strict=True):
            self.tell(rival, attempt | {"at": begin})
        return [json.loads(rival.stdout.readline()) for rival in self.both]

    def play(self, case):
        """What both were answered, round by round."""
        return [self.at_once(*pair) for pair in self.cases[case]]


@pytest.fixture(scope="module")
def rivals(django_db_setup, django_db_blocker, tmp_path_factory):
    """On a copy of the test database, which keeps what two processes commit out of other tests."""
    folder = tmp_path_factory.mktemp("rivals")
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PORTAL_")}
    kept |= {"PORTAL_DATA_DIR": str(folder), "PORTAL_LOG_LEVEL": "ERROR", "DJANGO_SETTINGS_MODULE": "portal.settings"}
    with django_db_blocker.unblock():
        database = connections["default"]
        server, drop = _copied(database, folder / "portal.sqlite3")
    try:
        with Rivals(kept | {"DATABASE_URL": server}) as both:
            both.prepare()
            yield both
    finally:
        drop()


def _copied(database, file):
    """The address of a copy of the test database, and how to be rid of it."""
    database.ensure_connection()
    if database.vendor == "sqlite":
        with closing(sqlite3.connect(file)) as copy:
            database.connection.backup(copy)
        return f"sqlite:///{file}", lambda: None
    about, name = database.settings_dict, f"rivals_{uuid.uuid4().hex[:8]}"
    place = f"{about['HOST']}:{about['PORT'] or 5432}"
    who = about["USER"] + (f":{about['PASSWORD']}" if about["PASSWORD"] else "")
    server = f"postgres://{who}@{place}"
    database.close()  # a database that somebody looks at is not copied

    def run(statement):
        with psycopg.connect(f"{server}/postgres", autocommit=True) as connection:
            connection.execute(statement)

    run(f'CREATE DATABASE {name} TEMPLATE "{about["NAME"]}"')
    return f"{server}/{name}", lambda: run(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.mark.parametrize("case", REFUSALS)
def test_one_wins_and_the_other_is_told_why(rivals, case):
    for answers in rivals.play(case):
        told = [REFUSALS[case] in one["body"] for one in answers]
        assert sorted(told) == [False, True], answers
        assert answers[told.index(False)]["status"] == 200
        assert answers[told.index(True)]["status"] in (200, 422)


def test_what_both_may_do_leaves_one_behind(rivals):
    for case in ("default", "rejected"):
        for answers in rivals.play(case):
            assert {one["status"] for one in answers} == {200}, answers
    found = rivals.ask({"do": "count"})
    assert found["DefaultContract"] == found["rejected"] == found["rejections"] == ROUNDS
