"""The page that bills an offer as another service on one contract."""

import re

import pytest
from django.urls import reverse

from connections import registry
from mappings.models import ServiceOverride
from tests.syncops.test_overriding import billing  # noqa: F401


@pytest.fixture
def page(billing, monkeypatch, time_machine, as_user):  # noqa: F811
    monkeypatch.setitem(registry.PSAS, "autotask", lambda connection, **how: billing.psa)
    time_machine.move_to("2026-05-20T12:00:00+00:00", tick=False)
    url = reverse("syncops:contract_service", args=[billing.subscription.pk])

    def ask(user=None, q="", **data):
        client = as_user(user or billing.cast.operations)
        return client.post(url, data) if data else client.get(url, {"q": q})

    return ask


ASKED = {"service": "11", "day": "2026-05-15", "reason": "A price of its own"}


def html(answer):
    return answer.content.decode()


def test_one_searches_sees_both_lines_and_confirms(page, billing, as_user):  # noqa: F811
    assert "Basic for Contoso" in html(page())
    assert "Basic for Contoso" not in html(page(q="visio"))
    seen = html(page(**ASKED))
    assert all(words in seen for words in ("First: Basic for Contoso", "Then: Microsoft 365", "This period"))
    assert not ServiceOverride.objects.exists()
    digest = re.search(r'name="seen" value="(\w+)"', seen)[1]
    assert page(**ASKED, seen=digest).status_code == 302
    billing.drain()
    shown = html(as_user(billing.cast.operations).get(billing.subscription.get_absolute_url()))
    assert "instead of what the offer is mapped to: A price of its own" in shown
    assert "What the offer is mapped to" in html(page())


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"service": "999"}, "That service cannot bill it"),
        ({"service": ""}, "Choose a service"),
        ({"reason": ""}, "This field is required"),
        ({"day": "2030-01-01"}, "up to today"),
        ({"seen": "another"}, "Something changed"),
    ],
)
def test_what_cannot_be_is_told_and_kept(page, fields, words):
    answer = page(**(ASKED | fields))
    assert (answer.status_code, words in html(answer)) == (422, True)
    assert not ServiceOverride.objects.exists()


def test_an_autotask_that_is_away_changes_nothing(page, billing):  # noqa: F811
    billing.psa.fail_next("contract", "unavailable")
    assert page(**ASKED).status_code == 503


def test_nobody_else_may(page, billing):  # noqa: F811
    assert page(billing.cast.reader).status_code == 403
    assert page(billing.cast.stranger).status_code == 404
    assert page(billing.cast.reseller_admin, **ASKED).status_code == 404
