"""A journaled write that waits for its turn on the wire, and what happens while it waits."""

from contextlib import contextmanager
from datetime import date, timedelta

from syncops.models import SyncOperation, Write
from tests.syncops.mishaps import change_of, keep_looking

State = SyncOperation.State
DAY = date(2026, 5, 10)


def drain_with_a_wait(desk, seconds, meanwhile=lambda: None):
    """Drain with an engine whose writes wait this long for their turn."""

    @contextmanager
    def turn():
        desk.clock.wait(seconds)
        meanwhile()
        yield

    engine = desk.engine()
    engine.writing.wire = turn()
    engine.drain()


def test_the_quiet_time_of_a_write_counts_from_its_turn(mapped):
    mapped.psa.fail_next("adjust", "drop_before")
    mapped.change_quantity(12)
    drain_with_a_wait(mapped, 60)
    assert Write.objects.latest("pk").sent_at == mapped.clock.now
    mapped.clock.wait(5 + 60 + 300 - 1)
    mapped.drain()
    assert mapped.psa.applied == []
    keep_looking(mapped)
    assert mapped.adjustments() == [("2026-05-10", 2)]


def test_a_write_has_the_full_lease_when_its_turn_comes(mapped):
    mapped.change_quantity(12)
    leases = []
    adjust = mapped.psa.adjust
    mapped.psa.adjust = lambda request: leases.append(change_of(mapped).stream.lease_until) or adjust(request)
    drain_with_a_wait(mapped, 60)
    assert leases == [mapped.clock.now + timedelta(seconds=120)]
    assert change_of(mapped).state == State.SUCCEEDED


def test_a_write_whose_lease_ran_out_before_its_turn_is_never_sent(mapped):
    mapped.change_quantity(12)
    drain_with_a_wait(mapped, 121)
    assert mapped.psa.applied == []
    assert Write.objects.latest("pk").state in Write.UNSETTLED
    keep_looking(mapped)
    assert (change_of(mapped).state, mapped.adjustments()) == (State.SUCCEEDED, [("2026-05-10", 2)])


def test_a_write_that_another_worker_took_over_before_its_turn_is_left_to_it(mapped):
    mapped.change_quantity(12)
    drain_with_a_wait(mapped, 121, meanwhile=lambda: mapped.claim("faster"))
    assert mapped.psa.applied == []
    mapped.clock.wait(121)
    keep_looking(mapped)
    assert (change_of(mapped).state, mapped.units(DAY)) == (State.SUCCEEDED, 12)
