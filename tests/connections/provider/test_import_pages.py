"""What people see of importing, and their *Sync* buttons."""

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from connections.models import Hint, ProviderImport
from tests.cast import make_customer, make_subscription, make_variant


@pytest.fixture
def as_user():
    """A signed-in browser; `client` is Partner Center's here."""

    def sign_in(user):
        browser = Client()
        browser.force_login(user)
        return browser

    return sign_in


@pytest.fixture
def subscription(cast):
    return make_subscription(make_customer(cast.csp, external_id="tenant-1"), make_variant(cast.csp), external_id="s-1")


def made(connection, **fields):
    now = timezone.now()
    defaults = {"state": "succeeded", "started_at": now, "finished_at": now, "as_of": now}
    return ProviderImport.objects.create(connection=connection, **(defaults | fields))


def test_the_connection_shows_how_its_import_stands_and_reads_again_on_a_click(as_user, cast, connection):
    made(connection, counts={"subscriptions": 120, "changed": 2, "problems": 1}, problems=["Visio has no price."])
    client = as_user(cast.admin)
    page = client.get(connection.get_absolute_url()).content.decode()
    assert "Subscriptions compared" in page
    assert "Visio has no price." in page
    for _ in range(2):
        assert client.post(f"/connections/{connection.pk}/import/start/").status_code == 302
    assert ProviderImport.objects.running().count() == 1
    part = client.get(f"/connections/{connection.pk}/import/", headers={"HX-Request": "true"}).content.decode()
    assert part.lstrip().startswith("<section")
    assert "reading resellers" in part


def test_what_is_held_is_decided_by_a_person(as_user, cast, connection, subscription):
    made(connection, state="held", gone=[subscription.pk], message="Microsoft no longer shows 1 of 1 subscriptions.")
    client = as_user(cast.admin)
    assert "Count them as cancelled" in client.get(connection.get_absolute_url()).content.decode()
    assert connection.name in client.get("/").content.decode()
    client.post(f"/connections/{connection.pk}/import/decide/")
    subscription.refresh_from_db()
    assert subscription.status == "deleted"
    assert client.post(f"/connections/{connection.pk}/import/decide/").status_code == 404


def test_one_subscription_is_read_on_a_click_and_a_second_changes_nothing(as_user, cast, connection, subscription):
    client = as_user(cast.operations)
    assert "Not compared yet" in client.get(subscription.get_absolute_url()).content.decode()
    for _ in range(2):
        client.post(f"/subscriptions/{subscription.pk}/sync-now/")
    hint = Hint.objects.get()
    assert (hint.customer_external_id, hint.subscription_external_id) == ("tenant-1", "s-1")
    part = client.get(f"/subscriptions/{subscription.pk}/look/", headers={"HX-Request": "true"})
    assert "It is being read" in part.content.decode()
    Hint.objects.update(state="done", finished_at=timezone.now(), message="unchanged")
    through = client.get(f"/subscriptions/{subscription.pk}/look/", headers={"HX-Request": "true"})
    assert through.headers["HX-Redirect"] == subscription.get_absolute_url()


def test_a_customer_and_the_whole_list_are_read_on_a_click(as_user, cast, connection, subscription):
    client = as_user(cast.operations)
    assert "/subscriptions/sync/" in client.get("/subscriptions/").content.decode()
    assert (
        f"/customers/{subscription.customer_id}/sync/"
        in client.get(subscription.customer.get_absolute_url()).content.decode()
    )
    client.post("/subscriptions/sync/")
    assert ProviderImport.objects.running().count() == 1
    client.post(f"/customers/{subscription.customer_id}/sync/")
    assert Hint.objects.get().subscription_external_id == ""


def test_a_reader_sees_no_button_and_may_not_press_it(as_user, cast, connection, subscription):
    client = as_user(cast.reader)
    assert "sync-now" not in client.get(subscription.get_absolute_url()).content.decode()
    assert client.post(f"/subscriptions/{subscription.pk}/sync-now/").status_code == 403


def test_a_paused_connection_says_why_nothing_is_read(as_user, cast, make_connection, subscription):
    make_connection(state="unauthorized")
    client = as_user(cast.admin)
    page = client.post(f"/subscriptions/{subscription.pk}/sync-now/", follow=True).content.decode()
    assert "no connection to Partner Center that could be read" in page
    assert not Hint.objects.exists()


def test_the_next_night_is_the_organizations_own(connection):
    from connections.provider_tasks import last_night, next_night

    now = timezone.now()
    night = next_night(connection, now)
    assert night > now >= last_night(connection, now)
    assert night.astimezone(connection.organization.zone).hour == 2
    assert night - now <= timedelta(days=1)
