"""A far side that lies, loses, refuses and repeats: nothing is written twice, nothing is tried for ever."""

from datetime import date

import pytest

from connections.psa.errors import Why
from connections.psa.types import AdjustmentRequest
from portal.far_side import Rejected
from syncops.actions import decide_write, retry_operation
from syncops.models import SyncOperation, Write
from tests.syncops.desk import operation_of
from tests.syncops.mishaps import asked, change_of, choose, keep_looking

State = SyncOperation.State
DAY = date(2026, 5, 10)
LATE = date(2026, 5, 15)
TWENTIETH = date(2026, 5, 20)


@pytest.fixture
def grown(mapped):
    """A line of 10 with 15 from the 20th on: a change before that day needs two adjustments."""
    mapped.change_quantity(15, TWENTIETH)
    mapped.drain()
    mapped.psa.applied.clear()
    return mapped


def test_a_date_that_is_taken_for_the_second_adjustment_alone_is_made_good_the_day_after(grown):
    grown.psa.applied.append(AdjustmentRequest(grown.line, TWENTIETH, 5))
    grown.psa.same_date = "duplicate"
    grown.psa.fail_next("unit_rows", "stale", after=1)
    grown.change_quantity(12, LATE)
    grown.drain()
    keep_looking(grown, minutes=1)
    assert change_of(grown).state == State.SUCCEEDED
    assert [grown.units(date(2026, 5, day)) for day in (15, 20, 21)] == [12, 17, 15]
    assert [gap.units for gap in change_of(grown).shortfalls.all()] == [-2]


def test_a_taken_date_that_is_to_be_held_is_held_once_what_was_sent_is_proved(grown):
    choose(grown, same_date="hold")
    grown.psa.applied.append(AdjustmentRequest(grown.line, TWENTIETH, 5))
    grown.psa.same_date = "duplicate"
    grown.change_quantity(12, LATE)
    grown.drain()
    keep_looking(grown, minutes=1)
    assert change_of(grown).state == State.HELD
    assert not Write.objects.filter(state__in=Write.UNPROVED)


def test_a_far_side_that_takes_no_date_at_all_is_not_tried_day_after_day_for_ever(mapped, monkeypatch):
    def refuse(request):
        mapped.psa.calls.append(("adjust", request))
        raise Rejected("Taken.", context={"why": Why.DUPLICATE_DATE.value})

    monkeypatch.setattr(mapped.psa, "adjust", refuse)
    mapped.change_quantity(12)
    mapped.drain()
    assert change_of(mapped).state == State.FAILED
    assert asked(mapped, "adjust") == 8


def test_two_lines_with_our_key_need_a_person_even_while_a_create_is_unanswered(desk):
    desk.psa.fail_next("create_line", "drop_after")
    desk.map()
    desk.drain()
    second = desk.psa.add_line(100, 10, key="SUB-1")
    keep_looking(desk, minutes=1)
    assert operation_of(desk).state == State.HELD
    assert "carry the key" in operation_of(desk).error
    del desk.psa._lines[second]
    decide_write(operation_of(desk), applied=True, reason="Seen.", actor=desk.cast.admin, now=desk.clock.now)
    desk.drain()
    assert desk.units(DAY) == 10
    assert asked(desk, "create_line") == 1


def test_a_line_that_was_accepted_and_never_shows_is_not_created_again_and_again(desk):
    desk.psa.fail_next("create_line", "swallow", times=10)
    desk.map()
    desk.drain()
    keep_looking(desk, minutes=30)
    assert (operation_of(desk).state, operation_of(desk).error_kind) == (State.FAILED, "accepted_not_applied")
    assert asked(desk, "create_line") == 1


def test_a_write_that_never_arrives_is_repeated_a_bounded_number_of_times(mapped):
    mapped.psa.fail_next("adjust", "drop_before", times=100)
    mapped.change_quantity(12)
    keep_looking(mapped, minutes=90)
    assert (change_of(mapped).state, change_of(mapped).error_kind) == (State.FAILED, "unavailable")
    assert asked(mapped, "adjust") == 6


def test_what_shows_late_is_found_by_a_retry_and_not_sent_again(mapped):
    mapped.psa.fail_next("adjust", "swallow")
    mapped.change_quantity(12)
    keep_looking(mapped)
    mapped.change_quantity(20, date(2026, 6, 10))
    mapped.drain()
    mapped.psa.adjust(AdjustmentRequest(mapped.line, DAY, 2))
    failed = SyncOperation.objects.get(error_kind="accepted_not_applied")
    retry_operation(failed, actor=mapped.cast.admin, now=mapped.clock.now)
    mapped.drain()
    failed.refresh_from_db()
    assert failed.state == State.SUCCEEDED
    assert [mapped.units(DAY), mapped.units(date(2026, 6, 10))] == [12, 20 + 2 - 2]


def test_what_still_does_not_show_is_sent_again_by_a_retry(mapped):
    mapped.psa.fail_next("adjust", "swallow")
    mapped.change_quantity(12)
    keep_looking(mapped)
    retry_operation(change_of(mapped), actor=mapped.cast.admin, now=mapped.clock.now)
    mapped.drain()
    assert change_of(mapped).state == State.SUCCEEDED
    assert mapped.adjustments() == [("2026-05-10", 2)]


def test_an_edit_by_somebody_else_does_not_hide_that_our_own_change_is_missing(mapped):
    mapped.psa.fail_next("adjust", "swallow")
    mapped.psa.meanwhile("adjust", lambda: mapped.psa.edit(mapped.line, TWENTIETH, 11))
    mapped.change_quantity(12)
    keep_looking(mapped)
    assert (change_of(mapped).state, change_of(mapped).error_kind) == (State.FAILED, "accepted_not_applied")


def test_a_write_without_an_answer_is_not_taken_for_applied_because_all_is_posted_meanwhile(mapped):
    mapped.psa.fail_next("adjust", "drop_before")
    mapped.change_quantity(12)
    mapped.drain()
    mapped.psa.post_through(100, date(2027, 12, 31))
    keep_looking(mapped)
    assert change_of(mapped).writes.get().state == "not_applied"
    assert sum(gap.units for gap in change_of(mapped).shortfalls.all()) == 40  # 2 in each of 20 periods


def test_a_decision_about_the_unanswered_write_leaves_the_accepted_one_alone(grown):
    grown.psa.fail_next("adjust", "drop_before", after=1)
    grown.psa.meanwhile("adjust", lambda: grown.psa.edit(grown.line, date(2026, 6, 1), 30))
    grown.change_quantity(12, LATE)
    keep_looking(grown)
    held = change_of(grown)
    assert held.state == State.HELD
    decide_write(held, applied=False, reason="Not there.", actor=grown.cast.admin, now=grown.clock.now)
    grown.drain()
    assert [grown.units(LATE), grown.units(TWENTIETH)] == [12, 15]
