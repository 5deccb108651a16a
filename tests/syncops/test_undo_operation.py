"""What succeeded is taken back: the line goes back, once, and never into what is posted."""

from datetime import date
from decimal import Decimal

import pytest
from django.urls import reverse

from connections import registry
from portal.models import AuditEntry
from syncops.actions import NotPossible, dismiss_operation
from syncops.models import Shortfall, SyncOperation
from syncops.undoing import preview_undo, undo_operation
from tests.syncops.desk import operation_of
from tests.syncops.late import MAY_31, charge, late_change
from tests.syncops.mishaps import Killed, change_of, die, keep_looking
from tests.syncops.test_mending_views import seen

State = SyncOperation.State
MAY_10, MAY_15, MAY_20 = date(2026, 5, 10), date(2026, 5, 15), date(2026, 5, 20)


@pytest.fixture
def changed(mapped):
    mapped.change_quantity(12, MAY_15)
    mapped.drain()
    mapped.psa.applied.clear()
    return mapped


def undo(desk, operation):
    return undo_operation(operation, actor=desk.cast.admin, now=desk.clock.now)


def done(desk, operation):
    undoing = undo(desk, operation)
    desk.drain()
    undoing.refresh_from_db()
    return undoing


def rows(desk):
    return [(row.starts_on, row.units, row.price, row.cost) for row in desk.psa.rows(desk.line) if row.units]


def test_a_quantity_goes_back_to_what_it_was(changed):
    undoing = done(changed, change_of(changed))
    assert undoing.state == State.SUCCEEDED
    assert changed.adjustments() == [("2026-05-15", -2)]
    assert changed.units(MAY_20) == 10
    assert change_of(changed).undone_by == undoing


def test_the_preview_says_what_that_sends_and_bills_and_sends_nothing(changed):
    seen_now = preview_undo(change_of(changed), changed.psa, today=changed.today)
    assert [(one.effective, one.unit_change, one.lands_in) for one in seen_now.adjustments] == [(MAY_15, -2, "open")]
    this = seen_now.bills[0]
    assert this.after - this.before == Decimal("-5.48")  # 2 x 5.00 x 17/31
    assert not changed.psa.applied


def test_what_was_done_later_stays(changed):
    first = change_of(changed)
    changed.change_quantity(15, MAY_20)
    changed.drain()
    done(changed, first)
    assert [changed.units(day) for day in (MAY_10, MAY_15, MAY_20)] == [10, 10, 15]


def test_a_price_goes_back_to_what_it_was(mapped):
    before = rows(mapped)
    mapped.record("price_changed", MAY_15, erp=Decimal("6.10"))
    mapped.drain()
    assert rows(mapped) != before
    done(mapped, operation_of(mapped, "change_price"))
    mended = {(start, units, price) for start, units, price, _ in rows(mapped)}
    assert {(start, units, price) for start, units, price, _ in before} <= mended


def test_a_mapping_that_is_undone_leaves_no_units_and_takes_no_changes(mapped):
    undoing = done(mapped, operation_of(mapped))
    assert undoing.state == State.SUCCEEDED
    assert not rows(mapped)
    mapped.change_quantity(14, MAY_20)
    mapped.drain()
    assert (change_of(mapped).state, change_of(mapped).error_kind) == (State.FAILED, "no_line")
    assert not rows(mapped)


def test_a_line_that_was_taken_over_goes_back_to_what_it_showed(desk):
    line = desk.psa.add_line(100, 10, units=3, since=date(2026, 1, 1), price=Decimal(7))
    desk.map(adopt_line_id=line)
    desk.drain()
    assert desk.units(MAY_20) == 10
    done(desk, operation_of(desk))
    assert {units for _, units, _, _ in rows(desk)} == {3}
    assert {price for _, _, price, _ in rows(desk)} == {Decimal(21)}


def test_a_mapping_is_undone_after_what_builds_on_it(changed):
    with pytest.raises(NotPossible, match="Undo those first"):
        undo(changed, operation_of(changed))
    done(changed, change_of(changed))
    assert done(changed, operation_of(changed)).state == State.SUCCEEDED
    assert not rows(changed)


def test_an_undo_is_undone(changed):
    before = rows(changed)
    first = done(changed, change_of(changed))
    second = done(changed, first)
    assert second.state == State.SUCCEEDED
    assert {row[:2] for row in before} <= {row[:2] for row in rows(changed)}
    assert changed.units(MAY_20) == 12
    assert not change_of(changed).is_undone


def test_an_undone_mapping_comes_back_with_its_undo_undone(mapped):
    first = done(mapped, operation_of(mapped))
    assert done(mapped, first).state == State.SUCCEEDED
    assert mapped.units(MAY_20) == 10
    assert rows(mapped)[0][2] == Decimal(50)


def test_what_others_added_stays(changed):
    changed.psa.edit(changed.line, MAY_20, 13)
    done(changed, change_of(changed))
    assert [changed.units(day) for day in (MAY_15, MAY_20)] == [10, 11]


def test_a_second_click_gives_the_undo_that_the_first_began(changed):
    assert undo(changed, change_of(changed)) == undo(changed, change_of(changed))
    changed.drain()
    assert undo(changed, change_of(changed)).state == State.SUCCEEDED
    assert changed.units(MAY_20) == 10


def test_posted_days_are_not_undone(changed):
    changed.psa.post_through(100, MAY_31)
    assert (
        "15\xa0May\xa02026 to 31\xa0May\xa02026"
        in preview_undo(change_of(changed), changed.psa, today=changed.today).problem
    )


def test_days_that_are_posted_before_the_worker_comes_are_not_undone(changed):
    undoing = undo(changed, change_of(changed))
    changed.psa.post_through(100, MAY_31)
    changed.drain()
    undoing.refresh_from_db()
    assert (undoing.state, undoing.error_kind) == (State.FAILED, "posted_since")
    assert not Shortfall.objects.exists()
    assert not changed.psa.applied
    dismiss_operation(undoing, reason="Too late.", actor=changed.cast.admin, now=changed.clock.now)
    assert not change_of(changed).is_undone
    assert undo(changed, change_of(changed)) != undoing


def test_a_shortfall_is_taken_back_with_the_change_that_left_it(mapped):
    operation = late_change(mapped)
    done(mapped, operation)
    assert [(gap.units, gap.amount) for gap in Shortfall.objects.order_by("pk")] == [
        (2, Decimal("3.87")),
        (-2, Decimal("-3.87")),
    ]
    assert {units for _, units, _, _ in rows(mapped)} == {10}


def test_a_charge_is_not_undone_and_a_failure_neither(mapped):
    late_change(mapped)
    charge(mapped)
    mapped.drain()
    with pytest.raises(NotPossible, match="deleted or credited"):
        undo(mapped, operation_of(mapped, "charge_shortfall"))
    mapped.psa.fail_next("adjust", "reject")
    mapped.change_quantity(20, mapped.today)
    mapped.drain()
    with pytest.raises(NotPossible, match="only what succeeded"):
        undo(mapped, change_of(mapped))


@pytest.mark.parametrize("fault", ["drop_before", "drop_after", "unavailable"])
def test_whatever_becomes_of_the_answer_it_is_undone_once(changed, fault):
    undo(changed, change_of(changed))
    changed.psa.fail_next("adjust", fault)
    changed.drain()
    keep_looking(changed)
    assert changed.units(MAY_20) == 10
    assert len(changed.psa.applied) == 1


def test_a_killed_worker_undoes_once(changed):
    undo(changed, change_of(changed))
    changed.psa.meanwhile("adjust", die)
    with pytest.raises(Killed):
        changed.drain()
    changed.clock.wait(121)
    keep_looking(changed)
    assert changed.units(MAY_20) == 10
    assert len(changed.psa.applied) == 1


def test_the_undo_is_in_the_audit_log_beside_what_it_takes_back(changed):
    done(changed, change_of(changed))
    [ended] = AuditEntry.objects.filter(name="Undo Operation", status="succeeded")
    assert ended.asked["undoes"] == change_of(changed).pk
    assert ended.actor_label == changed.cast.admin.email


@pytest.fixture
def page(changed, monkeypatch, time_machine):
    monkeypatch.setitem(registry.PSAS, "autotask", lambda connection, **how: changed.psa)
    time_machine.move_to(changed.clock.now, tick=False)
    return reverse("syncops:operation_undo", args=[change_of(changed).pk])


def test_the_page_previews_and_undoes_and_says_so_afterwards(page, changed, as_user):
    client = as_user(changed.cast.billing)
    assert page in client.get(change_of(changed).get_absolute_url()).content.decode()
    shown = client.get(page)
    first, second = (client.post(page, {"seen": seen(shown)}) for _ in range(2))
    undoing = SyncOperation.objects.get(kind="undo")
    assert first.url == second.url == undoing.get_absolute_url()
    changed.drain()
    text = client.get(change_of(changed).get_absolute_url()).content.decode()
    assert "It was undone" in text
    assert undoing.get_absolute_url() in text
    assert page not in text
    text = client.get(undoing.get_absolute_url()).content.decode()
    assert "It takes back" in text
    assert "As previewed" in text


def test_what_others_did_since_the_preview_shows_beside_the_proof(page, changed, as_user):
    client = as_user(changed.cast.billing)
    client.post(page, {"seen": seen(client.get(page))})
    changed.psa.edit(changed.line, MAY_20, 14)
    changed.drain()
    undoing = SyncOperation.objects.get(kind="undo")
    assert [one["unit_change"] for one in undoing.preview["adjustments"]] == [-2]
    assert "Differs" in client.get(undoing.get_absolute_url()).content.decode()


def test_the_page_says_why_it_cannot_be_undone(page, changed, as_user):
    changed.psa.post_through(100, MAY_31)
    text = as_user(changed.cast.billing).get(page).content.decode()
    assert "It cannot be undone." in text
    assert "Undo it" not in text


def test_what_was_not_seen_so_is_not_undone(page, changed, as_user):
    assert as_user(changed.cast.billing).post(page, {"seen": "x"}).status_code == 422
    assert not SyncOperation.objects.filter(kind="undo").exists()


def test_only_who_may_decide_undoes_and_nothing_of_others(page, changed, as_user):
    assert as_user(changed.cast.reader).post(page).status_code == 403
    assert as_user(changed.cast.stranger).get(page).status_code == 404
