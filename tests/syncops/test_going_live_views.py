"""The pages of a rehearsal: what gathered, in money; choosing; going live; and who may."""

from copy import copy

import pytest
from django.urls import reverse

from syncops import going_live as live
from syncops.models import GoingLive, Rehearsal, SyncOperation
from tests.cast import make_customer, make_subscription, make_user
from tests.queries import assert_same_queries
from tests.syncops.test_going_live import gathered  # noqa: F401  a fixture

State = SyncOperation.State


@pytest.fixture
def page(gathered, monkeypatch) -> str:  # noqa: F811
    monkeypatch.setattr("syncops.views.going_live.timezone.now", lambda: gathered.clock.now)
    return reverse("syncops:going_live", args=[gathered.connection.pk])


def posted(gathered, **fields):  # noqa: F811
    return {"customer": gathered.subscription.customer_id} | fields


def test_it_shows_every_customer_and_line_in_money(page, gathered, cast, as_user):  # noqa: F811
    client = as_user(cast.admin)
    html = client.get(page).content.decode()
    assert "3 operations would be sent" in html
    assert "Contoso" in html
    assert "+45.00" in html  # 9 at 5.00 on the next bill
    lines = client.get(page, {"customer": gathered.subscription.customer_id}).content.decode()
    for words in (
        "+10 at 5.00",
        "+2 at the same price from 15",
        "-3 at the same price from 20",
        "Map subscription",
        "10\xa0May\xa02026",
    ):
        assert words in lines


def test_a_person_dismisses_with_a_reason_and_sends_the_rest(page, gathered, cast, as_user):  # noqa: F811
    client, last = as_user(cast.admin), SyncOperation.objects.latest("pk")
    url = reverse("syncops:going_live_choose", args=[gathered.connection.pk])
    refused = client.post(url, posted(gathered, rows=[last.pk], do="dismiss"))
    assert (refused.status_code, "Say why" in refused.content.decode()) == (422, True)
    answer = client.post(url, posted(gathered, rows=[last.pk], do="dismiss", reason="Agreed."))
    assert answer.url == f"{page}?customer={gathered.subscription.customer_id}"
    gathered.drain()
    Rehearsal.objects.filter(pk=last.pk).get(choice="dismiss", reason="Agreed.")
    seen = live.gathered_on(gathered.connection, gathered.clock.now).fingerprint
    confirm = reverse("syncops:going_live_confirm", args=[gathered.connection.pk])
    going = client.post(confirm, {"seen": seen})
    assert client.post(confirm, {"seen": seen}).url == going.url
    gathered.drain()
    html = client.get(going.url).content.decode()
    assert "2 sent, 1 dismissed" in html
    assert GoingLive.objects.count() == 1


def test_figures_that_changed_are_shown_again_and_nothing_is_sent(page, gathered, cast, as_user):  # noqa: F811
    confirm = reverse("syncops:going_live_confirm", args=[gathered.connection.pk])
    answer = as_user(cast.admin).post(confirm, {"seen": "of yesterday"})
    assert (answer.status_code, "not what you saw" in answer.content.decode()) == (422, True)
    assert not GoingLive.objects.exists()


@pytest.mark.parametrize(
    ("role", "allowed"), [("reader", ()), ("operations", ("again",)), ("billing", ("again", "choose"))]
)
def test_only_those_who_may_choose_and_go_live(page, gathered, cast, as_user, role, allowed):  # noqa: F811
    client = as_user(make_user(f"{role}@elsewhere.example", cast.csp, role))
    assert client.get(page).status_code == 200
    for name in ("again", "choose", "confirm"):
        answer = client.post(reverse(f"syncops:going_live_{name}", args=[gathered.connection.pk]))
        assert (answer.status_code != 403) == (name in allowed), name


def test_nobody_forgets_that_something_waits(gathered, cast, as_user):  # noqa: F811
    client = as_user(cast.admin)
    inbox = client.get(reverse("syncops:inbox")).content.decode()
    assert "3 operations wait in rehearsal" in inbox
    assert reverse("syncops:rehearsal_list") in inbox
    operation = SyncOperation.objects.latest("pk")
    html = client.get(operation.get_absolute_url()).content.decode()
    assert "It is planned, and nothing was sent" in html
    assert "What going live would do" in html
    assert "Rehearsed" in client.get(gathered.subscription.get_absolute_url()).content.decode()


def test_a_long_list_costs_no_more_queries(page, gathered, cast, as_user):  # noqa: F811
    """The same for 1 customer and for 10, for 3 operations of a line and for 13."""
    one = SyncOperation.objects.select_related("rehearsal").latest("pk")

    def make_ten() -> None:
        for number in range(10):
            other, row = copy(one), copy(one.rehearsal)
            other.pk, other.sequence, other.change = None, SyncOperation.objects.count() + 100, None
            if number % 2:
                customer = make_customer(cast.csp, f"Customer {other.sequence}")
                other.subscription = make_subscription(customer, one.subscription.variant)
            other.save(force_insert=True)
            row.pk, row.operation = None, other
            row.save(force_insert=True)

    client = as_user(cast.admin)
    for url in (page, f"{page}?customer={gathered.subscription.customer_id}"):
        assert_same_queries(client, url, make_ten)


def test_a_connection_that_is_live_has_no_such_page(mapped, cast, as_user):
    url = reverse("syncops:going_live", args=[mapped.connection.pk])
    assert as_user(cast.admin).get(url).url == reverse("syncops:operation_list")


def test_the_switch_says_what_it_keeps_from_being_billed(mapped, cast, as_user):
    client, url = as_user(cast.admin), reverse("connections:connection_rehearse", args=[mapped.connection.pk])
    assert "nothing is written to Autotask" in client.get(url).content.decode()
    client.post(url)
    client.post(url)
    mapped.connection.refresh_from_db()
    assert mapped.connection.rehearses
    html = client.get(mapped.connection.get_absolute_url()).content.decode()
    assert reverse("syncops:going_live", args=[mapped.connection.pk]) in html
