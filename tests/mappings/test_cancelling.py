"""A matching that somebody cancels stops at once, keeps what it did, and says so; many names are looked at by it."""

import pytest
from django.core.management import CommandError, call_command
from django.urls import reverse
from django.utils import timezone

from mappings.automatic import run_match, start_match
from mappings.boards import CustomerBoard
from mappings.cancelling import cancel_run
from mappings.models import CustomerMapping, MatchRun
from mappings.views import matching
from portal.models import AuditEntry
from tests.cast import TODAY, make_customer
from tests.mappings.conftest import NOW
from tests.mappings.mirror import company_row

HTMX = {"HX-Request": "true"}


@pytest.fixture
def started(mapping, cast):
    for number in range(5):
        make_customer(cast.csp, f"Name {number}")
        company_row(mapping.connection, number + 1, f"Name {number}")
    return start_match(CustomerBoard(mapping.connection, TODAY), "exact", threshold=85, actor=mapping.actor, now=NOW)


@pytest.fixture
def url(mapping):
    return lambda name: reverse(f"mappings:customer_{name}", args=[mapping.connection.pk])


def test_its_worker_stops_at_the_row_that_it_is_at(started, mapping, monkeypatch):
    write = CustomerBoard.write

    def write_and_cancel(board, ours, theirs, **how):
        cancel_run(MatchRun.objects.get(), actor=mapping.actor, at=NOW)
        return write(board, ours, theirs, **how)

    monkeypatch.setattr(CustomerBoard, "write", write_and_cancel)
    run_match(started.pk, clock=lambda: NOW)
    assert CustomerMapping.objects.count() == 1
    assert MatchRun.objects.get().state == "cancelled"
    assert run_match(started.pk, clock=lambda: NOW).state == "cancelled"
    assert CustomerMapping.objects.count() == 1


def test_it_is_cancelled_once_on_its_page_and_audited(started, url, cast, as_user):
    client = as_user(cast.operations)
    assert "Cancel it" in client.get(url("match")).content.decode()
    page = client.post(url("match_cancel"), follow=True).content.decode()
    assert "was cancelled" in page
    assert "Cancel it" not in page
    assert "It had ended already." in client.post(url("match_cancel"), follow=True).content.decode()
    assert AuditEntry.objects.filter(name="Cancel Mapping Run", actor=cast.operations).count() == 1


def test_readers_and_others_cancel_nothing(started, url, cast, as_user):
    for user, status in ((cast.reader, 403), (cast.stranger, 404), (cast.reseller_admin, 404)):
        assert as_user(user).post(url("match_cancel")).status_code == status
    assert MatchRun.objects.get().state == "running"


def test_another_can_be_started_after_it(started, url, cast, as_user):
    client = as_user(cast.operations)
    client.post(url("match_cancel"))
    client.post(url("match"), {"kind": "alike", "threshold": "85"})
    assert [run.state for run in MatchRun.objects.all()] == ["running", "cancelled"]


def test_the_command_says_that_it_was_cancelled(started, mapping, monkeypatch):
    monkeypatch.setattr("mappings.automatic.run_match", lambda pk, **how: cancelled(mapping))
    with pytest.raises(CommandError, match="was cancelled: 0 mapped"):
        call_command("automap", connection="Autotask", only="customers", apply=True)


def cancelled(mapping):
    cancel_run(MatchRun.objects.get(), actor=mapping.actor, at=NOW)
    return MatchRun.objects.get()


def test_many_names_are_looked_at_in_the_background_and_nothing_is_mapped(started, url, cast, as_user, monkeypatch):
    monkeypatch.setattr(matching, "AT_ONCE", 3)
    client = as_user(cast.operations)
    client.post(url("match_cancel"))
    assert "6 customers are not mapped yet" in client.get(url("match")).content.decode()
    client.post(url("match"), {"kind": "dry", "threshold": "100"})
    run_match(MatchRun.objects.first().pk, clock=timezone.now)
    assert "5 have one equal name, 0 several" in client.get(url("match"), headers=HTMX).content.decode()
    page = client.get(url("match")).content.decode()
    assert "Map these 5" in page
    assert "by a dry run" in page
    assert not CustomerMapping.objects.exists()


def test_a_dry_run_is_out_of_date_once_something_was_mapped(started, url, cast, as_user, monkeypatch):
    monkeypatch.setattr(matching, "AT_ONCE", 0)
    client = as_user(cast.operations)
    client.post(url("match_cancel"))
    for kind in ("dry", "exact"):
        client.post(url("match"), {"kind": kind, "threshold": "100"})
        run_match(MatchRun.objects.first().pk, clock=timezone.now)
    page = client.get(url("match")).content.decode()
    assert "Start the dry run" in page
    assert "1 customer is not mapped yet" in page
