"""A decision about a group is carried out once, whoever dies or comes twice meanwhile."""

from datetime import timedelta

import pytest

from portal.far_side import Rejected
from syncops import actions, groups, tasks
from syncops.models import GroupDecision, SyncOperation, Write
from tests.syncops.desk import operation_of
from tests.syncops.stopped import stop_operations

State = SyncOperation.State


def decide(desk, verb="retry", **fields):
    asked = {"kind": "rejected", "words": "The PSA says no. No.", "actor": desk.cast.admin}
    asked |= {"seen_at": desk.clock.now, "now": desk.clock.now} | fields
    return groups.decide_group(verb, **asked)


def carry_out(desk, decision, budget_s=10.0):
    return groups.carry_out(decision.pk, clock=lambda: desk.clock.now, budget_s=budget_s)


def count(state):
    return SyncOperation.objects.filter(state=state).count()


def test_what_a_killed_worker_left_is_taken_up_where_it_was(desk, monkeypatch):
    stop_operations(desk, 6)
    decision = decide(desk)
    again = actions.queue_again

    def dies_at_the_third(operation, **fields):
        if count(State.QUEUED) == 2:
            raise KeyboardInterrupt
        return again(operation, **fields)

    with monkeypatch.context() as patch:
        patch.setattr(actions, "queue_again", dies_at_the_third)
        with pytest.raises(KeyboardInterrupt):
            carry_out(desk, decision)
    decision.refresh_from_db()
    assert (decision.done, count(State.QUEUED)) == (2, 2)
    assert carry_out(desk, decision) is False  # still its worker's
    desk.clock.wait(60)
    assert GroupDecision.objects.due(desk.clock.now).exists()
    assert carry_out(desk, decision) is True
    decision.refresh_from_db()
    assert (decision.done, decision.left_out, decision.due_at, count(State.QUEUED)) == (6, 0, None, 6)


def test_the_sweep_finds_a_decision_whose_message_was_lost(desk):
    stop_operations(desk, 3)
    decide(desk)
    assert tasks.due(desk.clock.now)
    tasks.work(desk.clock.now)
    assert not GroupDecision.objects.due(desk.clock.now + timedelta(days=1)).exists()
    assert count(State.FAILED) == 0


def test_what_failed_again_since_it_was_seen_is_not_tried_again(desk):
    stop_operations(desk, 3)
    decision = decide(desk, seen_at=desk.clock.now - timedelta(hours=2))
    assert decision is None
    assert count(State.FAILED) == 3


def test_another_reason_stays_where_it_is(desk):
    stop_operations(desk, 2)
    stop_operations(desk, 2, Rejected("Something else."))
    carry_out(desk, decide(desk))
    assert (count(State.QUEUED), count(State.FAILED)) == (2, 2)


def test_two_people_at_once_make_one_decision(desk):
    stop_operations(desk, 2)
    first = decide(desk)
    second = decide(desk, "dismiss", reason="No.", actor=desk.cast.billing)
    assert first == second
    carry_out(desk, first)
    assert count(State.QUEUED) == 2


def test_what_waits_for_a_decision_of_its_own_is_left_out(mapped):
    mapped.psa.fail_next("adjust", "reject")
    mapped.change_quantity(12)
    mapped.drain()
    operation = operation_of(mapped, "change_quantity")
    Write.objects.filter(operation=operation).update(state="unknown")
    decision = decide(mapped)
    carry_out(mapped, decision)
    decision.refresh_from_db()
    assert (decision.done, decision.left_out) == (0, 1)
    assert count(State.FAILED) == 1


def test_a_bug_at_one_operation_does_not_keep_the_others(desk, monkeypatch):
    first = stop_operations(desk, 3)[0]
    again = actions.queue_again

    def breaks(operation, **fields):
        if operation == first:
            raise RuntimeError("broken")
        return again(operation, **fields)

    monkeypatch.setattr(actions, "queue_again", breaks)
    decision = decide(desk)
    assert carry_out(desk, decision) is True
    decision.refresh_from_db()
    assert (decision.done, decision.left_out, count(State.FAILED)) == (2, 1, 1)


def test_retried_together_they_are_sent_and_proved(mapped):
    mapped.psa.fail_next("adjust", "reject")
    mapped.change_quantity(12)
    mapped.drain()
    mapped.clock.wait(1)
    carry_out(mapped, decide(mapped))
    mapped.drain()
    assert operation_of(mapped, "change_quantity").state == State.SUCCEEDED
    assert mapped.adjustments() == [("2026-05-10", 2)]
