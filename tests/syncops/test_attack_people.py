"""What people do at the wrong moment: retry, dismiss, decide, pause and retire."""

from datetime import date
from decimal import Decimal

import pytest

from connections.models import Connection
from portal.models import AuditEntry
from syncops import tasks
from syncops.actions import NotPossible, dismiss_operation, retry_operation
from syncops.models import Stream, SyncOperation
from tests.syncops.desk import operation_of
from tests.syncops.mishaps import change_of, choose, keep_looking

State = SyncOperation.State
DAY, LATE, TWENTIETH = date(2026, 5, 10), date(2026, 5, 15), date(2026, 5, 20)


def retry(desk, operation):
    retry_operation(operation, actor=desk.cast.admin, now=desk.clock.now)
    desk.drain()
    operation.refresh_from_db()


def dismiss(desk, operation):
    dismiss_operation(operation, reason="Not wanted.", actor=desk.cast.admin, now=desk.clock.now)


def never_ended():
    return list(AuditEntry.objects.filter(status="in_progress", ended_by=None).values_list("name", "subject"))


@pytest.fixture
def half_done(mapped):
    """12 from the 15th on failed after the first of its two adjustments; 15 from the 20th on is there."""
    mapped.change_quantity(15, TWENTIETH)
    mapped.drain()
    mapped.psa.fail_next("adjust", "reject", after=1, times=2)
    mapped.change_quantity(12, LATE)
    mapped.drain()
    keep_looking(mapped, minutes=1)
    assert change_of(mapped).state == State.FAILED
    assert mapped.units(LATE) == 12
    return mapped


def test_a_held_change_goes_to_the_next_open_period_once_a_person_retries_it(mapped):
    choose(mapped, posted_period="hold")
    mapped.psa.post_through(100, date(2026, 5, 31))
    mapped.change_quantity(12, TWENTIETH)
    mapped.drain()
    held = change_of(mapped)
    assert (held.state, held.error_kind) == (State.HELD, "posted_period")
    retry(mapped, held)
    assert held.state == State.SUCCEEDED
    assert mapped.adjustments() == [("2026-06-01", 2)]
    assert held.shortfalls.exists()


def test_a_retried_older_change_takes_nothing_from_a_newer_one_of_its_day(mapped):
    mapped.psa.fail_next("adjust", "reject")
    mapped.change_quantity(12)
    mapped.drain()
    older = change_of(mapped)
    mapped.change_quantity(15)
    mapped.drain()
    retry(mapped, older)
    assert mapped.units(DAY) == 15
    assert older.state == State.SUCCEEDED


def test_what_half_failed_is_taken_back_by_the_next_change_though_it_is_of_a_later_month(half_done):
    half_done.change_quantity(20, date(2026, 9, 10))
    half_done.drain()
    assert change_of(half_done).proof["matched"]
    assert [half_done.units(day) for day in (LATE, TWENTIETH, date(2026, 9, 10))] == [10, 15, 20]


def test_what_half_failed_and_is_posted_by_now_is_told_as_a_shortfall(half_done):
    half_done.psa.post_through(100, date(2026, 6, 30))
    half_done.change_quantity(20, date(2026, 9, 10))
    half_done.drain()
    assert [half_done.units(date(2026, month, 1)) for month in (6, 7)] == [17, 15]
    assert {gap.units for gap in change_of(half_done).shortfalls.all()} == {-2}


def test_a_change_waits_for_a_mapping_that_failed_and_brings_the_price_of_the_mapping(desk):
    desk.psa.fail_next("create_line", "reject")
    desk.map()
    desk.drain()
    desk.change_quantity(14)
    desk.drain()
    assert desk.psa.lines_of(100) == []
    assert change_of(desk).waiting_for == "“Map subscription” to be retried"
    assert change_of(desk).stream.due is not None
    retry(desk, operation_of(desk))
    assert desk.units(DAY) == 14
    assert desk.psa.rows(desk.line)[-1].price == Decimal(70)


def test_a_change_of_a_mapping_that_was_dismissed_needs_a_person(desk):
    desk.psa.fail_next("create_line", "reject")
    desk.map()
    desk.drain()
    desk.change_quantity(14)
    dismiss(desk, operation_of(desk))
    desk.drain()
    assert change_of(desk).state == State.FAILED
    assert "no line was begun" in change_of(desk).error
    assert desk.psa.lines_of(100) == []


def test_a_dismissed_operation_ends_what_its_audit_entry_began(mapped):
    mapped.psa.fail_next("unit_rows", "unavailable")
    mapped.change_quantity(12)
    mapped.drain()
    dismiss(mapped, change_of(mapped))
    assert never_ended() == []
    with pytest.raises(NotPossible):
        dismiss(mapped, change_of(mapped))


def test_an_operation_of_a_retired_connection_is_not_put_off_for_ever(mapped):
    Connection.objects.update(state="retired")
    mapped.change_quantity(12)
    mapped.drain()
    assert change_of(mapped).state == State.HELD
    assert Stream.objects.get().due is None
    retry(mapped, change_of(mapped))
    assert change_of(mapped).state == State.HELD
    assert never_ended() == []


@pytest.mark.parametrize("stopped", [{"state": "paused"}, {"state": "unauthorized"}])
def test_what_a_connection_stopped_goes_on_at_the_next_sweep_after_it_sends_again(mapped, stopped):
    Connection.objects.update(**stopped)
    mapped.change_quantity(12)
    mapped.drain()
    Connection.objects.update(state="active", mode="live")
    mapped.clock.wait(5)
    assert tasks.sweep(mapped.clock.now) == 1
    mapped.drain()
    assert mapped.units(DAY) == 12


def test_more_given_up_than_is_wanted_any_more_is_taken_back(mapped):
    mapped.psa.post_through(100, date(2026, 5, 31))
    mapped.change_quantity(30, TWENTIETH)
    mapped.drain()
    mapped.change_quantity(5, TWENTIETH)
    mapped.drain()
    gaps = change_of(mapped).stream.shortfalls.all()
    assert sum(gap.units for gap in gaps) == 5 - 10
    assert sum(gap.amount for gap in gaps) == Decimal("-9.68")  # 5 too many at 5.00 for 12 of 31 days


def test_a_late_change_behind_a_far_contract_end_is_not_blamed_for_it(mapped):
    from tests.fake_psa import a_contract

    mapped.change_quantity(15, date(2027, 11, 10))
    mapped.drain()
    mapped.psa.put_contract(a_contract(ends_on=date(2027, 10, 31)))
    mapped.connection.refresh_from_db()
    mapped.change_quantity(10, LATE)
    mapped.drain()
    assert change_of(mapped).state == State.SUCCEEDED
