"""The amount of a month as one charge on the contract: never none, never two, and corrections as the difference."""

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

from portal.models import AuditEntry
from syncops.actions import NotPossible, dismiss_operation
from syncops.azure import looking
from syncops.azure.sending import send_month
from syncops.models import AzureMonth, Lane, SyncOperation
from syncops.undoing import why_not
from tests.syncops.azure import MAY, again, azure_desk, decide, entered, previewed, prices, send, sent
from tests.syncops.mishaps import Killed, die, keep_looking

State, Month = SyncOperation.State, AzureMonth.State


@pytest.fixture
def desk(cast, monkeypatch, db):
    one = azure_desk(cast, monkeypatch)
    one.clock.now = one.clock.now.replace(month=6, day=3)
    decide(one, azure_billing="contract_charge")
    return one


def amounts(desk) -> list[tuple[str, str, str]]:
    return [(one.name, str(one.unit_cost), str(one.amount)) for one in desk.psa.charges]


def test_one_charge_with_both_totals_dated_into_its_month(desk):
    row = sent(desk, MAY)
    [made] = desk.psa.charges
    assert (made.name, made.quantity, made.unit_cost, made.amount) == ("Azure Plan", 1, 100, 120)
    assert (made.purchased_on, len(made.key) <= 50) == (date(2026, 5, 31), True)
    assert prices(desk)["May"] == "0.00"
    assert (row.state, row.sent_as) == (Month.SET, "contract_charge")


def test_the_invoice_tells_no_cost(desk):
    operation = send(desk, entered(desk, MAY))
    assert operation.payload["description"] == "May 2026, subscription Azure plan"


def test_following_month_dates_it_a_month_later(desk):
    decide(desk, azure_billing="contract_charge", azure_period="following_month")
    sent(desk, MAY)
    assert desk.psa.charges[0].purchased_on == date(2026, 6, 30)


def test_where_its_month_is_posted_the_first_open_one_bills_it(desk):
    desk.psa.post_through(100, date(2026, 5, 31))
    sent(desk, MAY)
    assert desk.psa.charges[0].purchased_on == date(2026, 6, 1)


def test_a_correction_is_a_second_charge_with_the_difference(desk):
    row = sent(desk, MAY)
    for cost in ("150.00", "90.00"):
        entered(desk, MAY, cost)
        send(desk, row)
        desk.drain()
    name = "Azure Plan (correction of May 2026)"
    assert amounts(desk) == [("Azure Plan", "100.00", "120.00"), (name, "50.00", "60.00"), (name, "-60.00", "-72.00")]
    assert again(row).state == Month.SET
    assert len({one.key for one in desk.psa.charges}) == 3


def test_what_went_out_as_a_charge_stays_one_whatever_the_policy_says_by_then(desk):
    row = sent(desk, MAY)
    decide(desk)
    entered(desk, MAY, "110.00")
    send(desk, row)
    desk.drain()
    assert (prices(desk)["May"], amounts(desk)[1][2]) == ("0.00", "12.00")


def test_what_was_set_as_a_price_stays_one_too(desk):
    decide(desk)
    row = sent(desk, MAY)
    decide(desk, azure_billing="contract_charge")
    entered(desk, MAY, "110.00")
    send(desk, row)
    desk.drain()
    assert (prices(desk)["May"], desk.psa.charges) == ("132.00", [])


@pytest.mark.parametrize("fault", ["drop_before", "drop_after", "nameless", "unavailable"])
def test_whatever_becomes_of_the_answer_there_is_one_charge(desk, fault):
    row = entered(desk, MAY)
    desk.psa.fail_next("create_charge", fault)
    send(desk, row)
    desk.drain()
    keep_looking(desk)
    assert (len(desk.psa.charges), again(row).state) == (1, Month.SET)


@pytest.mark.parametrize("verb", ["find_charges", "create_charge"])
def test_a_killed_worker_leaves_one_charge(desk, verb):
    row = entered(desk, MAY)
    send(desk, row)
    desk.psa.meanwhile(verb, die)
    with pytest.raises(Killed):
        desk.drain()
    desk.clock.wait(121)
    keep_looking(desk)
    assert (len(desk.psa.charges), again(row).state) == (1, Month.SET)


def test_a_second_click_gives_the_first_operation(desk):
    row = entered(desk, MAY)
    preview = previewed(desk, row)
    assert send(desk, row, preview) == send(desk, row, preview)
    desk.drain()
    assert len(desk.psa.charges) == 1


def test_without_a_billing_code_nothing_is_sent(desk):
    preview = previewed(desk, entered(desk, MAY))
    with pytest.raises(NotPossible, match="billing code"):
        send_month(preview, None, actor=desk.cast.billing, now=desk.clock.now)
    assert not SyncOperation.objects.filter(kind="charge_azure_month").exists()


def test_a_refused_one_may_be_dismissed_and_sent_again_under_another_key(desk):
    row = entered(desk, MAY)
    desk.psa.fail_next("create_charge", "reject")
    operation = send(desk, row)
    desk.drain()
    operation.refresh_from_db()
    assert again(row).state == Month.NEEDS_A_PERSON
    dismiss_operation(operation, reason="The code was wrong.", actor=desk.cast.admin, now=desk.clock.now)
    assert send(desk, row).payload["key"] != operation.payload["key"]
    desk.drain()
    assert (len(desk.psa.charges), desk.psa.charges[0].name) == (1, "Azure Plan")


def test_a_charge_is_not_undone_but_put_right_in_autotask(desk):
    row = sent(desk, MAY)
    assert "a charge is deleted or credited" in why_not(row.operation)


def test_the_daily_look_finds_it_billed(desk):
    row = sent(desk, MAY)
    desk.psa.charges[0] = replace(desk.psa.charges[0], billed=True)
    assert looking.connections_due(desk.clock.now) == [desk.connection.pk]
    looking.look(desk.connection.pk, desk.clock.now)
    assert again(row).state == Month.POSTED
    assert looking.connections_due(desk.clock.now) == []
    assert Lane.objects.get().months_read_at == desk.clock.now


@pytest.mark.parametrize("change", [{"canceled": True}, {"unit_price": Decimal(1)}, None])
def test_a_charge_that_somebody_changed_or_took_away_is_not_set_any_more_and_is_not_made_twice(desk, change):
    row = sent(desk, MAY)
    desk.psa.charges[:] = [replace(desk.psa.charges[0], **change)] if change else []
    looking.look(desk.connection.pk, desk.clock.now)
    assert again(row).set_at is None
    assert AuditEntry.objects.filter(name="Find Azure Charge Changed").count() == 1
    assert "put that right there" in previewed(desk, row).problem


def test_a_free_month_is_charged_with_its_cost(desk):
    sent(desk, MAY, "10.00", price=Decimal(0))
    assert amounts(desk) == [("Azure Plan", "10.00", "0.00")]
