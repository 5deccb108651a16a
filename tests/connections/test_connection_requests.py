"""The budget of requests on the page of a connection."""

from uuid import uuid4

import pytest

from connections.actions import create_connection
from connections.budget import SharedBudget
from connections.models import RequestBudget
from connections.registry import budget_of, try_credentials
from connections.usage import Counted
from portal.audit import Actor
from portal.models import AuditEntry
from tests.connections.conftest import NOW, SECRETS, make_connection
from tests.connections.sandbox.autotask_api import USER
from tests.queries import questions


@pytest.fixture
def admin(as_user, cast):
    return as_user(cast.admin)


@pytest.fixture
def stored(cast, autotask):
    """A connection to the sandbox whose test has passed."""
    return connected(cast, "Autotask EUR")


def connected(cast, name):
    public, key = {"user_name": USER["user_name"]}, uuid4()
    trial = try_credentials("autotask", public, SECRETS, key, organization=cast.csp)
    about = {"kind": "autotask", "name": name, "currency": "EUR", "settings": public, "trial": trial, "key": key}
    return create_connection(cast.csp, **about, actor=Actor.system("test"), now=NOW)


def page_of(client, connection):
    return client.get(connection.get_absolute_url()).content.decode()


def test_the_page_tells_what_is_used_by_whom_and_what_is_left(admin, stored):
    ours = budget_of(stored).usage().ours
    budget_of(stored).learn(Counted(10_000, 60, 6_100 + ours))
    page = page_of(admin, stored)
    for words in (f"{6_100 + ours:,} of 10,000", f"{ours} of 5,000", "6,100", f"{3_900 - ours:,}", "4,000 of them"):
        assert words in page
    assert "Bulk work pauses" not in page


def test_the_test_has_counted_and_read_now_counts_again(admin, stored):
    before = budget_of(stored).usage()
    assert (before.others, before.counted_at is not None) == (0, True)
    assert admin.post(f"{stored.get_absolute_url()}count/").status_code == 302
    after = budget_of(stored).usage()
    assert after.ours == before.ours + 1
    assert after.counted_at > before.counted_at


def test_a_pause_of_bulk_work_is_said(admin, stored):
    budget_of(stored).learn(Counted(10_000, 60, 7_812))
    assert "Bulk work pauses: 7,812 of 10,000 requests of this Autotask are used" in page_of(admin, stored)


def test_a_person_sets_the_share_and_the_audit_log_tells(admin, stored):
    assert admin.post(f"{stored.get_absolute_url()}share/", {"share": "80"}).status_code == 302
    assert RequestBudget.objects.get().share == 80
    entry = AuditEntry.objects.get(name="Change Request Share")
    assert (entry.before, entry.after, entry.subject) == ({"share": "50 %"}, {"share": "80 %"}, stored.name)


@pytest.mark.parametrize("share", ["4", "101", "", "half"])
def test_a_share_out_of_range_comes_back_with_the_form(admin, stored, share):
    assert admin.post(f"{stored.get_absolute_url()}share/", {"share": share}).status_code == 422
    assert RequestBudget.objects.get().share == 50


def test_connections_with_the_same_identifier_are_named_and_ask_no_more_questions(admin, stored, cast):
    make_connection(cast.csp, "Without secrets")
    few = len(questions(admin, stored.get_absolute_url()))
    connected(cast, "Autotask USD")
    assert "Autotask USD: they have the same tracking identifier" in page_of(admin, stored)
    connected(cast, "Autotask GBP")
    assert len(questions(admin, stored.get_absolute_url())) <= few + 1


def test_a_connection_of_another_kind_has_no_share(admin, cast):
    other = make_connection(cast.csp, "Microsoft", kind="partner_center")
    assert admin.get(f"{other.get_absolute_url()}share/").status_code == 404
    assert "Requests this hour" not in page_of(admin, other)


def test_a_stranger_with_the_same_identifier_sees_a_budget_of_his_own(stored, cast):
    theirs = SharedBudget(cast.other_csp.pk, budget_of(stored).identity)
    assert (theirs.usage().ours, theirs.usage().others) == (0, None)
