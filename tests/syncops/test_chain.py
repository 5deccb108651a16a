"""The waiting chain: what waits behind what stopped, and what the line would show after all of it."""

from datetime import date
from decimal import Decimal

import pytest
from django.urls import reverse

from portal.models import AuditEntry
from syncops.actions import NotPossible, sync_now
from syncops.chain import chain_of
from syncops.models import Stream, SyncOperation
from tests.queries import questions
from tests.syncops.desk import operation_of

State = SyncOperation.State
YEAR_S = 60 * 60 * 24 * 365  # later than the pages' own clock
MAY_12, MAY_15, MAY_20 = (date(2026, 5, day) for day in (12, 15, 20))


def mapping_of(desk):
    return desk.subscription.mappings.get(ends_on=None)


def sync(desk):
    return sync_now(mapping_of(desk), actor=desk.cast.operations, now=desk.clock.now)


def states():
    changes = SyncOperation.objects.filter(kind="change_quantity").order_by("effective_on")
    return list(changes.values_list("state", flat=True))


@pytest.fixture
def stuck(mapped):
    """Under hold_line the change to 12 of 12 May failed; those of 15 and 20 May wait for it."""
    mapped.decide(after_failure="hold_line")
    mapped.psa.fail_next("adjust", "reject")
    mapped.change_quantity(12, MAY_12)
    mapped.drain()
    mapped.change_quantity(15, MAY_15)
    mapped.change_quantity(11, MAY_20)
    mapped.drain()
    return mapped


@pytest.fixture
def failed_twice(mapped):
    """The changes of 12 and of 15 May failed, each by itself; that of 20 May was sent."""
    mapped.psa.fail_next("adjust", "reject", times=2)
    for day, units in ((MAY_12, 12), (MAY_15, 15), (MAY_20, 11)):
        mapped.change_quantity(units, day)
        mapped.drain()
    return mapped


def test_the_chain_is_in_the_order_in_which_it_takes_effect(stuck):
    chain = chain_of(mapping_of(stuck))
    assert [one.effective_on for one in chain.operations] == [MAY_12, MAY_15, MAY_20]
    assert chain.stops == chain.operations[0]
    assert chain.is_stuck


def test_its_end_state_is_what_the_line_shows_once_all_were_sent(stuck):
    chain = chain_of(mapping_of(stuck))
    assert chain.steps == ((MAY_12, 10, 12, Decimal(5)), (MAY_15, 10, 15, Decimal(5)), (MAY_20, 10, 11, Decimal(5)))
    stuck.psa.calls.clear()
    chain_of(mapping_of(stuck))
    assert stuck.psa.calls == []  # nothing is asked for it
    sync(stuck)
    stuck.drain()
    assert [stuck.units(day) for day, *_ in chain.steps] == [12, 15, 11]


def test_what_others_added_is_part_of_the_end_state(stuck):
    stuck.psa.edit(stuck.line, MAY_12, 11)
    sync(stuck)
    stuck.psa.fail_next("adjust", "reject", times=9, after=1)
    stuck.drain()
    chain = chain_of(mapping_of(stuck))
    assert [(day, old, new) for day, old, new, _ in chain.steps] == [(MAY_15, 13, 16), (MAY_20, 13, 12)]


def test_posted_days_that_stay_missing_are_told_in_money(stuck):
    proved = SyncOperation.objects.get(kind="map_subscription")
    proved.proof["rows"] = [row | {"posted": row["end"] <= "2026-05-31"} for row in proved.proof["rows"]]
    proved.save()
    chain = chain_of(mapping_of(stuck))
    assert chain.steps[0][0] == date(2026, 6, 1)
    assert chain.missing == Decimal("6.94")  # 2 x 5 x 0.0968, 5 x 5 x 0.1613, 1 x 5 x 0.3871: 0.97 + 4.03 + 1.94


def test_where_nothing_waits_there_is_no_chain(mapped):
    assert not chain_of(mapping_of(mapped)).is_stuck


def test_manual_sync_sends_in_order_with_an_audit_entry_each(failed_twice):
    before = AuditEntry.objects.filter(name="Update Subscription on Connection").count()
    assert sync(failed_twice) == 2
    failed_twice.drain()
    assert states() == [State.SUCCEEDED] * 3
    sent = [day for day, units in failed_twice.adjustments() if units > 0]
    assert sent == ["2026-05-20", "2026-05-12", "2026-05-15"]
    assert [failed_twice.units(day) for day in (MAY_12, MAY_15, MAY_20)] == [12, 15, 11]
    entries = AuditEntry.objects.filter(name="Update Subscription on Connection").count() - before
    assert entries == 4  # each began and ended


def test_manual_sync_stops_at_the_first_failure_and_says_so(failed_twice):
    sync(failed_twice)
    failed_twice.psa.fail_next("adjust", "reject")
    failed_twice.drain()
    assert states() == [State.FAILED, State.QUEUED, State.SUCCEEDED]
    waiting = SyncOperation.objects.get(effective_on=MAY_15)
    assert "Change quantity" in waiting.waiting_for
    assert waiting.stream.due is not None
    assert chain_of(mapping_of(failed_twice)).stops.effective_on == MAY_12


def test_a_change_that_comes_after_a_manual_sync_is_not_stopped_by_it(failed_twice):
    sync(failed_twice)
    failed_twice.psa.fail_next("adjust", "reject", times=2)
    failed_twice.drain()
    SyncOperation.objects.filter(effective_on=MAY_15).update(state=State.FAILED)
    failed_twice.psa._faults.clear()
    failed_twice.change_quantity(20, date(2026, 5, 25))
    failed_twice.drain()
    assert states()[-1] == State.SUCCEEDED


def test_a_second_click_on_sync_sends_nothing_twice(failed_twice):
    sync(failed_twice)
    entries = AuditEntry.objects.count()
    sync(failed_twice)
    assert AuditEntry.objects.count() == entries
    failed_twice.drain()
    assert len(failed_twice.adjustments()) == len(set(failed_twice.adjustments()))
    with pytest.raises(NotPossible, match="Nothing waits"):
        sync(failed_twice)


def test_what_is_held_is_not_decided_by_a_sync(failed_twice):
    SyncOperation.objects.filter(effective_on=MAY_12).update(state=State.HELD)
    with pytest.raises(NotPossible, match="waits for your decision"):
        sync(failed_twice)
    assert Stream.objects.get().stops_at == 0


def test_the_pages_show_the_chain(stuck, as_user):
    client = as_user(stuck.cast.billing)
    for address in (stuck.subscription.get_absolute_url(), operation_of(stuck, "change_quantity").get_absolute_url()):
        text = client.get(address).content.decode()
        assert "Waiting chain" in text
        assert "After all of them" in text
        assert "Release the later ones" in text


def test_releasing_on_the_page_needs_a_reason(stuck, as_user):
    client, first = as_user(stuck.cast.billing), SyncOperation.objects.get(effective_on=MAY_12)
    url = reverse("syncops:operation_release", args=[first.pk])
    assert client.post(url, {"reason": ""}).status_code == 422
    client.post(url, {"reason": "Billed by hand until then"})
    stuck.clock.wait(YEAR_S)
    stuck.drain()
    assert states() == [State.FAILED, State.SUCCEEDED, State.SUCCEEDED]
    assert client.post(url, {"reason": "Again"}).status_code in (302, 422)


def test_only_those_who_may_sync_and_release(stuck, as_user):
    first, client = SyncOperation.objects.get(effective_on=MAY_12), as_user(stuck.cast.reader)
    urls = [reverse("syncops:mapping_sync", args=[stuck.subscription.pk])]
    urls.append(reverse("syncops:operation_release", args=[first.pk]))
    assert [client.post(url, {"reason": "x"}).status_code for url in urls] == [403, 403]
    text = client.get(first.get_absolute_url()).content.decode()
    assert "Release the later ones" not in text
    stranger = as_user(stuck.cast.stranger)
    assert [stranger.post(url, {"reason": "x"}).status_code for url in urls] == [404, 404]
    assert states() == [State.FAILED, State.QUEUED, State.QUEUED]


def test_sync_from_the_page(stuck, as_user):
    client, url = as_user(stuck.cast.operations), reverse("syncops:mapping_sync", args=[stuck.subscription.pk])
    assert "sent in the background" in client.post(url, follow=True).content.decode()
    stuck.clock.wait(YEAR_S)
    stuck.drain()
    assert states() == [State.SUCCEEDED] * 3
    assert "Nothing waits to be sent" in client.post(url, follow=True).content.decode()


def test_a_longer_chain_asks_no_more_questions(stuck, client):
    client.force_login(stuck.cast.reader)
    url = stuck.subscription.get_absolute_url()
    client.get(url)
    three = questions(client, url)
    for day in range(21, 26):
        stuck.change_quantity(day, date(2026, 5, day))
    assert len(questions(client, url)) == len(three)
