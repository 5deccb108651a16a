"""Workers that die, linger or break at bad moments; nothing stays where nobody finds it."""

from datetime import date

import pytest

from connections.models import Connection
from syncops.models import JournalEntry, Stream, SyncOperation, Write
from tests.syncops.desk import operation_of
from tests.syncops.mishaps import Killed, asked, change_of, die, keep_looking

State = SyncOperation.State
DAY = date(2026, 5, 10)


def killed(desk, verb, quantity=12):
    desk.psa.meanwhile(verb, die)
    desk.change_quantity(quantity)
    with pytest.raises(Killed):
        desk.drain()


def test_another_change_on_the_day_of_one_whose_worker_died_goes_out(mapped):
    killed(mapped, "unit_rows")
    mapped.change_quantity(15)
    mapped.clock.wait(121)
    mapped.drain()
    assert mapped.adjustments() == [("2026-05-10", 5)]
    assert SyncOperation.objects.get(superseded_by__isnull=False).state == State.SUPERSEDED


def test_another_change_on_the_day_of_a_mapping_whose_worker_died_after_its_line_goes_out(desk):
    desk.psa.fail_next("create_line", "drop_after")
    desk.map()
    desk.drain()
    desk.psa.meanwhile("unit_rows", die)
    desk.clock.wait(5)
    with pytest.raises(Killed):
        desk.drain()
    desk.change_quantity(14)
    desk.change_quantity(15)
    desk.clock.wait(121)
    desk.drain()
    assert desk.units(DAY) == 15


def test_a_write_of_a_dead_worker_is_proved_after_the_connection_was_paused(mapped):
    killed(mapped, "adjust")
    Connection.objects.update(state="paused")
    mapped.clock.wait(121)
    mapped.drain()
    assert change_of(mapped).state == State.UNCERTAIN
    Connection.objects.update(state="active")
    Stream.objects.update(due=mapped.clock.now)
    mapped.psa.fail_next("unit_rows", "stale")
    mapped.drain()
    keep_looking(mapped, minutes=1)
    assert change_of(mapped).state == State.SUCCEEDED
    assert mapped.adjustments() == [("2026-05-10", 2)]


def test_a_portal_that_breaks_after_the_far_side_took_a_write_proves_it(mapped):
    mapped.psa.meanwhile("adjust", lambda: 1 / 0)
    mapped.change_quantity(12)
    mapped.drain()
    assert (change_of(mapped).state, Write.objects.latest("pk").state) == (State.UNCERTAIN, "unknown")
    mapped.psa.fail_next("unit_rows", "stale")
    keep_looking(mapped, minutes=1)
    assert change_of(mapped).state == State.SUCCEEDED
    assert mapped.adjustments() == [("2026-05-10", 2)]


def test_an_operation_under_which_workers_die_again_and_again_needs_a_person(mapped):
    killed(mapped, "unit_rows")
    for _ in range(20):
        mapped.psa._meanwhile.clear()
        mapped.psa.meanwhile("unit_rows", die)
        mapped.clock.wait(121)
        try:
            mapped.drain()
        except Killed:
            continue
        break
    operation = change_of(mapped)
    assert (operation.state, operation.error_kind) == (State.FAILED, "unavailable")
    assert asked(mapped, "unit_rows") == 12


def test_an_answer_that_comes_when_the_lease_is_lost_is_kept_in_the_journal(mapped):
    def overtaken():
        mapped.clock.wait(121)
        mapped.claim("fresh")

    mapped.psa.meanwhile("adjust", overtaken)
    mapped.change_quantity(12)
    mapped.drain()
    assert Write.objects.latest("pk").state == "sending"
    stale = JournalEntry.objects.get(phase="stale")
    assert stale.detail["state"] == "accepted"
    mapped.clock.wait(121)
    mapped.drain()
    mapped.drain()
    assert change_of(mapped).state == State.SUCCEEDED
    assert mapped.adjustments() == [("2026-05-10", 2)]


def test_a_drain_without_time_left_begins_no_second_write(mapped, monkeypatch):
    from syncops.engine.steps import Steps

    mapped.change_quantity(15, date(2026, 5, 20))
    mapped.drain()
    late = [False]
    monkeypatch.setattr(Steps, "out_of_time", lambda self, needed_s=0: late[0])
    mapped.psa.meanwhile("adjust", lambda: late.__setitem__(0, True))
    mapped.psa.applied.clear()
    mapped.change_quantity(12, date(2026, 5, 15))
    mapped.drain()
    assert mapped.adjustments() == [("2026-05-15", 2)]
    assert change_of(mapped).state == State.UNCERTAIN
    late[0] = False
    mapped.drain()
    mapped.drain()
    assert mapped.adjustments() == [("2026-05-15", 2), ("2026-05-20", -2)]


def test_what_the_far_side_says_in_characters_that_no_database_stores_is_kept_without_them(desk, monkeypatch):
    from portal.far_side import Rejected

    def refuse(*args, **kwargs):
        raise Rejected("No\x00 \ud800.", raw="nul\x00 half\ud800")

    monkeypatch.setattr(desk.psa, "create_line", refuse)
    desk.map()
    desk.drain()
    assert operation_of(desk).state == State.FAILED
    assert operation_of(desk).raw_answer == "nul\ufffd half?"
