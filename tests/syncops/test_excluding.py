"""Units of a subscription are left out, and taken in again: on the line, on the next one, and in what is recorded."""

from datetime import date, timedelta

import pytest
from django.db import IntegrityError, transaction

from mappings.exclusions import StillBilled, leave_out, take_in
from mappings.models import Exclusion, SubscriptionMapping
from portal.audit import Actor, breaks
from portal.models import AuditEntry
from syncops.actions import NotPossible, Refused
from syncops.bulk_mapping import candidates, mappable
from syncops.ending import end_mapping
from syncops.excluding import exclude_units, money_left_out, preview_exclusion
from syncops.models import SyncOperation
from syncops.undoing import why_not as why_not_undone
from tests.syncops.desk import NOON
from tests.syncops.test_remapping import MAY_15, MAY_20, moving, seats  # noqa: F401
from tests.syncops.test_remapping import move as move_on

MAY_12, JUNE_1 = date(2026, 5, 12), date(2026, 6, 1)


def exclude(desk, units, day=MAY_12, why="Our own people"):
    mapping = SubscriptionMapping.objects.open().select_related("connection", "subscription").get()
    made = exclude_units(mapping, units=units, day=day, why=why, actor=Actor.user(desk.cast.admin), now=desk.clock.now)
    desk.drain()
    return made


def test_fewer_are_billed_from_the_day_on_and_everything_is_recorded(mapped):
    assert exclude(mapped, 3).kind == "exclude_units"
    assert [mapped.units(day) for day in (mapped.today, MAY_12, JUNE_1)] == [10, 7, 7]
    entry = AuditEntry.objects.get(name="Leave Units Of Subscription Out")
    assert (entry.asked["units"], entry.asked["reason"]) == (3, "Our own people")
    assert list(breaks(mapped.cast.csp)) == []


def test_what_changes_later_or_late_is_fewer_as_well(mapped):
    exclude(mapped, 3)
    mapped.change_quantity(15, MAY_20)
    mapped.drain()
    mapped.change_quantity(2, date(2026, 5, 11))
    mapped.drain()
    assert [mapped.units(day) for day in (mapped.today, date(2026, 5, 11), MAY_12, MAY_20)] == [10, 2, 0, 12]


def test_it_is_taken_back_from_a_day_or_altogether_and_a_second_click_does_nothing(mapped):
    exclude(mapped, 3)
    assert exclude(mapped, 3) is None
    exclude(mapped, 0, MAY_20)
    assert [mapped.units(day) for day in (MAY_12, MAY_20)] == [7, 10]
    assert exclude(mapped, 0, MAY_20) is None
    exclude(mapped, 2, MAY_12)
    exclude(mapped, 0, MAY_12)
    assert [mapped.units(day) for day in (MAY_12, MAY_20)] == [10, 10]
    assert not Exclusion.objects.open().exists()
    assert SyncOperation.objects.exclude(state="succeeded").count() == 0


@pytest.mark.parametrize(
    ("units", "day", "words"),
    [
        (3, date(2026, 5, 9), "Choose a day from the first one billed here"),
        (3, date(2028, 1, 1), "to the contract's last"),
        (0, MAY_12, "All of its units are billed already"),
    ],
)
def test_what_cannot_be_says_why(mapped, units, day, words):
    with pytest.raises(NotPossible, match=words):
        exclude(mapped, units, day)
    assert not Exclusion.objects.exists()


def test_the_preview_is_what_is_sent(mapped, monkeypatch):
    monkeypatch.setattr("syncops.preview.psa_for", lambda connection: mapped.psa)
    mapping = SubscriptionMapping.objects.select_related("connection", "subscription").get()
    seen = preview_exclusion(mapping, 3, MAY_12, today=mapped.today)
    assert [(str(one.effective), one.unit_change) for one in seen.adjustments] == [("2026-05-12", -3)]
    assert all(bill.after < bill.before for bill in seen.bills)
    exclude(mapped, 3)
    assert mapped.adjustments() == [("2026-05-12", -3)]
    held = Exclusion.objects.get()
    assert money_left_out(mapping, held, MAY_12) == 3 * seen.bills[-1].before / 10


def test_a_move_takes_along_what_is_left_out(moving):  # noqa: F811
    exclude(moving, 3)
    move_on(moving, MAY_20)
    moving.drain()
    moving.change_quantity(8, MAY_20)
    moving.drain()
    assert seats(moving, MAY_15, MAY_20) == [(7, 0), (0, 5)]


def test_a_subscription_that_is_mapped_again_still_has_fewer(mapped):
    exclude(mapped, 3)
    mapping = SubscriptionMapping.objects.select_related("connection").get()
    who = {"actor": Actor.user(mapped.cast.admin), "now": NOON + timedelta(days=3)}
    end_mapping(mapping, day=MAY_12, set_to_zero=True, today=MAY_15, **who)
    mapped.drain()
    mapped.today = MAY_15
    mapped.map(add_beside=True)
    mapped.drain()
    assert mapped.units(MAY_15) == 7


def test_its_operation_is_not_undone_behind_its_back(mapped):
    assert "how many units are left out" in why_not_undone(SyncOperation.objects.get(pk=exclude(mapped, 3).pk))


def test_a_subscription_that_is_left_out_is_not_mapped_by_anybody(desk):
    who = {"actor": Actor.user(desk.cast.admin), "today": desk.today, "now": desk.clock.now}
    leave_out(desk.subscription, why="A gift", **who)
    leave_out(desk.subscription, why="A gift", **who)
    with pytest.raises(Refused, match="is left out: A gift"):
        desk.map()
    (one,) = candidates(desk.connection, list(mappable(desk.connection)), since="today", today=desk.today)
    assert one.reasons[0].code == "left_out"
    take_in(desk.subscription, **who)
    take_in(desk.subscription, **who)
    names = AuditEntry.objects.filter(name__contains="Subscription").values_list("name", flat=True)
    assert list(names.order_by("sequence")) == ["Leave Subscription Out", "Take Subscription In Again"]
    desk.map()
    with pytest.raises(StillBilled, match="is billed on Microsoft 365"):
        leave_out(desk.subscription, why="A gift", **who)


def test_the_database_keeps_what_must_hold(mapped):
    exclude(mapped, 3)
    held = Exclusion.objects.get()
    for fields in ({}, {"units": 0, "ends_before": MAY_20}, {"reason": ""}, {"ends_before": mapped.today}):
        wrong = {"subscription": held.subscription, "units": 1, "starts_on": MAY_12, "reason": "x", "created_at": NOON}
        with pytest.raises(IntegrityError), transaction.atomic():
            Exclusion.objects.create(**(wrong | fields))
