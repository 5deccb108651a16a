"""What the worker is woken for."""

from datetime import timedelta

import pytest
from django.utils import timezone
from django_q.models import OrmQ

from connections import mirror, tasks
from connections.models import Connection, MirrorRefresh
from tests.connections.conftest import NOW, make_connection


def messages():
    return [message.task["args"] for message in OrmQ.objects.all()]


def test_a_wake_up_reads_on_and_another_one_changes_nothing(connection, far):
    mirror.start_refresh(connection, now=timezone.now())
    tasks.refresh_mirror(connection.pk)
    tasks.refresh_mirror(connection.pk)
    assert [refresh.state for refresh in MirrorRefresh.objects.all()] == ["succeeded"]


def test_refused_credentials_stop_the_connection(connection, far):
    far.psa.fail_next("companies", "unauthorized")
    mirror.start_refresh(connection, now=timezone.now())
    tasks.refresh_mirror(connection.pk)
    connection.refresh_from_db()
    assert connection.state == "unauthorized"


def test_the_sweep_wakes_a_worker_for_a_reading_whose_worker_is_gone(connection, far):
    mirror.start_refresh(connection, now=NOW)
    OrmQ.objects.all().delete()
    MirrorRefresh.objects.update(lease_until=NOW + timedelta(minutes=2))
    assert not tasks.due(NOW)
    assert tasks.sweep(NOW) == 0
    later = NOW + timedelta(minutes=3)
    assert tasks.due(later)
    assert tasks.sweep(later) == 1
    assert messages() == [(connection.pk,)]


@pytest.mark.parametrize(("age", "started"), [(timedelta(hours=23), False), (timedelta(hours=25), True), (None, True)])
def test_a_mirror_is_read_again_once_it_is_a_day_old(connection, far, age, started):
    Connection.objects.update(mirrored_at=NOW - age if age else None)
    assert tasks.due(NOW) is started
    assert tasks.sweep(NOW) == started
    assert MirrorRefresh.objects.exists() is started


def test_a_reading_that_failed_is_not_started_again_within_the_hour(connection, far):
    MirrorRefresh.objects.create(connection=connection, state="failed", started_at=NOW - timedelta(minutes=50))
    assert tasks.sweep(NOW) == 0
    assert tasks.sweep(NOW + timedelta(minutes=11)) == 1


def test_changes_are_read_every_five_minutes_between(connection, far):
    mirror.run_refresh(mirror.start_refresh(connection, now=NOW).pk, clock=lambda: NOW)
    assert not tasks.due(NOW + timedelta(minutes=4))
    assert tasks.sweep(NOW + timedelta(minutes=4)) == 0
    assert tasks.due(NOW + timedelta(minutes=5))
    assert tasks.sweep(NOW + timedelta(minutes=5)) == 1
    assert MirrorRefresh.objects.running().get().scope == "changes"
    assert tasks.sweep(NOW + timedelta(minutes=5)) == 1, "the one that waits is woken, no other begins"
    assert MirrorRefresh.objects.count() == 2


def test_a_day_old_mirror_is_read_whole_however_fresh_its_changes_are(connection, far):
    mirror.run_refresh(mirror.start_refresh(connection, now=NOW).pk, clock=lambda: NOW)
    tomorrow = NOW + timedelta(hours=24)
    MirrorRefresh.objects.create(connection=connection, scope="changes", state="running", started_at=tomorrow)
    assert tasks.sweep(tomorrow) == 1
    assert MirrorRefresh.objects.running().get().scope == "everything"


@pytest.mark.parametrize(
    "fields",
    [
        {"state": "unauthorized", "told": "unauthorized"},
        {"state": "retired"},
        {"state": "draft"},
        {"kind": "partner_center"},
    ],
)
def test_what_cannot_be_read_is_left_alone(cast, far, fields):
    make_connection(cast.csp, **fields)
    assert not tasks.due(NOW)
    assert tasks.sweep(NOW) == 0


def test_work_in_this_process_reads_everything_that_is_due(cast, far):
    first, second = make_connection(cast.csp, "One"), make_connection(cast.csp, "Two")
    mirror.start_refresh(first, now=NOW)
    tasks.work(timezone.now())
    for connection in (first, second):
        connection.refresh_from_db()
        assert connection.mirrored_at is not None
