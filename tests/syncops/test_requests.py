"""How many requests the far side gets, counted by itself, reads and proofs included."""

import pytest
import requests
from django.core.management import call_command

from connections.sandbox.server import Sandbox
from syncops.engine import Engine, Limits
from syncops.models import SyncOperation
from tests.benchmarks import far_side
from tests.benchmarks.inside.changes import change_lines
from tests.benchmarks.inside.lines import map_lines
from tests.benchmarks.inside.people import connect
from tests.syncops.site import open_site

State = SyncOperation.State
LINES = 500


def test_a_change_of_an_existing_line_takes_a_read_a_write_and_the_proof(cast, tmp_path, settings):
    with open_site(cast, tmp_path, settings) as site:
        site.settle(site.map())
        site.control("counters", method="DELETE")
        operation = site.change(12)
        site.drain()
        operation.refresh_from_db()
        assert (operation.state, site.control("counters", method="GET")["requests"]) == (State.SUCCEEDED, 3)


@pytest.fixture
def far_side_of_500(db, tmp_path, settings, unlimited):
    """A stand-in with 500 lines of 12-month contracts, each mapped and read into the mirror; its control address."""
    with Sandbox(tmp_path, autotask_databases=[far_side.lines_database(LINES)]) as sandbox:
        settings.AUTOTASK_ZONE_URL = f"{sandbox.autotask_url}/atservicesrest/v1.0/zoneInformation"
        control = f"{sandbox.autotask_url}/_control"
        requests.post(f"{control}/clock", json={"today": far_side.TODAY}, timeout=10).raise_for_status()
        call_command("mirror", "--connection", connect(), verbosity=0)
        assert map_lines(str(LINES)) == LINES
        yield control


def test_500_changes_of_500_lines_take_at_most_1_1_requests_each(far_side_of_500):
    assert change_lines("12") == LINES
    requests.delete(f"{far_side_of_500}/counters", timeout=10).raise_for_status()
    Engine(limits=Limits(threads=1, drain_budget_s=300)).drain()
    changes = SyncOperation.objects.filter(change__isnull=False)
    assert {(one.state, one.proof["matched"]) for one in changes} == {(State.SUCCEEDED, True)}
    counted = requests.get(f"{far_side_of_500}/counters", timeout=10).json()
    assert LINES < counted["requests"] <= 1.1 * LINES
    written = requests.get(f"{far_side_of_500}/journal", timeout=30).json()["adjustments"]
    ours = [one["line"] for one in written if one["outcome"] == "applied" and one["unitChange"] == 2]
    assert len(ours) == len(set(ours)) == LINES
