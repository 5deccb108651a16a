"""Lines that share a batch, and connections that share a drain, do each other no harm."""

from datetime import date, timedelta

import pytest

from connections.models import Connection
from syncops import settling
from syncops.engine import Engine
from syncops.models import JournalEntry, Stream, SyncOperation
from tests.syncops.desk import operation_of
from tests.syncops.mishaps import Killed, asked, change_of, keep_looking, neighbour

State = SyncOperation.State
DAY, AUGUST = date(2026, 5, 10), date(2026, 8, 15)


@pytest.fixture
def pair(mapped):
    """Two mapped subscriptions of 10 on one connection."""
    other = neighbour(mapped)
    other.map()
    mapped.drain()
    mapped.psa.calls.clear()
    mapped.psa.applied.clear()
    return mapped, other


def test_a_change_that_was_swallowed_is_not_proved_by_a_neighbours_older_rows(mapped):
    mapped.psa.fail_next("adjust", "swallow")
    mapped.change_quantity(12, AUGUST)
    mapped.drain()
    neighbour(mapped).map()
    mapped.clock.wait(3)
    keep_looking(mapped)
    assert (change_of(mapped).state, change_of(mapped).error_kind) == (State.FAILED, "accepted_not_applied")


def test_a_neighbour_that_fails_leaves_the_proof_as_it_is(pair):
    mapped, other = pair
    mapped.psa.fail_next("adjust", "reject")
    other.change_quantity(11, DAY)
    mapped.clock.wait(1)
    mapped.change_quantity(12, AUGUST)
    mapped.drain()
    assert change_of(other).state == State.FAILED
    assert change_of(mapped).proof["matched"]


def test_a_line_that_cannot_be_read_fails_alone(pair, monkeypatch):
    mapped, other = pair
    bad, read = mapped.line, mapped.psa.unit_rows

    def broken(lines, *, since=None):
        if bad in lines:
            raise ValueError("Unit row 17 has no dates.")
        return read(lines, since=since)

    monkeypatch.setattr(mapped.psa, "unit_rows", broken)
    mapped.change_quantity(12)
    other.change_quantity(13)
    mapped.drain()
    assert other.units(DAY) == 13
    for _ in range(10):
        mapped.clock.wait(600)
        mapped.drain()
    assert change_of(mapped).state == State.FAILED
    assert "no dates" in change_of(mapped).error


def test_a_connection_without_a_client_does_not_starve_the_others(mapped):
    broken = neighbour(mapped)
    broken.connection = Connection.objects.create(
        organization=mapped.cast.csp, kind="autotask", name="Broken", currency="EUR", state="active"
    )
    broken.map(add_beside=True)
    mapped.clock.wait(1)
    mapped.change_quantity(12)

    def client(connection, **how):
        if connection.name == "Broken":
            raise KeyError("halo")
        return mapped.psa

    Engine(clock=mapped.clock, limits=mapped.limits, psa=client).drain()
    assert mapped.units(DAY) == 12
    assert "halo" in SyncOperation.objects.get(connection=broken.connection).error


def test_a_stream_that_cannot_be_opened_says_so_and_lets_the_others_go(pair):
    mapped, other = pair
    mapped.change_quantity(12)
    mapped.change_quantity(14)  # which of the two counts is asked when the stream is opened
    SyncOperation.objects.filter(stream=change_of(mapped).stream, state="queued").update(kind="of_another_version")
    other.change_quantity(13)
    mapped.drain()
    assert other.units(DAY) == 13
    waiting = operation_of(mapped, "of_another_version")
    assert waiting.waiting_for.startswith("support")
    assert waiting.stream.due == mapped.clock.now + timedelta(minutes=15)


def test_a_late_change_behind_an_unanswered_write_does_not_make_it_read_in_a_loop(mapped):
    mapped.psa.fail_next("adjust", "drop_before")
    mapped.change_quantity(12, AUGUST)
    mapped.drain()
    mapped.change_quantity(11, DAY)
    before = asked(mapped, "unit_rows")
    mapped.drain()
    assert asked(mapped, "unit_rows") == before + 1
    keep_looking(mapped)
    assert [mapped.units(DAY), mapped.units(AUGUST)] == [11, 12]


def test_a_connection_taken_over_by_another_drain_is_left_to_it(pair):
    mapped, other = pair
    mapped.limits = type(mapped.limits)(threads=1, batch=1)

    def slow():
        mapped.clock.wait(60)
        with pytest.raises(Killed):
            overtake()

    def overtake():
        mapped.psa.meanwhile("unit_rows", lambda: (_ for _ in ()).throw(Killed))
        mapped.engine("faster").drain()

    mapped.change_quantity(12)
    other.change_quantity(13)
    mapped.psa.meanwhile("adjust", slow)
    mapped.drain()
    assert Stream.objects.get(subscription=other.subscription).owner == "faster"
    assert other.units(DAY) == 10


@pytest.mark.parametrize("verb", ["store_plan", "proved"])
def test_a_job_that_cannot_be_settled_leaves_the_others_of_its_batch_alone(pair, monkeypatch, verb):
    mapped, other = pair
    settle = getattr(settling, verb)

    def broken(job, *args, **fields):
        settle(job, *args, **fields)  # what it has stored by then is not kept
        if job.operation.subscription_id == mapped.subscription.pk:
            raise ValueError("a defect of ours")

    monkeypatch.setattr(settling, verb, broken)
    mapped.change_quantity(12)
    other.change_quantity(13)
    mapped.drain()
    assert (change_of(other).state, other.units(DAY)) == (State.SUCCEEDED, 13)
    assert change_of(mapped).state == (State.QUEUED if verb == "store_plan" else State.UNCERTAIN)
    assert "a defect of ours" in change_of(mapped).error
    monkeypatch.setattr(settling, verb, settle)
    keep_looking(mapped)
    assert (change_of(mapped).state, sorted(mapped.adjustments())) == (
        State.SUCCEEDED,
        [("2026-05-10", 2), ("2026-05-10", 3)],
    )
    assert JournalEntry.objects.filter(run__operation=change_of(mapped), phase="proof").count() <= 1


def test_a_stream_that_was_lost_meanwhile_is_left_alone_by_its_batch(pair):
    mapped, other = pair

    def overtaken():
        mapped.clock.wait(121)
        assert len(mapped.claim("faster")) == 2

    mapped.change_quantity(12)
    other.change_quantity(13)
    mapped.psa.meanwhile("unit_rows", overtaken)
    mapped.drain()
    assert mapped.psa.applied == []
    assert set(Stream.objects.values_list("owner", flat=True)) == {"faster"}
    assert {change_of(one).state for one in pair} == {State.RUNNING}
    mapped.clock.wait(121)
    mapped.drain()
    assert [one.units(DAY) for one in pair] == [12, 13]
