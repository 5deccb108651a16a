"""Reading the mirror while the budget of requests forbids bulk work: it waits, says so, and goes on by itself."""

from datetime import timedelta

import pytest
from django.db import connection as database
from django.utils import timezone

from connections import mirror
from connections.models import Connection, RequestBudget
from connections.registry import budget_of
from connections.usage import Counted
from tests.syncops.site import open_site

pytestmark = [
    pytest.mark.django_db(transaction=True),  # its threads take their places in transactions of their own
    pytest.mark.skipif(
        database.vendor != "postgresql",
        reason="Threads cannot share SQLite's database in memory. With TEST_POSTGRES_URL, make test runs it.",
    ),
]


class MovingClock:
    def __init__(self) -> None:
        self.ahead = timedelta()

    def __call__(self):
        return timezone.now() + self.ahead


@pytest.fixture
def connection(cast, tmp_path, settings):
    with open_site(cast, tmp_path, settings) as site:
        yield site.connection


def read(connection, clock):
    refresh = connection.refreshes.running().first() or mirror.start_refresh(connection, now=clock())
    return mirror.run_refresh(refresh.pk, clock=clock)


@pytest.mark.parametrize(
    ("short", "words"),
    [
        (lambda budget: budget.learn(Counted(10_000, 60, 7_812)), "Bulk work pauses: 7,8"),
        (
            lambda budget: RequestBudget.objects.update(limit=10),
            "Bulk work pauses: its part of the hourly share is used",
        ),
        (lambda budget: budget.block(240), "Autotask refused to take more requests"),
    ],
    ids=["three quarters used", "share used", "refused"],
)
def test_it_waits_says_so_and_goes_on(connection, short, words):
    clock = MovingClock()
    short(budget_of(connection))
    waiting = read(connection, clock)
    assert (waiting.state, waiting.attempts, waiting.counts) == ("running", 0, {})
    assert words in waiting.message
    assert clock() < waiting.due_at <= clock() + timedelta(minutes=62)
    assert connection.mirrored_at is None
    clock.ahead = waiting.due_at - timezone.now() + timedelta(seconds=1)
    RequestBudget.objects.update(limit=10_000)
    done = read(connection, clock)
    assert (done.state, done.message) == ("succeeded", "")
    assert Connection.objects.get().mirrored_at == done.started_at
