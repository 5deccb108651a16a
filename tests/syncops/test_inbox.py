"""The inbox: what waits by its reason, and one decision about all that stopped for it."""

import pytest
from django.urls import reverse

from portal.models import AuditEntry
from syncops.models import GroupDecision, SyncOperation
from tests.queries import questions
from tests.syncops.stopped import stop_operations

State = SyncOperation.State
GROUP = {"kind": "rejected", "words": "The PSA says no. No."}


@pytest.fixture
def stopped(desk):
    """Five operations of five subscriptions that stopped for one reason."""
    return stop_operations(desk, 5)


def states():
    return list(SyncOperation.objects.order_by("pk").values_list("state", flat=True))


def url(name):
    return reverse(f"syncops:inbox{name}")


def test_one_reason_is_shown_once_with_what_it_means(stopped, desk, as_user):
    page = as_user(desk.cast.billing).get(url(""))
    (group,) = page.context["groups"]
    assert (group.kind, group.words, group.count) == ("rejected", "The PSA says no. No.", 5)
    text = page.content.decode()
    assert "Refused by Autotask" in text
    assert "Retry all 5" in text


def test_a_reader_is_offered_no_decision(stopped, desk, as_user):
    client = as_user(desk.cast.reader)
    assert "Retry all" not in client.get(url("")).content.decode()
    assert client.get(url("_retry"), GROUP).status_code == 403
    assert client.post(url("_dismiss"), GROUP | {"reason": "x"}).status_code == 403


def test_the_confirmation_names_the_operations_and_changes_nothing(stopped, desk, as_user):
    text = as_user(desk.cast.operations).get(url("_retry"), GROUP).content.decode()
    assert text.count("Change quantity") >= 5
    assert "Retry 5 operations" in text
    assert states() == [State.FAILED] * 5


def test_retrying_the_group_queues_each_with_an_audit_entry(stopped, desk, as_user):
    before = AuditEntry.objects.count()
    as_user(desk.cast.operations).post(url("_retry"), GROUP)
    assert states() == [State.QUEUED] * 5
    assert AuditEntry.objects.filter(name="Retry Operations").count() == 1
    assert AuditEntry.objects.count() == before + 6
    assert GroupDecision.objects.get().due_at is None


def test_dismissing_the_group_needs_a_reason_and_keeps_it(stopped, desk, as_user):
    client = as_user(desk.cast.billing)
    refused = client.post(url("_dismiss"), GROUP | {"reason": " "})
    assert refused.status_code == 422
    assert states() == [State.FAILED] * 5
    client.post(url("_dismiss"), GROUP | {"reason": "Credited by hand"})
    assert states() == [State.DISMISSED] * 5
    entries = AuditEntry.objects.filter(name="Dismiss Operation")
    assert [entry.asked for entry in entries] == [{"reason": "Credited by hand"}] * 5


def test_a_second_click_decides_nothing_again(stopped, desk, as_user):
    client = as_user(desk.cast.operations)
    client.post(url("_retry"), GROUP)
    client.post(url("_retry"), GROUP)
    assert GroupDecision.objects.count() == 1
    assert AuditEntry.objects.filter(name="Retry Operations").count() == 1


def test_another_tenant_decides_nothing(stopped, desk, as_user):
    client = as_user(desk.cast.stranger)
    assert client.get(url("_retry"), GROUP).status_code == 404
    client.post(url("_retry"), GROUP)
    client.post(url("_dismiss"), GROUP | {"reason": "Mine now"})
    assert states() == [State.FAILED] * 5
    assert not GroupDecision.objects.exists()


def test_a_reason_that_is_none_finds_nothing(stopped, desk, as_user):
    client = as_user(desk.cast.operations)
    assert client.get(url("_retry"), {"kind": "' OR 1=1", "words": "\x00"}).status_code == 404
    client.post(url("_retry"), {"kind": "x" * 500, "words": "y" * 500, "seen_at": "never"})
    assert states() == [State.FAILED] * 5


def test_the_inbox_costs_the_same_for_ten_rows_and_for_twenty(desk, client):
    client.force_login(desk.cast.billing)
    stop_operations(desk, 10)
    client.get(url(""))
    ten = questions(client, url(""))
    stop_operations(desk, 10)
    assert len(questions(client, url(""))) == len(ten)


def test_the_inbox_follows_a_decision_until_it_is_carried_out(stopped, desk, as_user):
    client = as_user(desk.cast.billing)
    assert "hx-trigger" not in client.get(url("")).content.decode().partition('id="table"')[2]
    decision = GroupDecision.objects.create(
        organization=desk.cast.csp, verb="retry", actor=desk.cast.billing, seen_at=desk.clock.now,
        created_at=desk.clock.now, total=7, done=3, due_at=desk.clock.now, error_kind="unavailable",
    )  # fmt: skip
    page = client.get(url(""))
    text = page.content.decode()
    assert "3 of 7 operations" in text
    seen = {"HX-Request": "true", "X-Seen": page.context["look"]}
    assert client.get(url(""), headers=seen).status_code == 204
    GroupDecision.objects.filter(pk=decision.pk).update(done=4)
    assert "4 of 7" in client.get(url(""), headers=seen).content.decode()
