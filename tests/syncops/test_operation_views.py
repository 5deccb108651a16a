"""The pages of operations: who sees what, and what people decide there."""

import pytest
from django.urls import reverse

from portal.models import AuditEntry
from syncops.models import SyncOperation
from tests.cast import make_subscription
from tests.queries import assert_same_queries
from tests.syncops.desk import operation_of

State = SyncOperation.State


@pytest.fixture
def failed(mapped):
    mapped.psa.fail_next("adjust", "reject")
    mapped.change_quantity(12)
    mapped.drain()
    return operation_of(mapped, "change_quantity")


@pytest.fixture
def undecided(mapped):
    from datetime import date

    mapped.psa.fail_next("adjust", "drop_before")
    mapped.change_quantity(12)
    mapped.drain()
    mapped.psa.edit(mapped.line, date(2026, 5, 20), 11)
    for _ in range(30):
        mapped.clock.wait(20)
        mapped.drain()
    return operation_of(mapped, "change_quantity")


def url(name, operation):
    return reverse(f"syncops:operation_{name}", args=[operation.pk])


def test_the_list_shows_the_operations_of_the_organization(mapped, as_user):
    page = as_user(mapped.cast.reader).get(reverse("syncops:operation_list"))
    assert page.status_code == 200
    assert "Map subscription" in page.content.decode()


def test_the_list_shows_nothing_of_another_tenant(mapped, as_user):
    page = as_user(mapped.cast.stranger).get(reverse("syncops:operation_list"))
    assert "Map subscription" not in page.content.decode().split("<tbody>")[1]


def test_a_fragment_is_only_the_table(mapped, as_user):
    page = as_user(mapped.cast.reader).get(reverse("syncops:operation_list"), headers={"HX-Request": "true"})
    assert page.content.decode().strip().startswith('<div id="table"')


@pytest.mark.parametrize("state", ["open", "needs_a_person", "final", "succeeded"])
def test_the_list_can_be_narrowed_by_state_and_by_group(mapped, as_user, state):
    page = as_user(mapped.cast.reader).get(reverse("syncops:operation_list"), {"state": state})
    shown = "Map subscription" in page.content.decode().split("<tbody>")[1]
    assert shown == (state in ("final", "succeeded"))


def test_the_list_costs_the_same_for_ten_rows_and_for_twenty(desk, client):
    client.force_login(desk.cast.reader)
    customer, variant = desk.subscription.customer, desk.subscription.variant

    def ten_more():
        first = desk.map() if not SyncOperation.objects.exists() else SyncOperation.objects.first()
        for number in range(10):
            row = make_subscription(customer, variant)
            stream = first.stream.__class__.objects.create(connection=desk.connection, subscription=row)
            SyncOperation.objects.create(
                stream=stream,
                sequence=number + 1,
                mapping=first.mapping,
                organization=desk.cast.csp,
                connection=desk.connection,
                subscription=row,
                kind="change_quantity",
                created_at=desk.clock.now,
            )

    assert_same_queries(client, reverse("syncops:operation_list"), ten_more)


@pytest.mark.parametrize("name", ["detail", "state", "retry", "dismiss", "decide"])
def test_another_tenants_operation_is_not_there(failed, mapped, as_user, name):
    client = as_user(mapped.cast.stranger)
    call = client.get if name in ("detail", "state") else client.post
    assert call(url(name, failed)).status_code == 404


@pytest.mark.parametrize("name", ["retry", "dismiss", "decide"])
def test_a_reader_decides_nothing(failed, mapped, as_user, name):
    assert as_user(mapped.cast.reader).post(url(name, failed)).status_code == 403
    failed.refresh_from_db()
    assert failed.state == State.FAILED


def test_the_page_says_what_happened_and_what_the_far_side_said(failed, mapped, as_user):
    text = as_user(mapped.cast.billing).get(url("detail", failed)).content.decode()
    assert "The PSA says no." in text
    assert "Ask a person." in text
    assert "What Autotask said" in text


def test_the_state_fragment_stops_asking_once_it_is_final(mapped, as_user):
    operation = operation_of(mapped)
    text = as_user(mapped.cast.reader).get(url("state", operation), headers={"HX-Request": "true"}).content.decode()
    assert "Succeeded" in text
    assert "hx-trigger" not in text


def test_without_javascript_the_state_leads_to_the_page(mapped, as_user):
    operation = operation_of(mapped)
    assert as_user(mapped.cast.reader).get(url("state", operation)).url == operation.get_absolute_url()


def test_retrying_sends_it_again(failed, mapped, as_user):
    as_user(mapped.cast.operations).post(url("retry", failed))
    mapped.clock.wait(60 * 60 * 24 * 365 * 10)
    mapped.drain()
    failed.refresh_from_db()
    assert (failed.state, mapped.adjustments()) == (State.SUCCEEDED, [("2026-05-10", 2)])


def test_retrying_what_is_done_is_refused_in_words(mapped, as_user):
    page = as_user(mapped.cast.operations).post(url("retry", operation_of(mapped)))
    assert page.status_code == 422
    assert "nothing to retry" in page.content.decode()


def test_dismissing_needs_a_reason_and_keeps_it_in_the_audit_log(failed, mapped, as_user):
    client = as_user(mapped.cast.billing)
    assert client.post(url("dismiss", failed), {"reason": ""}).status_code == 422
    client.post(url("dismiss", failed), {"reason": "Credited by hand"})
    failed.refresh_from_db()
    assert failed.state == State.DISMISSED
    assert AuditEntry.objects.get(name="Dismiss Operation").asked == {"reason": "Credited by hand"}


def test_a_write_without_an_answer_is_decided_by_a_person(undecided, mapped, as_user):
    assert undecided.state == State.HELD
    client = as_user(mapped.cast.billing)
    assert "Was it applied?" in client.get(url("detail", undecided)).content.decode()
    assert client.post(url("decide", undecided), {"applied": "no", "reason": ""}).status_code == 422
    client.post(url("decide", undecided), {"applied": "no", "reason": "Looked at it"})
    undecided.refresh_from_db()
    assert undecided.state == State.QUEUED


def test_what_waits_for_a_decision_cannot_be_retried_before_it(undecided, mapped, as_user):
    page = as_user(mapped.cast.operations).post(url("retry", undecided))
    assert "Say first whether" in page.content.decode()


def test_the_inbox_and_the_navigation_show_what_needs_a_person(failed, mapped, as_user):
    text = as_user(mapped.cast.billing).get(reverse("syncops:inbox")).content.decode()
    assert "Change quantity" in text
    assert '1<span class="hidden"> waiting' in text


def test_the_page_follows_only_what_changed(desk, as_user):
    operation = desk.map()
    client, htmx = as_user(desk.cast.reader), {"HX-Request": "true"}
    seen = client.get(url("detail", operation)).context["look"]
    assert client.get(url("state", operation), {"seen": seen}, headers=htmx).status_code == 204
    desk.drain()
    followed = client.get(url("state", operation), {"seen": seen}, headers=htmx).content.decode()
    assert followed.startswith('<div id="operation"')
    assert "Proved" in followed


def test_where_a_subscription_stands_follows_its_operation_to_the_end(desk, as_user):
    desk.map()
    client, htmx = as_user(desk.cast.reader), {"HX-Request": "true"}
    address = reverse("syncops:mapping_state", args=[desk.subscription.pk])
    seen = client.get(desk.subscription.get_absolute_url()).content.decode().partition("?seen=")[2][:16]
    assert client.get(address, {"seen": seen}, headers=htmx).status_code == 204
    desk.drain()
    followed = client.get(address, {"seen": seen}, headers=htmx).content.decode()
    assert "Succeeded" in followed
    assert "Synced" in followed
    assert "hx-trigger" not in followed
    assert client.get(address).url == desk.subscription.get_absolute_url()
    assert as_user(desk.cast.stranger).get(address, headers=htmx).status_code == 404


def test_the_journal_speaks_in_words(mapped, as_user):
    text = as_user(mapped.cast.reader).get(url("detail", operation_of(mapped))).content.decode()
    assert "Written down what will be sent" in text
    assert "Read back" in text
    assert "None" not in text.partition("Journal")[2]
