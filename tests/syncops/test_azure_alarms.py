"""An unposted month whose next month is not 0 raises an alarm before it bills."""

from datetime import date, timedelta
from decimal import Decimal

import pytest

from portal.models import AuditEntry
from syncops.actions import NotPossible
from syncops.azure import looking
from syncops.azure.mending import mend, preview_mend
from syncops.models import AzureAlarm, SyncOperation
from tests.syncops.azure import AUGUST, JULY, JUNE, MAY, again, azure_desk, previewed, prices, send, sent

HUNDRED = Decimal(100)


@pytest.fixture
def desk(cast, monkeypatch, db):
    one = azure_desk(cast, monkeypatch)
    one.clock.now = one.clock.now.replace(month=6, day=3)
    one.row = sent(one, MAY)
    return one


def look(desk):
    desk.clock.wait(25 * 3600)
    looking.look(desk.connection.pk, desk.clock.now)


def edit(desk, day, price=HUNDRED):
    desk.psa.edit(desk.line, day, 1, price=price)


def mended(desk):
    alarm = AzureAlarm.objects.get(closed_at=None)
    preview = preview_mend(alarm, desk.psa, today=desk.clock.now.date())
    return mend(alarm, preview, actor=desk.cast.billing, now=desk.clock.now), preview


def test_all_is_well_where_the_next_month_shows_0(desk):
    look(desk)
    assert not AzureAlarm.objects.exists()


@pytest.mark.parametrize("day", [JUNE, JULY])
def test_a_price_that_no_month_asks_for_raises_one_alarm(desk, day):
    edit(desk, day)
    look(desk)
    look(desk)
    [alarm] = AzureAlarm.objects.all()
    assert (alarm.period, alarm.price, alarm.closed_at) == (day, HUNDRED, None)
    assert AuditEntry.objects.filter(name="Find Azure Price Nobody Asked For").count() == 1


def test_it_closes_by_itself_where_somebody_puts_it_right(desk):
    edit(desk, JUNE)
    look(desk)
    edit(desk, JUNE, Decimal(0))
    look(desk)
    assert AzureAlarm.objects.get().closed_at == desk.clock.now


def test_a_month_that_was_set_is_no_alarm_and_neither_is_one_on_its_way(desk):
    desk.clock.now += timedelta(days=40)
    sent(desk, JUNE)
    look(desk)
    assert not AzureAlarm.objects.exists()


@pytest.mark.parametrize(("units", "price"), [(1, Decimal(90)), (0, None), (2, None)])
def test_a_month_that_somebody_changed_is_not_set_any_more_and_may_be_sent_again(desk, units, price):
    desk.psa.edit(desk.line, date(2026, 5, 20), units, price=price)
    look(desk)
    assert again(desk.row).state == "ready"
    assert AuditEntry.objects.filter(name="Find Azure Month Changed").count() == 1
    preview = previewed(desk, desk.row)
    if units == 1:
        send(desk, desk.row, preview)
        desk.drain()
        assert (prices(desk)["May"], again(desk.row).state) == ("120.00", "set")
    else:
        assert f"shows {units} units" in preview.problem


def test_what_is_posted_is_billed_and_no_alarm(desk):
    edit(desk, JUNE)
    edit(desk, JULY, Decimal(0))
    desk.psa.post_through(100, date(2026, 6, 30))
    look(desk)
    assert not AzureAlarm.objects.exists()
    assert again(desk.row).state == "posted"


def test_mending_sets_it_to_0_and_keeps_the_months_that_were_set(desk):
    desk.clock.now += timedelta(days=70)
    sent(desk, JULY, "200.00")
    edit(desk, JUNE)
    edit(desk, JULY, Decimal(240))
    look(desk)
    operation, preview = mended(desk)
    assert [(one.effective, one.price) for one in preview.adjustments] == [(JUNE, 0), (JULY, 240), (AUGUST, 0)]
    desk.drain()
    assert prices(desk) == {"May": "120.00", "Jun": "0.00", "Jul": "240.00", "Aug": "0.00"}
    operation.refresh_from_db()
    assert operation.state == "succeeded"
    assert AzureAlarm.objects.get().closed_at is not None


def test_a_second_click_gives_the_operation_that_the_first_began(desk):
    edit(desk, JUNE)
    look(desk)
    assert mended(desk)[0] == mended(desk)[0]
    desk.drain()
    alarm = AzureAlarm.objects.get()
    with pytest.raises(NotPossible, match="shows 0"):
        mend(alarm, preview_mend(alarm, desk.psa, today=JUNE), actor=desk.cast.billing, now=desk.clock.now)
    assert SyncOperation.objects.filter(kind="zero_azure_price").count() == 1


def test_where_the_far_side_does_not_answer_it_looks_again_in_an_hour(desk):
    edit(desk, JUNE)
    desk.psa.fail_next("unit_rows", "unavailable")
    look(desk)
    assert not AzureAlarm.objects.exists()
    desk.clock.wait(3601)
    assert looking.connections_due(desk.clock.now) == [desk.connection.pk]
    looking.look(desk.connection.pk, desk.clock.now)
    assert AzureAlarm.objects.exists()


def test_a_line_that_is_being_written_to_is_left_for_the_next_look(desk):
    edit(desk, JUNE)
    desk.claim()
    from syncops.models import Stream

    Stream.objects.update(lease_until=desk.clock.now + timedelta(days=3))
    look(desk)
    assert not AzureAlarm.objects.exists()
