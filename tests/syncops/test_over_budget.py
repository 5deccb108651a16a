"""Operations while the budget of requests forbids them: not sent, not failed, and said."""

from datetime import timedelta

import pytest
from django.utils import timezone

from connections.models import RequestBudget
from connections.registry import budget_of
from connections.usage import Counted
from syncops.models import Stream, SyncOperation, Write
from tests.mappings.mirror import company_row, service_row
from tests.syncops.desk import HandClock
from tests.syncops.site import open_site

State = SyncOperation.State


@pytest.fixture
def mapped(cast, tmp_path, settings):
    with open_site(cast, tmp_path, settings) as site:
        assert site.settle(site.map()).state == State.SUCCEEDED
        site.clock = HandClock(now=timezone.now() + timedelta(minutes=1))  # ahead of what is recorded meanwhile
        yield site


def in_bulk(site):
    Stream.objects.update(urgent=False)


def test_an_exhausted_share_sends_nothing_and_does_not_fail_the_operation(mapped):
    RequestBudget.objects.update(limit=10, share=50)
    operation = mapped.change(12)
    for _ in range(7):  # more often than it may be tried
        mapped.drain()
        operation.refresh_from_db()
        assert (operation.state, operation.attempts) == (State.QUEUED, 0)
        assert "The hourly share of requests is used up" in operation.error
        mapped.clock.wait(60)
        Stream.objects.update(due=mapped.clock.now)
        SyncOperation.objects.update(retry_at=None)
    assert not Write.objects.filter(operation=operation).exists()
    RequestBudget.objects.update(limit=10_000)
    assert mapped.settle(operation).state == State.SUCCEEDED


def test_bulk_work_pauses_says_so_and_goes_on_by_itself(mapped):
    budget_of(mapped.connection, clock=lambda: mapped.clock.now).learn(Counted(10_000, 60, 7_812))
    operation = mapped.change(12)
    in_bulk(mapped)
    mapped.drain()
    operation.refresh_from_db()
    assert operation.waiting_for.startswith("free requests. Bulk work pauses: 7,812 of 10,000")
    assert (operation.state, operation.runs.count()) == (State.QUEUED, 0)
    mapped.clock.wait(5 * 60)
    assert mapped.settle(operation).state == State.SUCCEEDED  # the far side counts few by now


def test_what_a_person_waits_for_goes_on_meanwhile_and_takes_along_what_waited(mapped):
    budget_of(mapped.connection, clock=lambda: mapped.clock.now).learn(Counted(10_000, 60, 7_812))
    paused = mapped.change(12)
    in_bulk(mapped)
    mapped.drain()
    operation = mapped.change(13)
    assert mapped.settle(operation).state == State.SUCCEEDED
    paused.refresh_from_db()
    assert paused.state in (State.SUPERSEDED, State.SUCCEEDED)
    assert not Stream.objects.get().urgent


@pytest.fixture
def unmapped(cast, tmp_path, settings):
    with open_site(cast, tmp_path, settings) as site:
        company_row(site.connection, 10, name="Müller Bau")
        service_row(site.connection, 31)
        yield site


def test_a_page_that_would_ask_says_that_the_hour_is_used_up_and_keeps_what_was_chosen(unmapped, cast, as_user):
    budget_of(unmapped.connection).learn(Counted(10, 60, 0))
    chosen = {"connection": unmapped.connection.pk, "company": 10, "service": 31, "contract": 70}
    address = f"/subscriptions/{unmapped.subscription.pk}/sync/preview/"
    page = as_user(cast.admin).post(address, chosen)
    assert page.status_code == 503
    words = page.content.decode()
    assert "The hourly share of requests is used up" in words
    assert "It can go on from" in words
    assert not SyncOperation.objects.exists()
