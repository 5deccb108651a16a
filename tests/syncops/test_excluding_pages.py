"""The pages that leave units out, or a whole subscription: previewed first, with a reason, shown where it counts."""

import re

import pytest
from django.urls import reverse

from connections import registry
from mappings.models import Exclusion
from tests.syncops.desk import NOON


@pytest.fixture
def page(mapped, monkeypatch, time_machine, as_user):
    monkeypatch.setitem(registry.PSAS, "autotask", lambda connection, **how: mapped.psa)
    time_machine.move_to(NOON, tick=False)
    url = reverse("syncops:subscription_exclude", args=[mapped.subscription.pk])

    def ask(user=None, **data):
        client = as_user(user or mapped.cast.operations)
        return client.post(url, data) if data else client.get(url)

    return ask


def html(answer):
    return answer.content.decode()


def test_one_asks_sees_the_bills_and_confirms(page, mapped, as_user):
    assert "has 10 units" in html(page())
    asked = {"units": "3", "day": "2026-05-12", "reason": "Our own people"}
    seen = page(**asked)
    assert all(words in html(seen) for words in ("3 units fewer", "This period", "Leave them out"))
    assert not Exclusion.objects.exists()
    digest = re.search(r'name="seen" value="(\w+)"', html(seen))[1]
    assert page(**asked, seen=digest).status_code == 302
    mapped.drain()
    shown = html(as_user(mapped.cast.operations).get(mapped.subscription.get_absolute_url()))
    assert "3 units from 12" in shown
    assert "Our own people" in shown
    listed = reverse("syncops:subscription_mapping", args=[mapped.connection.pk]) + "?state=all"
    assert "3 left out: Our own people" in html(as_user(mapped.cast.operations).get(listed))
    assert "are not billed from" in html(page())


def test_what_changed_since_the_preview_is_shown_again(page, mapped):
    answer = page(units="3", day="2026-05-12", reason="x", seen="another")
    assert (answer.status_code, "Something changed" in html(answer)) == (422, True)
    assert not Exclusion.objects.exists()


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"units": "11"}, "has 10 units"),
        ({"units": "-1"}, "greater than or equal to 0"),
        ({"reason": ""}, "This field is required"),
        ({"reason": "x" * 301}, "at most 300"),
        ({"day": "yesterday"}, "Enter a valid date"),
        ({"day": "2020-01-01"}, "Choose a day from the first one billed here"),
    ],
)
def test_what_cannot_be_read_is_told_and_kept(page, fields, words):
    answer = page(**({"units": "3", "day": "2026-05-12", "reason": "Kept words"} | fields))
    assert (answer.status_code, words in html(answer)) == (422, True)
    assert "Kept words" in html(answer) or "reason" in fields


def test_nobody_else_leaves_anything_out(page, mapped):
    assert page(mapped.cast.reader).status_code == 403
    assert page(mapped.cast.stranger).status_code == 404
    assert page(mapped.cast.reseller_admin, units="1", day="2026-05-12", reason="x").status_code == 404


def test_a_subscription_is_left_out_and_taken_in_again(desk, as_user):
    client = as_user(desk.cast.operations)
    pk = desk.subscription.pk
    url = reverse("syncops:subscription_leave_out", args=[pk])
    assert client.post(url, {"reason": ""}).status_code == 422
    assert client.post(url, {"reason": "A gift"}).status_code == 302
    page = html(client.get(desk.subscription.get_absolute_url()))
    assert "Left out since" in page
    assert "A gift" in page
    listed = html(client.get(reverse("syncops:subscription_mapping", args=[desk.connection.pk])))
    assert "Left out" in listed
    take_in = reverse("syncops:subscription_take_in", args=[pk])
    for user, status in ((desk.cast.stranger, 404), (desk.cast.reader, 403)):
        assert as_user(user).post(take_in).status_code == status
    assert as_user(desk.cast.operations).post(take_in).status_code == 302
    assert not Exclusion.objects.left_out().exists()


def test_what_is_billed_is_not_left_out_altogether(mapped, as_user):
    url = reverse("syncops:subscription_leave_out", args=[mapped.subscription.pk])
    answer = as_user(mapped.cast.operations).post(url, {"reason": "A gift"})
    assert (answer.status_code, "Remove that mapping first" in html(answer)) == (422, True)
