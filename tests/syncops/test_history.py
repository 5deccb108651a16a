"""The whole history of a subscription: changes, operations, proofs and shortfalls, in pages."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.urls import reverse

from portal.models import SubscriptionChange
from syncops.history import Place, history_of
from syncops.models import Shortfall
from tests.queries import assert_same_queries
from tests.syncops.desk import operation_of


def url(desk):
    return reverse("syncops:subscription_history", args=[desk.subscription.pk])


def add_changes(desk, count, at=None):
    SubscriptionChange.objects.bulk_create(
        SubscriptionChange(
            subscription=desk.subscription,
            kind="quantity_changed",
            effective_on=desk.today,
            recorded_at=at or desk.clock.now + timedelta(seconds=number),
            source="portal",
            before={"quantity": number},
            after={"quantity": number + 1},
        )
        for number in range(count)
    )


def walk(desk, size):
    """Every entry from the newest to the oldest, page by page."""
    found, after = [], None
    for _ in range(100):
        page = history_of(desk.subscription, desk.cast.reader, after, size=size)
        found += [str(entry.place) for entry in page.entries]
        if page.older is None:
            return found
        after = str(page.older)
    raise AssertionError("the history has no end")


def test_a_change_and_its_operation_are_one_entry(mapped):
    mapped.clock.wait(60)
    mapped.change_quantity(12)
    mapped.drain()
    newest, oldest = history_of(mapped.subscription, mapped.cast.reader).entries
    assert newest.change.kind == "quantity_changed"
    assert newest.operations == (operation_of(mapped, "change_quantity"),)
    assert (oldest.change, oldest.operations) == (None, (operation_of(mapped),))


@pytest.mark.parametrize("size", [1, 2, 7, 50])
def test_every_page_goes_on_where_the_last_one_ended(mapped, size):
    """Also where twenty changes and the operation are of one moment."""
    add_changes(mapped, 20, at=operation_of(mapped).created_at)
    add_changes(mapped, 5)
    found = walk(mapped, size)
    assert len(found) == len(set(found)) == 26
    assert found == walk(mapped, 100)


def test_proofs_and_shortfalls_are_shown_in_money(mapped, as_user):
    operation = operation_of(mapped)
    Shortfall.objects.create(
        operation=operation, stream=operation.stream, reason="posted", starts_on=date(2026, 5, 1),
        ends_on=date(2026, 5, 9), units=2, amount=Decimal("2.90"), currency="EUR", created_at=mapped.clock.now,
    )  # fmt: skip
    text = as_user(mapped.cast.reader).get(url(mapped)).content.decode()
    assert "proved" in text
    assert "2.90\u00a0EUR" in text


def test_nobody_else_sees_it(mapped, as_user):
    assert as_user(mapped.cast.stranger).get(url(mapped)).status_code == 404


def test_what_another_organization_did_is_not_shown(mapped):
    entries = history_of(mapped.subscription, mapped.cast.reseller_admin).entries
    assert [entry.operations for entry in entries if entry.operations] == []


@pytest.mark.parametrize(
    "after", ["", "x", "2026-05-10_1_1", "2026-05-10T00:00:00+00:00_0_99999999999999999999", "\x00"]
)
def test_an_address_that_names_no_place_gives_the_newest(mapped, as_user, after):
    page = as_user(mapped.cast.reader).get(url(mapped), {"after": after})
    assert page.context["page"].is_first


def test_a_place_survives_its_address(mapped):
    place = Place(operation_of(mapped).created_at, 1, 5)
    assert Place.named(str(place)) == place
    assert Place.named(str(place).replace("+", " ")) == place


def test_as_many_questions_for_ten_entries_as_for_twenty(mapped, client):
    client.force_login(mapped.cast.reader)
    assert_same_queries(client, url(mapped), lambda: add_changes(mapped, 10))


def test_the_subscriptions_page_leads_there(mapped, as_user):
    assert url(mapped) in as_user(mapped.cast.reader).get(mapped.subscription.get_absolute_url()).content.decode()
