"""Notifications: genuine ones are taken once, everything else is refused, and nothing is asked of anybody meanwhile."""

import json

import pytest
from django.core.cache import cache
from django.test import Client
from django.utils import timezone

from connections import provider_tasks
from connections.models import Hint, Registration
from connections.provider.partner_center import notifications, registering
from connections.provider.partner_center.signatures import may_be_fetched
from connections.refusals import Refused
from portal.audit import Actor
from tests.connections.provider.imports import Importing
from tests.connections.sandbox.partner_center_api import NOORDZEE


@pytest.fixture(autouse=True)
def nobody_listens(settings):
    settings.PORTAL_CHANGE_LISTENERS = []
    settings.PUBLIC_URL = "http://127.0.0.1:9"
    cache.clear()


@pytest.fixture
def registration(connection, far_side):
    return registering.register(connection, replace=False, actor=Actor.system("test"), now=timezone.now())


class Sender:
    """Delivers as Partner Center does."""

    def __init__(self, registration, far_side):
        self.webhooks, self.path = far_side.server.webhooks, f"/notifications/partner-center/{registration.key}/"

    def body(self, subscription="11111111-2222-3333-4444-555555555555", at=None, name="subscription-updated"):
        resource = (
            f"http://api.partnercenter.microsoft.com/webhooks/v1/customers/{NOORDZEE}/subscriptions/{subscription}"
        )
        moment = (at or timezone.now()).isoformat()
        event = {"EventName": name, "ResourceUri": resource, "ResourceName": "x", "ResourceChangeUtcDate": moment}
        return json.dumps(event).encode()

    def send(self, body, **headers):
        sent = {**self.webhooks.headers(body), **headers}
        kind = sent.pop("Content-Type")
        return Client().post(self.path, body, content_type=kind, headers=sent).status_code


@pytest.fixture
def sender(registration, far_side):
    return Sender(registration, far_side)


def checked():
    """What a worker does with those whose certificate was not at hand."""
    for hint in Hint.objects.filter(state="unverified"):
        notifications.verify(hint.pk, now=timezone.now())


def test_a_genuine_one_is_taken_once_and_the_certificate_is_fetched_by_a_worker(sender):
    body = sender.body()
    assert sender.send(body) == 200
    assert Hint.objects.get().state == "unverified"
    checked()
    hint = Hint.objects.waiting().get()
    assert (hint.customer_external_id, hint.subscription_external_id) == (
        NOORDZEE,
        "11111111-2222-3333-4444-555555555555",
    )
    for _ in range(3):
        assert sender.send(body) == 200  # by now its certificate is at hand
    assert Hint.objects.waiting().count() == 1
    assert Registration.objects.get().delivered_at


@pytest.mark.parametrize(
    "headers",
    [
        {"Authorization": "Signature AAAA"},
        {"Authorization": ""},
        {"Authorization": "Signature !!!"},
        {"X-MS-Signature-Algorithm": "none"},
        {"X-MS-Certificate-Url": "https://evil.example/microsoft.com.cer"},
        {"X-MS-Certificate-Url": "http://x.microsoft.com/c.cer"},
        {"X-MS-Certificate-Url": ""},
    ],
)
def test_what_is_not_signed_as_microsoft_signs_is_refused(sender, headers):
    body = sender.body()
    sender.send(body)
    checked()
    waiting = Hint.objects.waiting().count()
    assert sender.send(sender.body(), **headers) == 401
    assert Hint.objects.waiting().count() == waiting


def test_a_changed_body_is_refused_also_where_the_certificate_comes_later(sender):
    body = sender.body()
    forged = body.replace(b"1111", b"9999")
    genuine = sender.webhooks.headers(body)
    kind = genuine.pop("Content-Type")
    assert Client().post(sender.path, forged, content_type=kind, headers=genuine).status_code == 200  # not known yet
    checked()
    assert not Hint.objects.waiting().exists()
    assert Client().post(sender.path, forged, content_type=kind, headers=genuine).status_code == 401


def test_an_old_one_tells_no_day_and_those_about_nothing_here_are_forgotten(sender):
    cached(sender)
    assert sender.send(sender.body(at=timezone.now() - notifications.TOO_OLD)) == 200
    assert Hint.objects.latest("pk").said == {}
    count = Hint.objects.waiting().count()
    assert sender.send(sender.body(name="test-created").replace(b"customers", b"things")) == 200
    assert sender.send(b"[]") == 400
    assert sender.send(b"\xff") == 400
    assert sender.send(b" " * (notifications.LARGEST + 1)) == 413
    assert Hint.objects.waiting().count() == count


def cached(sender):
    sender.send(sender.body())
    checked()


def test_few_wait_for_a_certificate(sender, monkeypatch):
    monkeypatch.setattr(notifications, "MOST_UNVERIFIED", 2)
    assert [sender.send(sender.body(f"{n:08d}-2222-3333-4444-555555555555")) for n in range(4)] == [200, 200, 503, 503]


def test_an_unknown_key_and_a_connection_out_of_use_are_404(sender, connection):
    assert Client().post("/notifications/partner-center/nobody/", b"{}", content_type="x").status_code == 404
    connection.state = "retired"
    connection.save()
    assert sender.send(sender.body()) == 404


def test_only_hosts_that_are_known_are_asked_for_certificates(settings):
    settings.PARTNER_CENTER_URL = "https://api.partnercenter.microsoft.com"
    allowed = "https://3psostorageacct.blob.core.windows.net/cert/pcnotifications-dispatch.microsoft.com.cer"
    assert may_be_fetched(allowed)
    assert may_be_fetched("https://download.microsoft.com/c.cer")
    for url in (
        allowed.replace("https", "http"),
        allowed.replace("3psostorageacct", "mine"),
        "https://microsoft.com.evil.example/c.cer",
        "https://evilmicrosoft.com/c.cer",
        "https://x.microsoft.com@evil.example/c.cer",
        "https://user:pw@x.microsoft.com/c.cer",
        "https://x.microsoft.com:8443/c.cer",
        "https://evil.example\\.microsoft.com/c.cer",
        "https://[::1/c.cer",
        "file:///etc/passwd",
        "",
    ):
        assert not may_be_fetched(url), url


def test_an_address_that_others_have_is_only_taken_over_when_told(connection, far_side, settings, registration):
    settings.PUBLIC_URL = "http://127.0.0.1:10"
    now = timezone.now()
    with pytest.raises(Refused, match="already"):
        registering.register(connection, replace=False, actor=Actor.system("test"), now=now)
    registering.register(connection, replace=True, actor=Actor.system("test"), now=now)
    assert "127.0.0.1:10" in far_side.server.ledger.store.setting("webhook")["WebhookUrl"]
    settings.PARTNER_CENTER_URL = "https://api.partnercenter.microsoft.com"
    with pytest.raises(Refused, match="https"):
        registering.register(connection, replace=True, actor=Actor.system("test"), now=now)


def test_a_hint_leads_to_the_change_on_the_day_that_it_tells(sender, connection, far_side):
    importing = Importing(connection, far_side)
    importing.clock.now = timezone.now()
    importing.only("noordzee-logistics")
    importing.everything()
    row = importing.subscription()
    far_side.control("modes", {"webhooks": "off"})
    importing.there(row, quantity=53)
    sender.send(sender.body(row.external_id))
    provider_tasks.work(timezone.now())
    provider_tasks.work(timezone.now())
    assert importing.subscription().quantity == 53
