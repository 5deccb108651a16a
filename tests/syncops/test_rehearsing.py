"""A connection that rehearses: everything is planned on top of what came before, and nothing is ever written."""

from datetime import date
from decimal import Decimal

import pytest

from connections.models import Connection
from connections.modes import rehearse_connection
from portal.audit import Actor
from portal.models import AuditEntry
from syncops.actions import NotPossible, dismiss_operation, plan_operation, sync_now
from syncops.models import Rehearsal, Stream, SyncOperation, Write
from syncops.money import amount
from syncops.operations import REGISTRY
from tests.fake_psa import WRITES
from tests.syncops.desk import operation_of

State = SyncOperation.State
MAY_15 = date(2026, 5, 15)
ANYTHING = {
    "units": 3,
    "price": "6.00",
    "cost": "4.00",
    "extend_to": "2028-12-31",
    "goes_on": "elsewhere",
    "contract_id": 100,
    "billing_code_id": 21,
    "name": "Charge",
    "description": "",
    "quantity": "1",
    "unit_price": "12.00",
    "unit_cost": "9.00",
    "purchased_on": "2026-05-15",
    "key": "portal-1",
    "zeroed": True,
}
PERMISSIVE = {
    "reactivation": "restore",
    "licence_suspension": "zero",
    "cycle_change": "move",
    "upgrade": "pair",
    "renewal": "extend_and_reprice",
    "reseller_change": "hand_over",
}


def rehearse(desk):
    rehearse_connection(desk.connection, actor=Actor.user(desk.cast.admin), now=desk.clock.now)
    return desk


@pytest.fixture
def rehearsing(desk):
    return rehearse(desk)


def written(desk) -> list[str]:
    return [verb for verb, _ in desk.psa.calls if verb in WRITES]


def money_of(operation) -> tuple:
    row = Rehearsal.objects.get(operation=operation)
    return row.verdict, row.this_bill, row.next_bill


def test_a_new_line_is_planned_in_money_and_not_created(rehearsing):
    operation = rehearsing.map()
    rehearsing.drain()
    operation.refresh_from_db()
    assert operation.state == State.REHEARSED
    assert written(rehearsing) == []
    assert not Write.objects.exists()
    price = Decimal(operation.payload["price"])
    assert money_of(operation) == ("sends", amount(10, price, Decimal("0.7097"), "EUR"), 10 * price)


def test_later_changes_are_planned_on_top_of_what_was_rehearsed(rehearsing):
    rehearsing.map()
    rehearsing.change_quantity(12, MAY_15)
    rehearsing.drain()
    operation = operation_of(rehearsing, "change_quantity")
    [adjustment] = operation.rehearsal.shown["adjustments"]
    assert (adjustment["effective"], adjustment["unit_change"]) == ("2026-05-15", 2)
    price = Decimal(operation_of(rehearsing).payload["price"])
    assert money_of(operation) == ("sends", amount(2, price, Decimal("0.5484"), "EUR"), 2 * price)


def test_what_was_rehearsed_is_planned_anew_when_an_earlier_change_comes(mapped):
    rehearse(mapped)
    mapped.change_quantity(15, date(2026, 5, 20))
    mapped.drain()
    later = operation_of(mapped, "change_quantity")
    assert later.rehearsal.shown["adjustments"][0]["unit_change"] == 5
    mapped.change_quantity(12, MAY_15)
    mapped.drain()
    later.rehearsal.refresh_from_db()
    assert later.rehearsal.shown["adjustments"][0]["unit_change"] == 3
    assert written(mapped) == []


@pytest.mark.parametrize("kind", sorted(REGISTRY))
def test_no_kind_of_operation_writes_anything(mapped, kind):
    mapped.decide(**PERMISSIVE)
    rehearse(mapped)
    mapping, begun = mapped.subscription.mappings.get(), operation_of(mapped)
    mapping.connection.refresh_from_db()
    operation = plan_operation(
        mapping,
        kind,
        effective_on=MAY_15,
        payload=ANYTHING | {"undoes": begun.pk},
        actor=Actor.system("test"),
        now=mapped.clock.now,
        correlation_id=begun.correlation_id,
    )
    mapped.drain()
    mapped.clock.wait(7 * 3600)
    mapped.drain()
    operation.refresh_from_db()
    assert operation.state in (State.REHEARSED, State.UNSUPPORTED, State.NOTHING_TO_SEND)
    assert written(mapped) == []
    assert Write.objects.filter(operation=operation).count() == 0


def test_a_switch_between_two_writes_lets_the_first_be_proved_and_the_second_wait(mapped):
    """Two adjustments of one run: the switch falls between them."""
    mapped.psa.edit(mapped.line, date(2026, 5, 20), 2)
    mapped.decide(foreign_change="put_back")
    mapped.psa.meanwhile("adjust", lambda: rehearse(mapped))
    mapped.change_quantity(5, date(2026, 5, 12))
    for _ in range(3):
        mapped.drain()
        mapped.clock.wait(60)
    operation = operation_of(mapped, "change_quantity")
    assert written(mapped) == ["adjust"]
    assert list(Write.objects.filter(operation=operation).values_list("state", flat=True)) == [Write.State.APPLIED]
    assert (operation.state, operation.attempts) == (State.REHEARSED, 0)
    assert len(operation.rehearsal.shown["adjustments"]) == 1


def test_a_switch_while_a_write_has_no_answer_lets_it_be_proved(mapped):
    mapped.psa.fail_next("adjust", "drop_after")
    mapped.psa.meanwhile("adjust", lambda: rehearse(mapped))
    mapped.change_quantity(12, MAY_15)
    for _ in range(3):
        mapped.drain()
        mapped.clock.wait(60)
    operation = operation_of(mapped, "change_quantity")
    assert written(mapped) == ["adjust"]
    assert operation.state == State.REHEARSED
    assert (operation.rehearsal.verdict, operation.rehearsal.problem) == ("nothing", "The line shows this already.")


def test_a_far_side_that_is_away_is_asked_again_and_what_was_known_stays(rehearsing):
    rehearsing.map()
    rehearsing.psa.add_line(100, 10, key="SUB-1", line_id=7)
    rehearsing.drain()
    stream = Stream.objects.get()
    assert stream.due > rehearsing.clock.now
    assert operation_of(rehearsing).state == State.REHEARSED


def test_what_nobody_sends_cannot_be_synced_and_can_be_dismissed(rehearsing):
    operation = rehearsing.map()
    rehearsing.drain()
    mapping = rehearsing.subscription.mappings.select_related("connection", "subscription").get()
    with pytest.raises(NotPossible, match="rehearses"):
        sync_now(mapping, actor=rehearsing.cast.admin, now=rehearsing.clock.now)
    dismiss_operation(operation, reason="Not ours.", actor=rehearsing.cast.admin, now=rehearsing.clock.now)
    rehearsing.drain()
    assert operation_of(rehearsing).state == State.DISMISSED


def test_new_policies_are_planned_by(mapped):
    from syncops.rehearsals import follow_policies

    rehearse(mapped)
    mapped.psa.post_through(100, date(2026, 5, 31))
    mapped.change_quantity(12, MAY_15)
    mapped.drain()
    operation = operation_of(mapped, "change_quantity")
    assert (operation.rehearsal.verdict, operation.rehearsal.shortfall > 0) == ("sends", True)
    mapped.decide(posted_period="hold")
    assert follow_policies(mapped.clock.now) == 1
    mapped.drain()
    operation.rehearsal.refresh_from_db()
    assert operation.rehearsal.verdict == "stops"
    assert "15\u00a0May\u00a02026 to 31\u00a0May\u00a02026" in operation.rehearsal.problem


def test_the_switch_is_audited_once(rehearsing):
    rehearse(rehearsing)
    assert AuditEntry.objects.filter(name="Switch Connection To Rehearsal").count() == 1
    assert Connection.objects.get().rehearses
