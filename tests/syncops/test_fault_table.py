"""Every fault at every place where it may strike, over real HTTP: the ledger is right in the end, and the state says
no more than is so. Nobody helps: what a fault leaves open is settled by time alone, or waits for a person.
"""

import time
from collections.abc import Iterator

import pytest
from django.utils import timezone

from connections.models import Connection, MirroredContract
from portal.models import AuditEntry
from syncops.actions import retry_operation
from syncops.engine import Limits
from syncops.models import SyncOperation
from tests.syncops.desk import HandClock
from tests.syncops.site import open_site
from tests.syncops.strikes import PLACES, Table, is_right, is_told_honestly

State = SyncOperation.State
PATIENCE_S = 0.25
READS_FIRST = ("contract", "look-up", "read before")  # in one run, one after the other
STRIKES = (READS_FIRST, ("creation",), ("adjustment",), ("read back",))
PASSING = (
    "drop_before",
    "drop_after",
    "half_body",
    "half_body_before",
    "error_500_plain",
    "error_500_after",
    "error_502",
    "error_502_after",
    "error_503",
    "error_504",
    "error_504_after",
    "too_many",
    "too_many_retry_after",
    "zone_moved",
)
SLOW = f"slow:{PATIENCE_S * 2}"


@pytest.fixture
def table(cast, tmp_path, settings) -> Iterator[Table]:
    settings.EXECUTOR = settings.EXECUTOR | {"connect_timeout_s": PATIENCE_S, "read_timeout_s": PATIENCE_S}
    with open_site(cast, tmp_path, settings) as site:
        site.limits, operation = Limits(threads=1), site.map()
        site.clock = HandClock(now=timezone.now())
        MirroredContract.objects.all().delete()
        yield Table(site, operation)


@pytest.mark.parametrize("places", STRIKES, ids=" and ".join)
@pytest.mark.parametrize("fault", PASSING)
def test_a_fault_that_passes_costs_time_and_nothing_else(table, fault, places):
    for place in places:
        table.strike(fault, place)
    assert table.run().state == State.SUCCEEDED
    assert {one["hits"] for one in table.site.control("faults", method="GET")["faults"]} == {1}
    is_right(table)


@pytest.mark.parametrize("place", [*READS_FIRST, "read back"])
def test_a_read_whose_answer_comes_too_late_is_repeated(table, place):
    table.strike(SLOW, place)
    assert table.run().state == State.SUCCEEDED
    is_right(table)


@pytest.mark.parametrize(("place", "lines", "outcomes"), [("creation", 2, []), ("adjustment", 2, ["applied"])])
def test_a_write_that_is_applied_after_its_answer_was_given_up_is_found_and_not_repeated(table, place, lines, outcomes):
    table.strike(SLOW, place)
    table.site.drain()
    table.operation.refresh_from_db()
    assert table.operation.state == State.UNCERTAIN
    deadline = time.monotonic() + 5
    while (len(table.lines()), table.outcomes()) != (lines, outcomes):  # the far side's own time, not ours
        assert time.monotonic() < deadline
        time.sleep(0.02)
    assert table.run().state == State.SUCCEEDED
    is_right(table)


@pytest.mark.parametrize("place", ["look-up", "read before", "read back"])
def test_a_read_that_shows_the_past_is_read_again(table, place):
    table.strike("stale_read", place)
    assert table.run().state == State.SUCCEEDED
    is_right(table)


@pytest.mark.parametrize("place", PLACES)
def test_a_refusal_needs_a_person_and_nothing_is_claimed_until_then(table, place):
    table.strike("error_500_json", place, text="No.")
    operation = table.run()
    assert operation.state in SyncOperation.NEEDS_A_PERSON
    assert "No." in operation.raw_answer
    assert table.outcomes() == (["applied"] if place == "read back" else [])
    is_told_honestly(table, AuditEntry.Status.FAILED)


@pytest.mark.parametrize("place", [place for place in PLACES if place != "read back"])
def test_after_a_refusal_a_retry_sends_once(table, place):
    table.strike("error_500_json", place)
    table.operation = retry_operation(table.run(), actor=table.site.cast.admin, now=table.site.clock.now)
    assert table.run().state == State.SUCCEEDED
    is_right(table)


@pytest.mark.parametrize("place", PLACES)
def test_refused_credentials_stop_everything_at_once_and_new_ones_finish_it(table, place):
    table.strike("unauthorized", place)
    operation = table.run()
    asked = table.requests()
    assert (table.run().state, table.requests()) == (operation.state, asked)
    assert operation.state == (State.UNCERTAIN if place == "read back" else State.QUEUED)
    assert Connection.objects.get().state == "unauthorized"
    table.site.control("faults", method="DELETE")
    Connection.objects.update(state="active")
    assert table.run().state == State.SUCCEEDED
    is_right(table)


def test_an_adjustment_that_is_accepted_and_dropped_is_found_out(table):
    table.strike("swallow", "adjustment")
    operation = table.run()
    assert (operation.state, operation.error_kind) == (State.FAILED, "accepted_not_applied")
    assert table.outcomes() == ["swallowed"]
    is_told_honestly(table, AuditEntry.Status.FAILED)


def test_a_line_that_is_accepted_and_dropped_is_never_written_to(table):
    table.strike("swallow", "creation")
    operation = table.run()
    assert operation.state in SyncOperation.NEEDS_A_PERSON
    assert [line["id"] for line in table.lines()] == [90]
    assert table.outcomes() == []
    is_told_honestly(table, AuditEntry.Status.FAILED)
