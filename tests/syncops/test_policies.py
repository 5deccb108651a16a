"""What a person decided per connection, seen on the line."""

from datetime import date
from decimal import Decimal
from functools import partial

import pytest

from portal.models import AuditEntry
from syncops.actions import NotPossible, dismiss_operation, release_line, retry_operation
from syncops.models import SyncOperation
from tests.syncops.desk import TODAY

State = SyncOperation.State
MAY_12, MAY_15, MAY_20, MAY_31 = (date(2026, 5, day) for day in (12, 15, 20, 31))
JUNE_1 = date(2026, 6, 1)


def state_of(operation) -> str:
    operation.refresh_from_db()
    return operation.state


@pytest.fixture
def putting_back(mapped):
    mapped.decide(foreign_change="put_back")
    return mapped


def test_what_others_added_is_put_back_with_the_next_change(putting_back):
    putting_back.psa.edit(putting_back.line, MAY_12, 13)
    operation = putting_back.record("quantity_changed", MAY_15, quantity=12)
    putting_back.drain()
    assert state_of(operation) == State.SUCCEEDED
    assert [putting_back.units(day) for day in (TODAY, MAY_12, MAY_15, JUNE_1)] == [10, 10, 12, 12]


def test_what_others_add_while_a_change_is_sent_is_put_back_at_once(putting_back):
    putting_back.psa.meanwhile("adjust", lambda: putting_back.psa.edit(putting_back.line, MAY_20, 20))
    operation = putting_back.record("quantity_changed", MAY_15, quantity=12)
    putting_back.drain()
    assert state_of(operation) == State.SUCCEEDED
    assert operation.proof["matched"]
    assert [putting_back.units(day) for day in (MAY_15, MAY_20, JUNE_1)] == [12, 12, 12]


def test_who_changes_it_again_and_again_is_reported_not_fought(putting_back):
    for day in (20, 21, 22):
        edit = partial(putting_back.psa.edit, putting_back.line, date(2026, 5, day), 20)
        putting_back.psa.meanwhile("adjust", edit)
    operation = putting_back.record("quantity_changed", MAY_15, quantity=12)
    for _ in range(5):
        putting_back.drain()
    assert state_of(operation) == State.SUCCEEDED
    assert not operation.proof["matched"]


def test_what_lies_behind_the_contract_puts_nothing_back(putting_back):
    """Its run reads no row of the line at all, which says nothing about what the line shows."""
    putting_back.record("quantity_changed", date(2028, 1, 5), quantity=12)
    putting_back.drain()
    assert putting_back.psa.applied == []


def test_a_price_that_others_set_is_put_back(putting_back):
    putting_back.psa.edit(putting_back.line, MAY_12, 10, price=Decimal(9))
    putting_back.record("quantity_changed", MAY_15, quantity=12)
    putting_back.drain()
    prices = {row.starts_on: row.price / row.units for row in putting_back.psa.rows(putting_back.line) if row.units}
    assert set(prices.values()) == {Decimal(5)}


def test_what_others_did_to_posted_days_stays_and_is_no_shortfall_of_ours(putting_back):
    putting_back.psa.edit(putting_back.line, MAY_12, 13)
    putting_back.psa.post_through(100, MAY_31)
    operation = putting_back.record("quantity_changed", JUNE_1, quantity=12)
    putting_back.drain()
    assert state_of(operation) == State.SUCCEEDED
    assert [putting_back.units(day) for day in (MAY_20, JUNE_1)] == [13, 12]
    assert not operation.shortfalls.exists()


@pytest.fixture
def held(mapped):
    """A line that holds: its change of 15 May failed, the one of 20 May waits."""
    mapped.decide(after_failure="hold_line")
    mapped.psa.fail_next("adjust", "reject")
    mapped.record("quantity_changed", MAY_15, quantity=12)
    mapped.drain()
    mapped.record("quantity_changed", MAY_20, quantity=15)
    mapped.drain()
    return mapped


def waiting_one() -> SyncOperation:
    return SyncOperation.objects.get(effective_on=MAY_20)


def failed_one() -> SyncOperation:
    return SyncOperation.objects.get(effective_on=MAY_15)


def test_later_changes_wait_for_a_failed_one_and_say_so(held):
    assert (waiting_one().state, held.psa.applied) == (State.QUEUED, [])
    assert waiting_one().waiting_for == "“Change quantity” of 15\xa0May\xa02026 to be decided"


def test_an_older_change_does_not_wait_for_a_later_one_that_failed(held):
    older = held.record("quantity_changed", MAY_12, quantity=11)
    held.drain()
    assert state_of(older) == State.SUCCEEDED
    assert waiting_one().state == State.QUEUED


def test_retried_they_go_out_in_their_order(held):
    retry_operation(failed_one(), actor=held.cast.admin, now=held.clock.now)
    held.drain()
    assert {one.state for one in SyncOperation.objects.all()} == {State.SUCCEEDED}
    assert held.adjustments() == [("2026-05-15", 2), ("2026-05-20", 3)]


def test_dismissed_it_holds_nothing_any_more(held):
    dismiss_operation(failed_one(), reason="Not wanted.", actor=held.cast.admin, now=held.clock.now)
    held.drain()
    assert waiting_one().state == State.SUCCEEDED
    assert held.units(MAY_20) == 15


def test_released_with_a_reason_later_ones_go_on_and_it_still_needs_a_person(held):
    release_line(failed_one(), reason="The customer waits.", actor=held.cast.admin, now=held.clock.now)
    held.drain()
    assert (failed_one().state, waiting_one().state) == (State.FAILED, State.SUCCEEDED)
    assert AuditEntry.objects.get(name="Release Later Operations").asked == {"reason": "The customer waits."}
    with pytest.raises(NotPossible):
        release_line(waiting_one(), reason="Why not.", actor=held.cast.admin, now=held.clock.now)


def test_without_the_policy_later_changes_are_sent_all_the_same(mapped):
    mapped.psa.fail_next("adjust", "reject")
    mapped.record("quantity_changed", MAY_15, quantity=12)
    mapped.drain()
    mapped.record("quantity_changed", MAY_20, quantity=15)
    mapped.drain()
    assert (failed_one().state, waiting_one().state) == (State.FAILED, State.SUCCEEDED)


def test_a_burst_within_the_minutes_to_settle_becomes_one_adjustment(mapped):
    mapped.decide(settle_minutes=5)
    for quantity in (11, 13, 12):
        mapped.record("quantity_changed", MAY_15, quantity=quantity)
    mapped.drain()
    assert mapped.psa.applied == []
    mapped.clock.wait(301)
    mapped.drain()
    assert mapped.adjustments() == [("2026-05-15", 2)]
    states = list(SyncOperation.objects.filter(effective_on=MAY_15).order_by("pk").values_list("state", flat=True))
    assert states == [State.SUPERSEDED, State.SUPERSEDED, State.SUCCEEDED]


def test_a_price_may_go_by_zero_and_back(mapped):
    from portal.models import MarginRule

    mapped.decide(price_change="zero_and_restore")
    MarginRule.objects.create(
        organization=mapped.cast.csp, subscription=mapped.subscription, kind="markup", percent=Decimal(50)
    )
    operation = mapped.record("price_changed", MAY_20)
    mapped.drain()
    assert state_of(operation) == State.SUCCEEDED
    assert [(one.unit_change, one.price) for one in mapped.psa.applied] == [(-10, None), (10, Decimal(6))]
