"""What several hands want written at one moment is one transaction, and one that fails does not take others along."""

from types import SimpleNamespace

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from syncops import settling
from syncops.claim import LostLease, claim_streams
from syncops.engine.scribe import Scribe
from syncops.models import Stream


@pytest.fixture
def jobs(mapped, monkeypatch):
    """Two claimed jobs; the second one's stream was claimed by somebody else since."""
    mapped.drain()
    mapped.change_quantity(12)
    (claim,) = claim_streams(mapped.connection.pk, owner="we", now=mapped.clock.now, seconds=60, at_most=5)
    monkeypatch.setattr(settling, "forget", lambda job: None)
    stale = SimpleNamespace(stream_id=claim.stream_id, fence=claim.fence - 1, urgent=False)
    return SimpleNamespace(claim=claim), SimpleNamespace(claim=stale)


def note(stream):
    Stream.objects.filter(pk=stream.pk).update(stops_at=stream.stops_at + 1)
    return "written"


def stops_at():
    return Stream.objects.values_list("stops_at", flat=True).get()


def test_what_waits_is_written_with_the_next_in_one_transaction_and_in_order(jobs):
    ours, _ = jobs
    scribe, order = Scribe(), []
    scribe.later(ours, lambda stream: order.append("later"), lost=lambda: None)
    with CaptureQueriesContext(connection) as queries:
        assert scribe.write(ours, lambda stream: order.append("now") or note(stream)) == "written"
    assert order == ["later", "now"]
    assert sum(query["sql"].startswith("SAVEPOINT") for query in queries) == 1
    assert stops_at() == 1


def test_a_lost_lease_is_told_to_the_one_that_lost_it_and_the_others_are_written(jobs):
    ours, stale = jobs
    scribe, lost = Scribe(), []
    scribe.later(stale, note, lost=lambda: lost.append("later"))
    assert scribe.write(ours, note) == "written"
    with pytest.raises(LostLease):
        scribe.write(stale, note, lambda: lost.append("now"))
    assert (lost, stops_at()) == (["later", "now"], 1)


def test_one_that_fails_is_done_alone_and_the_others_are_written_all_the_same(jobs):
    ours, _ = jobs
    scribe = Scribe()
    scribe.later(ours, note, lost=lambda: None)
    with pytest.raises(ZeroDivisionError):
        scribe.write(ours, lambda stream: note(stream) and 1 / 0)
    assert stops_at() == 1


def test_catching_up_writes_what_waits_and_an_error_there_stops_nobody(jobs):
    ours, _ = jobs
    scribe = Scribe()
    scribe.later(ours, lambda stream: 1 / 0, lost=lambda: None)
    scribe.later(ours, note, lost=lambda: None)
    scribe.catch_up()
    scribe.catch_up()
    assert stops_at() == 1


def test_nobody_takes_for_written_what_a_dying_thread_was_about_to_write(jobs):
    ours, _ = jobs
    scribe = Scribe()

    class Died(BaseException):
        pass

    def die(stream):
        raise Died

    with pytest.raises(Died):
        scribe.write(ours, die)
    assert stops_at() == 0
    assert scribe.write(ours, note) == "written"
