"""A person moves a subscription to another contract: both lines on one day, and nothing lost on the way."""

from datetime import date, timedelta

import pytest

from connections.models import MirroredContract
from mappings.models import SubscriptionMapping
from portal.audit import Actor, breaks
from portal.models import AuditEntry
from syncops.actions import NotPossible, Refused
from syncops.models import SyncOperation
from syncops.move_preview import preview_move, read_move
from syncops.remapping import move_mapping
from tests.fake_psa import a_contract
from tests.mappings.mirror import contract_row

MAY_10, MAY_12, MAY_15, MAY_20 = (date(2026, 5, day) for day in (10, 12, 15, 20))
State = SyncOperation.State


@pytest.fixture
def moving(mapped):
    """Ten days later, with another contract of the company."""
    mapped.today += timedelta(days=10)
    mapped.psa.put_contract(a_contract(101, "Successor", starts_on=date(2026, 5, 1)))
    contract_row(mapped.connection, 101, "Successor", starts_on=date(2026, 5, 1))
    return mapped


def weigh(desk, day, mapping=None, **fields):
    mapping = mapping or SubscriptionMapping.objects.open().select_related("connection__organization").get()
    choice = desk.choice(contract_id=101, **fields)
    return mapping, choice, read_move(mapping, choice, desk.psa)


def preview(desk, day=MAY_20, to_zero=True, **fields):
    mapping, choice, found = weigh(desk, day, **fields)
    return preview_move(mapping, choice, found, day=day, to_zero=to_zero, today=desk.today)


def move(desk, day=MAY_20, to_zero=True, mapping=None, **fields):
    mapping, choice, found = weigh(desk, day, mapping, **fields)
    how = {"actor": Actor.user(desk.cast.admin), "today": desk.today, "now": desk.clock.now}
    return move_mapping(mapping, choice, found, day=day, to_zero=to_zero, **how)


def seats(desk, *days):
    old, new = SubscriptionMapping.objects.order_by("pk")
    return [(desk.psa.units_on(old.line_id, day), desk.psa.units_on(new.line_id, day)) for day in days]


def test_the_new_line_goes_up_and_the_old_one_to_zero_on_one_day_in_that_order(moving):
    move(moving)
    moving.drain()
    assert seats(moving, MAY_15, MAY_20) == [(10, 0), (0, 10)]
    assert [one.unit_change for one in moving.psa.applied] == [10, -10]
    assert not SyncOperation.objects.exclude(state=State.SUCCEEDED)
    assert AuditEntry.objects.filter(name="Move Subscription To Another Contract").count() == 1
    assert list(breaks(moving.cast.csp)) == []


def test_the_old_line_keeps_its_units_until_the_new_ones_are_proved(moving):
    moving.psa.fail_next("adjust", "reject")
    move(moving)
    moving.drain()
    assert moving.psa.applied == []
    assert SyncOperation.objects.get(kind="end_mapping").state == State.QUEUED


def test_both_lines_are_shown_in_money_before(moving):
    seen = preview(moving)
    assert [(one.effective, one.unit_change) for one in seen.put.adjustments] == [(MAY_20, 10)]
    assert [(one.effective, one.unit_change) for one in seen.taken.adjustments] == [(MAY_20, -10)]
    gained = [bill.after - bill.before for bill in seen.put.bills]
    lost = [bill.before - bill.after for bill in seen.taken.bills]
    assert gained == lost
    assert gained[0] > 0
    assert moving.psa.applied == []


def test_left_alone_the_old_line_goes_on_and_nothing_is_planned_for_it(moving):
    assert preview(moving, to_zero=False).taken is None
    move(moving, to_zero=False)
    moving.drain()
    assert seats(moving, MAY_20) == [(10, 10)]


def test_the_price_that_the_line_has_goes_along(moving):
    before = moving.psa.rows(moving.line)[-1]
    moving.subscription.list_price = 77
    moving.subscription.save(update_fields=["list_price"])
    move(moving)
    moving.drain()
    assert moving.psa.rows(moving.line)[-1].price == before.price


def test_what_was_not_sent_yet_goes_along_and_follows_on_the_new_line(moving):
    moving.change_quantity(15, MAY_20)
    moving.change_quantity(17, date(2026, 6, 1))
    move(moving)
    moving.drain()
    assert seats(moving, MAY_15, MAY_20, date(2026, 6, 1)) == [(10, 0), (0, 15), (0, 17)]
    assert not SyncOperation.objects.exclude(state=State.SUCCEEDED)


def test_what_failed_behind_the_end_of_the_old_contract_is_sent_to_the_new_one(moving):
    ended = MirroredContract.objects.get(remote_id=100)
    moving.psa.put_contract(a_contract(ends_on=MAY_15))
    MirroredContract.objects.filter(pk=ended.pk).update(ends_on=MAY_15)
    moving.change_quantity(12, MAY_20)
    moving.drain()
    assert SyncOperation.objects.get(kind="change_quantity").error_kind == "beyond_contract"
    move(moving, date(2026, 5, 16))
    moving.drain()
    assert seats(moving, MAY_15, date(2026, 5, 16), MAY_20) == [(10, 0), (10, 10), (10, 12)]  # it ended by itself
    assert not SyncOperation.objects.filter(kind="end_mapping")
    assert not SyncOperation.objects.exclude(state=State.SUCCEEDED)


def test_a_late_change_is_replayed_on_the_line_that_was_valid_on_its_date(moving):
    move(moving)
    moving.drain()
    moving.change_quantity(14, MAY_12)
    moving.drain()
    assert seats(moving, MAY_12, MAY_20) == [(14, 0), (0, 14)]


def test_a_line_that_is_there_is_asked_about_and_taken_over_without_a_second_one(moving):
    there = moving.psa.add_line(101, 10, units=10, since=MAY_20)
    seen = preview(moving)
    assert seen.needs_line_choice
    assert [(one.line_id, one.units) for one in seen.existing_lines] == [(there, 10)]
    with pytest.raises(Refused):
        move(moving)
    move(moving, adopt_line_id=there)
    moving.drain()
    assert moving.line == there
    assert [one.unit_change for one in moving.psa.applied if one.line_id == there] in ([], [0])
    assert moving.units(MAY_20) == 10


def test_moved_back_its_own_line_is_found_again(moving):
    move(moving)
    moving.drain()
    mapping = SubscriptionMapping.objects.open().select_related("connection__organization").get()
    choice = moving.choice(contract_id=100)
    moving.today += timedelta(days=5)
    found = read_move(mapping, choice, moving.psa)
    how = {"day": moving.today, "to_zero": True, "today": moving.today}
    seen = preview_move(mapping, choice, found, **how)
    assert not seen.existing_lines
    assert [one.unit_change for one in seen.put.adjustments] == [10]
    move_mapping(mapping, choice, found, actor=Actor.user(moving.cast.admin), now=moving.clock.now, **how)
    moving.drain()
    first, second, third = SubscriptionMapping.objects.order_by("pk")
    assert third.line_id == first.line_id
    assert [moving.psa.units_on(one.line_id, moving.today) for one in (second, third)] == [0, 10]


def test_a_second_click_gives_what_the_first_began(moving):
    mapping = SubscriptionMapping.objects.get()
    first = move(moving, mapping=mapping)
    assert move(moving, mapping=mapping) == first
    assert SubscriptionMapping.objects.count() == 2


@pytest.mark.parametrize("day", [date(2026, 5, 9), date(2026, 5, 21)])
def test_a_day_that_was_not_billed_there_is_refused(moving, day):
    with pytest.raises(NotPossible, match="Choose a day"):
        move(moving, day)


def test_a_day_before_the_last_change_is_refused(moving):
    moving.change_quantity(12, MAY_15)
    moving.drain()
    with pytest.raises(NotPossible, match="changed the line"):
        move(moving, MAY_12)


def test_a_contract_that_starts_later_is_refused(moving):
    moving.psa.put_contract(a_contract(101, "Successor", starts_on=date(2026, 6, 1)))
    with pytest.raises(Refused, match="starts on"):
        move(moving)


@pytest.mark.parametrize("fault", ["drop_before", "drop_after"])
@pytest.mark.parametrize("after", [0, 1])
def test_a_lost_answer_on_either_line_ends_with_the_same_seats(moving, fault, after):
    moving.psa.fail_next("adjust", fault, after=after)
    move(moving)
    for _ in range(30):
        moving.drain()
        moving.clock.wait(60)
    assert seats(moving, MAY_15, MAY_20) == [(10, 0), (0, 10)]
    assert len(moving.psa.applied) == 2
