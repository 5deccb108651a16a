"""One operation from its confirmation to its proof."""

from datetime import date
from decimal import Decimal

from portal.models import AuditEntry
from syncops.models import SyncOperation, Write
from tests.syncops.desk import operation_of

State = SyncOperation.State
DAY = date(2026, 5, 10)


def test_a_mapped_subscription_becomes_a_line_with_its_units_and_price(desk):
    desk.map()
    desk.drain()
    row = next(row for row in desk.psa.rows(desk.line) if row.starts_on == DAY)
    assert (row.units, row.price, row.cost) == (10, Decimal("50.00"), Decimal("40.00"))
    assert desk.units(date(2026, 5, 9)) == 0
    assert desk.adjustments() == [("2026-05-10", 10)]


def test_the_line_carries_the_subscription_id_as_its_key(desk):
    desk.map()
    desk.drain()
    (line,) = desk.psa.lines_of(100)
    assert line.key == "SUB-1"


def test_the_proof_holds_what_was_expected_and_what_was_found(desk):
    desk.map()
    desk.drain()
    operation = operation_of(desk)
    assert operation.state == State.SUCCEEDED
    assert operation.proof["matched"]
    assert operation.proof["expected"] == operation.proof["found"]
    assert operation.finished_at == desk.clock.now


def test_every_step_of_the_confirmation_is_audited_once(desk):
    desk.map()
    desk.drain()
    entries = AuditEntry.objects.current().order_by("pk")
    assert [(entry.name, entry.status) for entry in entries] == [
        ("Create Connection Customer Mapping", "succeeded"),
        ("Create Connection Offer Mapping", "succeeded"),
        ("Trigger Subscription Mapping To Connection", "succeeded"),
    ]
    assert len({entry.correlation_id for entry in entries}) == 1


def test_a_changed_quantity_costs_one_read_one_write_and_one_proof(mapped):
    mapped.change_quantity(12)
    mapped.drain()
    assert [verb for verb, _ in mapped.psa.calls] == ["unit_rows", "adjust", "unit_rows"]
    assert mapped.units(DAY) == 12
    assert operation_of(mapped, "change_quantity").state == State.SUCCEEDED


def test_a_changed_quantity_leaves_the_price_out(mapped):
    mapped.change_quantity(8)
    mapped.drain()
    assert [(one.unit_change, one.price, one.cost) for one in mapped.psa.applied] == [(-2, None, None)]


def test_of_several_changes_on_one_day_the_last_is_sent(mapped):
    for quantity in (12, 9, 15):
        mapped.change_quantity(quantity)
    mapped.drain()
    assert mapped.adjustments() == [("2026-05-10", 5)]
    states = SyncOperation.objects.filter(kind="change_quantity").order_by("pk").values_list("state", flat=True)
    assert list(states) == [State.SUPERSEDED, State.SUPERSEDED, State.SUCCEEDED]
    last = operation_of(mapped, "change_quantity")
    assert set(SyncOperation.objects.filter(state=State.SUPERSEDED).values_list("superseded_by", flat=True)) == {
        last.pk
    }


def test_a_change_before_the_mapping_was_sent_goes_out_with_it(desk):
    desk.map()
    desk.change_quantity(14)
    desk.drain()
    assert desk.adjustments() == [("2026-05-10", 14)]
    assert {one.state for one in SyncOperation.objects.all()} == {State.SUCCEEDED}


def test_a_late_change_takes_nothing_from_a_newer_one(mapped):
    mapped.change_quantity(15, date(2026, 5, 20))
    mapped.drain()
    mapped.change_quantity(12, date(2026, 5, 15))
    mapped.drain()
    assert [mapped.units(date(2026, 5, day)) for day in (14, 15, 19, 20)] == [10, 12, 12, 15]
    assert mapped.adjustments() == [("2026-05-20", 5), ("2026-05-15", 2), ("2026-05-20", -2)]


def test_what_others_added_stays_and_our_change_comes_on_top(mapped):
    mapped.psa.edit(mapped.line, date(2026, 5, 12), 11)
    mapped.change_quantity(13, date(2026, 5, 15))
    mapped.drain()
    assert mapped.adjustments() == [("2026-05-15", 3)]
    assert mapped.units(date(2026, 5, 15)) == 14


def test_days_that_are_posted_become_a_shortfall_in_money(mapped):
    mapped.psa.post_through(100, date(2026, 5, 31))
    mapped.change_quantity(12, date(2026, 5, 20))
    mapped.drain()
    operation = operation_of(mapped, "change_quantity")
    (gap,) = operation.shortfalls.all()
    assert (gap.starts_on, gap.ends_on, gap.units) == (date(2026, 5, 20), date(2026, 5, 31), 2)
    assert gap.amount == Decimal("3.87")  # 2 x 5.00 x 12/31 as 0.3871
    assert mapped.adjustments() == [("2026-06-01", 2)]


def test_a_change_after_the_contract_says_which_end_it_needs(mapped):
    mapped.change_quantity(12, date(2028, 1, 15))
    mapped.drain()
    operation = operation_of(mapped, "change_quantity")
    assert (operation.state, operation.error_kind) == (State.FAILED, "beyond_contract")
    assert "15\xa0Jan\xa02028" in operation.advice
    assert mapped.psa.applied == []


def test_a_contract_that_was_extended_since_it_was_mirrored_is_read_again(mapped):
    from tests.fake_psa import a_contract

    mapped.psa.put_contract(a_contract(ends_on=date(2028, 12, 31)))
    mapped.change_quantity(12, date(2028, 1, 15))
    mapped.drain()
    assert mapped.adjustments() == [("2028-01-15", 2)]


def test_an_adopted_line_that_is_right_already_gets_nothing(desk):
    line = desk.psa.add_line(100, 10, units=10, since=date(2026, 1, 1))
    desk.map(adopt_line_id=line)
    desk.drain()
    assert desk.psa.applied == []
    assert operation_of(desk).state == State.SUCCEEDED


def test_an_adopted_line_gets_the_difference_from_today_on(desk):
    line = desk.psa.add_line(100, 10, units=7, since=date(2026, 1, 1))
    desk.map(adopt_line_id=line)
    desk.drain()
    assert desk.adjustments() == [("2026-05-10", 3)]
    assert desk.units(date(2026, 4, 1)) == 7
    assert Write.objects.filter(kind="create_line").count() == 0


def test_an_operation_of_a_pending_subscription_waits_and_says_for_what(cast):
    from tests.syncops.desk import make_desk

    desk = make_desk(cast, status="pending", starts_on=None, external_id="")
    operation = desk.map()
    desk.drain()
    operation.refresh_from_db()
    assert (operation.state, operation.waiting_for) == (State.PLANNED, "Microsoft to provision the subscription")
    assert operation.stream.due is not None
    assert desk.psa.applied == []


def test_a_paused_connection_gathers_work_and_sends_it_when_it_is_resumed(mapped):
    mapped.connection.state = "paused"
    mapped.connection.save()
    mapped.change_quantity(12)
    mapped.drain()
    assert mapped.psa.applied == []
    assert operation_of(mapped, "change_quantity").waiting_for == "the connection to be resumed"
    mapped.connection.state = "active"
    mapped.connection.save()
    mapped.clock.wait(15 * 60)
    mapped.drain()
    assert mapped.units(DAY) == 12


def test_a_contract_that_the_mirror_does_not_hold_is_read(mapped):
    from connections.models import MirroredContract

    MirroredContract.objects.all().delete()
    mapped.change_quantity(12)
    mapped.drain()
    assert mapped.units(DAY) == 12
