"""The same pages for Partner Center: what they share with Autotask, and what differs."""

from uuid import uuid4

import pytest

from connections.models import Connection
from connections.sandbox.seed import DEMO_PARTNER_CENTER
from tests.connections.sandbox.partner_center_api import PartnerCenter

NEW = "/connections/new/partner_center/"
NAMES = ("tenant_id", "client_id", "client_secret", "refresh_token")
TYPED = {"key": str(uuid4())} | {name: DEMO_PARTNER_CENTER[name] for name in NAMES}


@pytest.fixture
def admin(as_user, cast):
    return as_user(cast.admin)


@pytest.fixture
def microsoft(tmp_path, settings):
    with PartnerCenter(tmp_path) as running:
        settings.PARTNER_CENTER_URL = settings.PARTNER_CENTER_LOGIN_URL = running.url
        yield running


def test_the_preparation_and_the_form_are_microsofts(admin):
    assert b"App registrations" in admin.get("/connections/new/?kind=partner_center").content
    assert b"Refresh token" in admin.get(NEW).content


def test_a_tenant_is_connected_tested_and_given_new_credentials(admin, microsoft):
    step = admin.post(NEW, TYPED)["Location"]
    assert 'value="EUR"' in admin.get(step).content.decode()
    ready = admin.post(step, {"name": "Microsoft", "currency": "eur"})
    connection = Connection.objects.get()
    assert ready["Location"] == f"{connection.get_absolute_url()}ready/"
    assert "Orders and changes" in admin.get(ready["Location"]).content.decode()
    assert (connection.kind, connection.state) == ("partner_center", "active")
    assert not connection.refreshes.exists()
    page = admin.get(connection.get_absolute_url()).content.decode()
    assert "Partner tenant id" in page
    assert "Data from Autotask" not in page
    first = connection.secrets.get(name="refresh_token").reveal()
    assert first != TYPED["refresh_token"], "signing in brings a newer token, and that is the one to keep"
    tested = admin.post(f"{connection.get_absolute_url()}test/", follow=True).content.decode()
    assert "every right is there" in tested
    again = {**TYPED, "refresh_token": connection.secrets.get(name="refresh_token").reveal()}
    assert admin.post(f"{connection.get_absolute_url()}credentials/", again).status_code == 302


def test_a_sign_in_that_is_refused_makes_nothing(admin, microsoft):
    response = admin.post(NEW, TYPED | {"refresh_token": "revoked-token"})
    assert response.status_code == 422
    assert b"reconnect needed" in response.content
    assert b"revoked-token" not in response.content
    assert not Connection.objects.exists()
