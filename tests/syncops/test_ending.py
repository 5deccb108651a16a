"""Taking a subscription off its contract: on a day, with its line at 0 or left alone, and on to another contract."""

from datetime import date, timedelta

import pytest
from django.urls import reverse

from mappings.models import SubscriptionMapping
from portal.audit import Actor, breaks
from portal.models import AuditEntry
from syncops.actions import NotPossible
from syncops.ending import billed_on, end_mapping
from syncops.models import SyncOperation
from tests.fake_psa import a_contract
from tests.mappings.mirror import contract_row
from tests.syncops.desk import NOON

UNMAP = "Remove Subscription Mapping From Connection"


def end(desk, day=None, set_to_zero=True):
    mapping = SubscriptionMapping.objects.latest("pk")
    how = {"actor": Actor.user(desk.cast.admin), "today": desk.today, "now": desk.clock.now}
    return end_mapping(mapping, day=day or desk.today, set_to_zero=set_to_zero, **how)


def test_the_line_is_set_to_zero_and_the_mapping_ends(mapped):
    operation = end(mapped)
    mapped.drain()
    operation.refresh_from_db()
    mapping = SubscriptionMapping.objects.get()
    assert operation.state == "succeeded"
    assert mapped.psa.units_on(mapping.line_id, mapped.today) == 0
    assert mapping.ends_on is not None
    assert AuditEntry.objects.filter(name=UNMAP).count() == 1
    assert list(breaks(mapped.cast.csp)) == []


def test_left_alone_nothing_is_sent_and_what_stays_billed_is_known(mapped):
    mapping = SubscriptionMapping.objects.get()
    billed = billed_on(mapping, mapped.today)
    assert (billed.units, billed.amount) == (10, billed.unit_price * 10)
    assert end(mapped, set_to_zero=False) is None
    mapped.drain()
    assert mapped.psa.applied == []
    assert mapped.psa.units_on(mapping.line_id, mapped.today) == 10


def test_a_second_click_changes_nothing(mapped):
    end(mapped)
    assert end(mapped) is None
    assert (
        AuditEntry.objects.filter(name=UNMAP).count() == SyncOperation.objects.filter(kind="end_mapping").count() == 1
    )


def test_what_is_not_through_is_finished_first(desk):
    desk.map()
    with pytest.raises(NotPossible, match="is not through"):
        end(desk)
    assert SubscriptionMapping.objects.get().ends_on is None


@pytest.mark.parametrize("days", [1, -400])
def test_a_day_that_was_not_billed_here_is_refused(mapped, days):
    with pytest.raises(NotPossible, match="Choose a day"):
        end(mapped, day=mapped.today + timedelta(days=days))


def test_it_goes_on_on_another_contract_on_the_same_day(mapped):
    mapped.psa._contracts[101] = a_contract(101, "Successor", starts_on=date(2026, 5, 1))
    contract_row(mapped.connection, 101, "Successor", starts_on=date(2026, 5, 1))
    old = mapped.line
    end(mapped)
    mapped.map(contract_id=101)
    mapped.drain()
    assert (mapped.psa.units_on(old, mapped.today), mapped.units(mapped.today)) == (0, 10)
    assert mapped.line != old


def test_a_later_change_does_not_touch_the_old_line(mapped):
    end(mapped)
    mapped.drain()
    mapped.psa.applied.clear()
    mapped.today += timedelta(days=1)
    assert mapped.record("quantity_changed", quantity=12) is None


def test_a_day_before_the_last_change_of_the_line_is_refused_as_its_units_would_come_back(mapped):
    mapped.today += timedelta(days=10)
    mapped.change_quantity(12, date(2026, 5, 15))
    mapped.drain()
    with pytest.raises(NotPossible, match=r"changed the line from 15.May.2026 on"):
        end(mapped, day=date(2026, 5, 12))
    end(mapped, day=date(2026, 5, 15))
    mapped.drain()
    line = SubscriptionMapping.objects.get().line_id
    assert [mapped.psa.units_on(line, date(2026, 5, day)) for day in (12, 14, 15, 20)] == [10, 10, 0, 0]


def test_a_line_that_was_left_and_is_taken_over_again_keeps_its_units(mapped):
    line = mapped.line
    end(mapped, set_to_zero=False)
    mapped.map(adopt_line_id=line)
    mapped.drain()
    assert (mapped.units(mapped.today), mapped.psa.applied) == (10, [])
    mapped.change_quantity(12)
    mapped.drain()
    assert mapped.units(mapped.today) == 12


@pytest.fixture
def url(mapped, time_machine):
    time_machine.move_to(NOON, tick=False)
    return reverse("syncops:mapping_end", args=[mapped.subscription.pk])


def test_the_page_says_what_stays_billed_and_removes(url, mapped, cast, as_user):
    client = as_user(cast.operations)
    assert "10 units" in client.get(url).content.decode()
    page = client.post(url, {"day": "2026-05-10", "line": "zero"}, follow=True).content.decode()
    assert "Its line is set to 0 in Autotask" in page
    assert client.get(url).status_code == 404


@pytest.mark.parametrize(
    "posted", [{"day": "2026-05-11", "line": "zero"}, {"day": "x", "line": "zero"}, {"line": "no"}]
)
def test_what_makes_no_sense_removes_nothing(url, cast, as_user, posted):
    assert as_user(cast.operations).post(url, posted).status_code == 422
    assert SubscriptionMapping.objects.get().ends_on is None


def test_readers_and_others_cannot_remove_it(url, cast, as_user):
    posted = {"day": "2026-05-10", "line": "zero"}
    for user, status in ((cast.reader, 403), (cast.stranger, 404), (cast.reseller_admin, 404)):
        assert as_user(user).post(url, posted).status_code == status
    assert SubscriptionMapping.objects.get().ends_on is None
