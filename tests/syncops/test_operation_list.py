"""The operations list: what narrows it, and how it follows what is on its way."""

from datetime import timedelta

import pytest
from django.urls import reverse

from portal.far_side import Rejected
from syncops.models import SyncOperation
from tests.syncops.stopped import an_operation, stop_operations

URL = "syncops:operation_list"


def shown(client, **asked):
    return [one.pk for one in client.get(reverse(URL), asked).context["page"].rows]


@pytest.fixture
def rows(desk):
    """One that was refused, one beyond its contract and later, one on its way."""
    (refused,) = stop_operations(desk, 1)
    ends = Rejected("After the contract ends on 2026-04-30.", raw="effectiveDate must be between")
    (beyond,) = stop_operations(desk, 1, ends, effective_on=desk.today + timedelta(days=9), kind="map_subscription")
    SyncOperation.objects.filter(pk=beyond.pk).update(error_kind="beyond_contract")
    return {"refused": refused.pk, "beyond": beyond.pk, "open": an_operation(desk).pk}


@pytest.mark.parametrize(
    ("asked", "names"),
    [
        ({"error": "rejected"}, ["refused"]),
        ({"error": "beyond_contract"}, ["beyond"]),
        ({"words": "contract ENDS"}, ["beyond"]),
        ({"words": "effectivedate"}, ["beyond"]),
        ({"words": "no such words"}, []),
        ({"reason": "The PSA says no. No."}, ["refused"]),
        ({"kind": "map_subscription"}, ["beyond"]),
        ({"since": "2026-05-11"}, ["beyond"]),
        ({"until": "2026-05-10"}, ["open", "refused"]),
        ({"state": "needs_a_person", "since": "2026-05-10", "until": "2026-05-10"}, ["refused"]),
        ({"state": "queued"}, ["open"]),
    ],
)
def test_the_list_is_narrowed(rows, desk, as_user, asked, names):
    assert shown(as_user(desk.cast.reader), **asked) == [rows[name] for name in names]


def test_the_list_is_narrowed_by_customer_and_connection(rows, desk, as_user):
    client = as_user(desk.cast.reader)
    assert len(shown(client, customer=desk.subscription.customer_id, connection=desk.connection.pk)) == 3


def test_a_reason_that_came_with_a_link_shows_as_a_chip(rows, desk, as_user):
    text = as_user(desk.cast.reader).get(reverse(URL), {"reason": "The PSA says no. No."}).content.decode()
    assert "Reason: The PSA says no. No." in text


def test_the_list_follows_what_is_on_its_way_and_stops_when_idle(rows, desk, as_user):
    client = as_user(desk.cast.reader)
    page = client.get(reverse(URL), {"state": "open"})
    assert "every 3s" in page.content.decode()
    assert "?state=open" in page.content.decode().partition('id="table"')[2].partition(">")[0]
    follow = {"HX-Request": "true", "X-Seen": page.context["look"]}
    assert client.get(reverse(URL), {"state": "open"}, headers=follow).status_code == 204
    SyncOperation.objects.filter(pk=rows["open"]).update(state="succeeded")
    after = client.get(reverse(URL), headers=follow)
    assert after.status_code == 200
    assert "every 3s" not in after.content.decode()
