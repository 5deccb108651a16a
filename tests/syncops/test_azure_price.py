"""The amount of a month as the price of the line: in force for its month, 0 after it."""

from datetime import date
from decimal import Decimal

import pytest

from portal.models import AuditEntry
from syncops.actions import NotPossible, dismiss_operation, retry_operation
from syncops.models import AzureMonth, Shortfall, SyncOperation
from syncops.undoing import undo_operation
from tests.syncops.azure import JUNE, MAY, again, azure_desk, decide, entered, previewed, prices, send, sent
from tests.syncops.mishaps import keep_looking

State, Month = SyncOperation.State, AzureMonth.State


@pytest.fixture
def desk(cast, monkeypatch, db):
    one = azure_desk(cast, monkeypatch)
    one.clock.now = one.clock.now.replace(month=6, day=3)
    return one


def test_a_plan_begins_on_the_first_with_one_unit_at_nothing(desk):
    assert desk.units(MAY) == 1
    assert prices(desk) == {"May": "0.00", "Jun": "0.00", "Jul": "0.00", "Aug": "0.00"}


def test_the_price_is_the_months_amount_and_0_from_the_next_month_on(desk):
    row = entered(desk, MAY, "300.00", reservations_cost=Decimal("12.40"))
    assert (row.cost, row.price, row.price_rule) == (Decimal("312.40"), Decimal("374.88"), "list price plus 20 %")
    send(desk, row)
    desk.drain()
    row = again(row)
    assert prices(desk) == {"May": "374.88", "Jun": "0.00", "Jul": "0.00", "Aug": "0.00"}
    assert desk.units(MAY) == desk.units(JUNE) == 1
    assert [row.state, bool(row.set_at), bool(row.zeroed_at), row.posted_at] == [Month.SET, True, True, None]
    assert [(str(one.effective), one.unit_change) for one in desk.psa.applied] == [("2026-05-01", 0), ("2026-06-01", 0)]


def test_the_preview_says_what_is_sent_and_billed_and_is_kept_with_the_operation(desk):
    preview = previewed(desk, entered(desk, MAY))
    assert [(one.effective, one.price) for one in preview.adjustments] == [(MAY, Decimal(120)), (JUNE, Decimal(0))]
    assert [(bill.label, bill.before, bill.after) for bill in preview.bills] == [
        ("Earlier periods", Decimal(0), Decimal(120)),
        ("This period", Decimal(0), Decimal(0)),
        ("Next period", Decimal(0), Decimal(0)),
    ]
    operation = send(desk, preview.row, preview)
    assert operation.preview["bills"][0]["after"] == "120.00"


def test_months_may_come_in_any_order(desk):
    desk.clock.now = desk.clock.now.replace(month=7)
    sent(desk, JUNE, "200.00")
    sent(desk, MAY, "100.00")
    assert prices(desk) == {"May": "120.00", "Jun": "240.00", "Jul": "0.00", "Aug": "0.00"}


def test_following_month_bills_it_a_month_later(desk):
    decide(desk, azure_period="following_month")
    row = sent(desk, MAY)
    assert prices(desk) == {"May": "0.00", "Jun": "120.00", "Jul": "0.00", "Aug": "0.00"}
    assert row.period == JUNE
    decide(desk)
    entered(desk, MAY, "150.00")
    send(desk, row)
    desk.drain()
    assert prices(desk)["May"] == "0.00"  # never on two periods, whatever the policy says by then
    assert prices(desk)["Jun"] == "180.00"


def test_a_correction_sets_the_price_again(desk):
    row = sent(desk, MAY)
    entered(desk, MAY, "90.00")
    assert again(row).state == Month.CORRECTED
    send(desk, row)
    desk.drain()
    assert prices(desk)["May"] == "108.00"
    assert again(row).state == Month.SET


def test_a_posted_month_becomes_a_shortfall_in_money_and_a_correction_its_difference(desk):
    desk.psa.post_through(100, date(2026, 5, 31))
    row = sent(desk, MAY)
    assert prices(desk)["May"] == "0.00"
    assert [str(gap.amount) for gap in Shortfall.objects.all()] == ["120.0000"]
    assert row.state == Month.POSTED
    entered(desk, MAY, "150.00")
    send(desk, row)
    desk.drain()
    assert [str(gap.amount) for gap in Shortfall.objects.order_by("pk")] == ["120.0000", "60.0000"]


def test_what_somebody_set_by_hand_does_not_go_on_after_the_month(desk):
    desk.psa.edit(desk.line, date(2026, 6, 1), 1, price=Decimal(999))
    sent(desk, MAY)
    assert prices(desk) == {"May": "120.00", "Jun": "0.00", "Jul": "0.00", "Aug": "0.00"}


@pytest.mark.parametrize(
    ("cost", "fields", "words"), [("100", {"is_complete": False}, "not complete"), ("0", {}, "nothing to bill")]
)
def test_what_is_not_ready_is_not_sent(desk, cost, fields, words):
    preview = previewed(desk, entered(desk, MAY, cost, **fields))
    assert words in preview.problem
    with pytest.raises(NotPossible):
        send_anyway(desk, preview)


def send_anyway(desk, preview):
    from syncops.azure.sending import send_month

    return send_month(preview, None, actor=desk.cast.billing, now=desk.clock.now)


def test_a_second_click_gives_the_operation_that_the_first_began(desk):
    row = entered(desk, MAY)
    preview = previewed(desk, row)
    assert send(desk, row, preview) == send(desk, row, preview)
    desk.drain()
    assert len(desk.psa.applied) == 2
    with pytest.raises(NotPossible, match="went out already"):
        send_anyway(desk, preview)


def test_an_amount_that_was_changed_since_the_preview_is_not_sent(desk):
    row = entered(desk, MAY)
    preview = previewed(desk, row)
    entered(desk, MAY, "999.00")
    with pytest.raises(NotPossible, match="changed meanwhile"):
        send_anyway(desk, preview)


def test_an_undo_takes_the_price_back_and_the_month_may_be_sent_again(desk):
    row = sent(desk, MAY)
    undo_operation(row.operation, actor=desk.cast.billing, now=desk.clock.now)
    desk.drain()
    assert prices(desk)["May"] == "0.00"
    assert again(row).state == Month.READY
    send(desk, row)
    desk.drain()
    assert (prices(desk)["May"], again(row).state) == ("120.00", Month.SET)


def test_a_failure_is_in_the_inbox_and_a_retry_ends_it(desk):
    row = entered(desk, MAY)
    desk.psa.fail_next("adjust", "reject")
    operation = send(desk, row)
    desk.drain()
    assert (again(row).state, prices(desk)["May"]) == (Month.NEEDS_A_PERSON, "0.00")
    retry_operation(SyncOperation.objects.get(pk=operation.pk), actor=desk.cast.admin, now=desk.clock.now)
    desk.drain()
    assert (prices(desk)["May"], prices(desk)["Jun"], again(row).state) == ("120.00", "0.00", Month.SET)


@pytest.mark.parametrize("fault", ["reject", "drop_after", "drop_before", "unavailable"])
def test_where_the_second_half_fails_the_first_is_proved_and_the_rest_follows(desk, fault):
    row = entered(desk, MAY)
    desk.psa.fail_next("adjust", fault, after=1)
    send(desk, row)
    desk.drain()
    assert prices(desk)["May"] == "120.00"
    keep_looking(desk)
    assert (prices(desk)["Jun"], again(row).state, bool(again(row).zeroed_at)) == ("0.00", Month.SET, True)


def test_dismissed_it_may_be_sent_again(desk):
    row = entered(desk, MAY)
    desk.psa.fail_next("adjust", "reject")
    operation = send(desk, row)
    desk.drain()
    operation.refresh_from_db()
    dismiss_operation(operation, reason="By hand.", actor=desk.cast.admin, now=desk.clock.now)
    assert again(row).state == Month.READY


def test_from_the_yes_to_the_proof_it_is_in_the_audit_log(desk):
    sent(desk, MAY)
    assert AuditEntry.objects.get(name="Enter Azure Month").after["price"] == "120.00"
    began, ended = AuditEntry.objects.filter(name="Set Azure Month on Connection").order_by("pk")
    assert (began.asked["price"], began.actor_label, ended.status) == ("120.00", desk.cast.billing.email, "succeeded")


def test_the_last_month_of_a_contract_needs_no_later_end(desk):
    from dataclasses import replace

    from connections.models import MirroredContract

    end = date(2026, 5, 31)
    desk.psa.put_contract(replace(desk.psa.contract(100), ends_on=end))
    MirroredContract.objects.update(ends_on=end)
    row = sent(desk, MAY)
    assert (row.state, row.operation.plan["beyond"], Shortfall.objects.count()) == (Month.SET, [], 0)


def test_after_its_contract_a_month_is_not_sent(desk):
    from connections.models import MirroredContract

    MirroredContract.objects.update(ends_on=date(2026, 4, 30))
    assert "Extend it first" in previewed(desk, entered(desk, MAY)).problem
