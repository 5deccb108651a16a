"""A reading of the mirror whose process is really killed: what was stored is not read again, and nothing is missing."""

import json
import shutil
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing

import pytest

from connections.sandbox.server import Sandbox
from tests.benchmarks.far_side import TODAY, wide_database
from tests.benchmarks.site import ROOT, Site

pytestmark = [pytest.mark.faults, pytest.mark.slow]
COMPANIES, CONTRACTS, PAGES = 3_000, 4_000, 14
IN_FLIGHT = 6  # two kinds of rows, three pages of each
BESIDE = 12  # descriptions, currencies, services and lines, and the count of requests, twice


@pytest.fixture
def site(tmp_path, tables):
    sandbox = Sandbox(tmp_path / "sandbox", autotask_databases=[wide_database(COMPANIES, CONTRACTS)])
    sandbox.start()
    site = Site(tmp_path, sandbox)
    try:
        site.control("clock", {"today": TODAY})
        shutil.copy(tables, tmp_path)
        yield site
    finally:
        site.close()


def end_the_lease(site):
    """As time would; the killed process cannot give it back."""
    with closing(sqlite3.connect(site.folder / "portal.sqlite3", timeout=20)) as rows, rows:
        assert rows.execute("UPDATE connections_mirrorrefresh SET lease_until = NULL WHERE state = 'running'").rowcount


def test_the_next_reading_goes_on_behind_the_last_page_that_was_stored(site):
    command = [sys.executable, "manage.py", "mirror", "--connection", site.inside("connect"), "--json"]
    site.slow_down()
    victim = subprocess.Popen(command, cwd=ROOT, env=site.environ, stdout=subprocess.PIPE)
    site.wait_for(lambda: site.look("SELECT count(*) FROM connections_mirroredcompany") >= COMPANIES // 2)
    victim.send_signal(signal.SIGKILL)
    victim.communicate(timeout=10)
    stored = site.look("SELECT count(*) FROM connections_mirroredcompany")
    assert stored < COMPANIES
    end_the_lease(site)
    done = subprocess.run(command, cwd=ROOT, env=site.environ, capture_output=True, text=True, timeout=120, check=True)
    facts = json.loads(done.stdout)
    assert (facts["state"], facts["read"]["companies"], facts["read"]["contracts"]) == (
        "succeeded",
        COMPANIES,
        CONTRACTS,
    )
    assert site.look("SELECT count(DISTINCT remote_id) FROM connections_mirroredcompany") == COMPANIES
    assert site.requests() <= PAGES + IN_FLIGHT + BESIDE
