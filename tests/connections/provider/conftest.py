import uuid

import pytest
from django.utils import timezone

from connections import vault
from connections.models import Connection, ConnectionSecret
from connections.provider.partner_center.auth import Cache, Tokens
from connections.provider.partner_center.client import PartnerCenter
from connections.provider.partner_center.credentials import StoredKeeper
from connections.provider.partner_center.provider import PartnerCenterProvider
from connections.sandbox.seed import DEMO_PARTNER_CENTER
from tests.connections.sandbox import partner_center_api

PUBLIC = {name: DEMO_PARTNER_CENTER[name] for name in ("tenant_id", "client_id")}
SECRETS = {name: DEMO_PARTNER_CENTER[name] for name in ("client_secret", "refresh_token")}


@pytest.fixture
def far_side(tmp_path, settings):
    """A running stand-in, which the settings name as Partner Center and as the login service."""
    with partner_center_api.PartnerCenter(tmp_path) as running:
        settings.PARTNER_CENTER_URL = settings.PARTNER_CENTER_LOGIN_URL = running.url
        yield running


@pytest.fixture
def make_connection(cast):
    def make(organization=None, secrets=SECRETS, **fields):
        defaults = {"name": f"Partner Center {Connection.objects.count()}", "currency": "EUR", "state": "active"}
        connection = Connection.objects.create(
            organization=organization or cast.csp,
            kind="partner_center",
            settings=PUBLIC,
            **(defaults | fields),
        )
        for name, value in secrets.items():
            sealed = vault.encrypt(value, bound_to=ConnectionSecret.binding(connection, name))
            ConnectionSecret.objects.create(
                connection=connection, name=name, ciphertext=sealed, hint=value[-2:], set_at=timezone.now()
            )
        return connection

    return make


@pytest.fixture
def connection(make_connection):
    return make_connection()


@pytest.fixture
def client(connection, far_side):
    """The client of the connection. Its pauses take no time here and move the stand-in's clock."""
    tokens = Tokens(StoredKeeper(connection), cache=Cache())
    return PartnerCenter(tokens, key=str(connection.key), sleep=lambda seconds: far_side.advance(seconds=seconds))


@pytest.fixture
def provider(connection, client):
    return PartnerCenterProvider(connection, client)


@pytest.fixture
def request_id():
    return uuid.uuid4()
