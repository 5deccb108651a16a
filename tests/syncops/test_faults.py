"""What becomes of an operation when the far side is away, silent, wrong, or lies, and when workers die or linger."""

from datetime import date

import pytest

from connections.models import Connection
from syncops.claim import LostLease, held
from syncops.models import Stream, SyncOperation, Write
from tests.syncops.desk import operation_of

State = SyncOperation.State
DAY = date(2026, 5, 10)
UNKNOWN_FOR = 5 + 60 + 300


def changed(desk, quantity=12):
    desk.change_quantity(quantity)
    desk.drain()
    return operation_of(desk, "change_quantity")


def run_until_quiet(desk):
    for _ in range(40):
        desk.clock.wait(20)
        desk.drain()


def test_an_answer_that_was_lost_after_the_write_is_proved_and_not_repeated(mapped):
    mapped.psa.fail_next("adjust", "drop_after")
    assert changed(mapped).state == State.UNCERTAIN
    mapped.clock.wait(2)
    mapped.drain()
    assert operation_of(mapped, "change_quantity").state == State.SUCCEEDED
    assert mapped.adjustments() == [("2026-05-10", 2)]


def test_a_write_that_never_arrived_is_repeated_only_after_the_quiet_time(mapped):
    mapped.psa.fail_next("adjust", "drop_before")
    changed(mapped)
    mapped.clock.wait(UNKNOWN_FOR - 1)
    mapped.drain()
    assert mapped.psa.applied == []
    mapped.clock.wait(60)
    mapped.drain()
    assert mapped.adjustments() == [("2026-05-10", 2)]
    assert operation_of(mapped, "change_quantity").state == State.SUCCEEDED


def test_a_wall_clock_that_was_set_forward_does_not_shorten_the_quiet_time(mapped):
    mapped.psa.fail_next("adjust", "drop_before")
    changed(mapped)
    mapped.clock.slip(3600)
    mapped.drain()
    assert mapped.psa.applied == []
    assert operation_of(mapped, "change_quantity").state == State.UNCERTAIN


def test_a_write_that_lands_after_its_answer_was_given_up_is_found(mapped):
    from connections.psa.types import AdjustmentRequest

    mapped.psa.fail_next("adjust", "drop_before")
    changed(mapped)
    mapped.clock.wait(100)
    mapped.drain()
    mapped.psa.adjust(AdjustmentRequest(mapped.line, DAY, 2))  # the far side was still working on it
    run_until_quiet(mapped)
    assert mapped.units(DAY) == 12
    assert operation_of(mapped, "change_quantity").state == State.SUCCEEDED


def test_a_far_side_that_accepts_and_forgets_is_found_out(mapped):
    mapped.psa.fail_next("adjust", "swallow")
    assert changed(mapped).state == State.UNCERTAIN
    run_until_quiet(mapped)
    operation = operation_of(mapped, "change_quantity")
    assert (operation.state, operation.error_kind) == (State.FAILED, "accepted_not_applied")
    assert mapped.psa.applied == []


def test_a_read_that_is_stale_after_the_write_is_read_again(mapped):
    mapped.change_quantity(12)
    mapped.psa.fail_next("unit_rows", "stale", after=1)
    mapped.drain()
    mapped.clock.wait(2)
    mapped.drain()
    assert operation_of(mapped, "change_quantity").state == State.SUCCEEDED
    assert mapped.adjustments() == [("2026-05-10", 2)]


def test_a_refusal_needs_a_person_and_keeps_the_words_of_the_far_side(mapped):
    mapped.psa.fail_next("adjust", "reject")
    operation = changed(mapped)
    assert (operation.state, operation.raw_answer) == (State.FAILED, "No.")
    run_until_quiet(mapped)
    assert mapped.psa.applied == []


def test_a_far_side_that_is_away_is_tried_again_a_bounded_number_of_times(mapped):
    mapped.psa.fail_next("unit_rows", "unavailable", times=50)
    changed(mapped)
    for _ in range(30):
        mapped.clock.wait(600)
        mapped.drain()
    operation = operation_of(mapped, "change_quantity")
    assert (operation.state, operation.error_kind) == (State.FAILED, "unavailable")
    assert sum(verb == "unit_rows" for verb, _ in mapped.psa.calls) == 6


def test_a_far_side_that_comes_back_gets_what_waited(mapped):
    mapped.psa.fail_next("adjust", "unavailable")
    assert changed(mapped).state == State.QUEUED
    mapped.clock.wait(600)
    mapped.drain()
    assert mapped.adjustments() == [("2026-05-10", 2)]


def test_refused_credentials_stop_the_connection_and_are_not_tried_in_a_loop(mapped):
    mapped.psa.fail_next("unit_rows", "unauthorized", times=50)
    changed(mapped)
    run_until_quiet(mapped)
    assert Connection.objects.get().state == "unauthorized"
    assert len(mapped.psa.calls) == 1
    assert operation_of(mapped, "change_quantity").waiting_for == "new credentials of the connection"


def test_a_line_whose_creation_was_not_answered_is_found_by_its_key(desk):
    desk.psa.fail_next("create_line", "drop_after")
    desk.map()
    desk.drain()
    assert operation_of(desk).state == State.UNCERTAIN
    desk.clock.wait(5)
    desk.drain()
    desk.clock.wait(5)
    desk.drain()
    assert len(desk.psa.lines_of(100)) == 1
    assert operation_of(desk).state == State.SUCCEEDED


def test_a_line_that_was_never_created_is_created_after_the_quiet_time(desk):
    desk.psa.fail_next("create_line", "drop_before")
    desk.map()
    desk.drain()
    run_until_quiet(desk)
    assert len(desk.psa.lines_of(100)) == 1
    assert desk.units(DAY) == 10


def test_somebody_elses_edit_between_write_and_proof_is_shown(mapped):
    mapped.psa.meanwhile("adjust", lambda: mapped.psa.edit(mapped.line, date(2026, 5, 20), 20))
    operation = changed(mapped)
    assert operation.state == State.SUCCEEDED
    assert not operation.proof["matched"]
    assert operation.proof["foreign"] == [["2026-05-20", 8]]


def test_an_unanswered_write_beside_somebody_elses_edit_waits_for_a_person(mapped):
    from syncops.actions import decide_write

    mapped.psa.fail_next("adjust", "drop_before")
    changed(mapped)
    mapped.psa.edit(mapped.line, date(2026, 5, 20), 11)
    run_until_quiet(mapped)
    operation = operation_of(mapped, "change_quantity")
    assert (operation.state, operation.error_kind) == (State.HELD, "foreign_change")
    decide_write(operation, applied=False, reason="Looked at it", actor=mapped.cast.admin, now=mapped.clock.now)
    mapped.drain()
    assert mapped.units(DAY) == 12
    assert mapped.units(date(2026, 5, 20)) == 13


def test_a_second_change_on_a_date_that_the_far_side_refuses_goes_out_the_next_day(mapped):
    mapped.psa.same_date = "duplicate"
    changed(mapped, 12)
    operation = changed(mapped, 15)
    mapped.drain()
    operation.refresh_from_db()
    assert operation.state == State.SUCCEEDED
    assert mapped.adjustments() == [("2026-05-10", 2), ("2026-05-11", 3)]
    (gap,) = operation.shortfalls.all()
    assert (gap.starts_on, gap.ends_on, gap.units, gap.reason) == (DAY, DAY, 3, "same_date")


def test_what_was_given_up_stays_given_up(mapped):
    mapped.psa.same_date = "duplicate"
    changed(mapped, 12)
    changed(mapped, 15)
    mapped.drain()
    mapped.change_quantity(20, date(2026, 5, 25))
    mapped.drain()
    assert mapped.adjustments()[2:] == [("2026-05-25", 5)]


def test_a_worker_that_died_while_sending_leaves_something_to_prove_and_nothing_to_repeat(mapped, monkeypatch):
    class Killed(BaseException):
        pass

    def die():
        raise Killed

    mapped.psa.meanwhile("adjust", die)
    mapped.change_quantity(12)
    with pytest.raises(Killed):
        mapped.drain()
    assert Write.objects.latest("pk").state == Write.State.SENDING
    mapped.clock.wait(121)
    mapped.drain()
    mapped.clock.wait(2)
    mapped.drain()
    assert mapped.adjustments() == [("2026-05-10", 2)]
    assert operation_of(mapped, "change_quantity").state == State.SUCCEEDED


def test_a_worker_that_died_before_sending_is_replaced(mapped):
    mapped.change_quantity(12)
    mapped.claim("dead")
    mapped.drain()
    assert mapped.psa.applied == []
    mapped.clock.wait(121)
    mapped.drain()
    assert mapped.units(DAY) == 12


def test_only_one_of_two_workers_gets_a_stream(mapped):
    mapped.change_quantity(12)
    assert len(mapped.claim("one")) == 1
    assert mapped.claim("two") == []


def test_a_worker_that_lingered_past_its_lease_writes_nothing_back(mapped):
    mapped.change_quantity(12)
    (old,) = mapped.claim("slow")
    mapped.clock.wait(121)
    (new,) = mapped.claim("fresh")
    assert new.fence == old.fence + 1
    with pytest.raises(LostLease), held(old):
        pytest.fail("a stale claim was honoured")
    with held(new) as stream:
        assert stream.pk == Stream.objects.get().pk
