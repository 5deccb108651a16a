import shutil
import uuid

import pytest
import responses
from django.utils import timezone

from connections import vault
from connections.models import Connection, ConnectionSecret
from connections.provider.partner_center.auth import Cache, Tokens
from connections.provider.partner_center.client import PartnerCenter
from connections.provider.partner_center.credentials import StoredKeeper
from connections.provider.partner_center.provider import PartnerCenterProvider
from connections.sandbox.seed import DEMO_PARTNER_CENTER
from tests.connections.provider.login import LOGIN
from tests.connections.sandbox import partner_center_api

PUBLIC = {name: DEMO_PARTNER_CENTER[name] for name in ("tenant_id", "client_id")}
SECRETS = {name: DEMO_PARTNER_CENTER[name] for name in ("client_secret", "refresh_token")}


@pytest.fixture(scope="session")
def seeded(tmp_path_factory):
    """The folder of a stand-in that was filled once; every test works on a copy."""
    folder = tmp_path_factory.mktemp("seeded")
    with partner_center_api.PartnerCenter(folder):
        pass
    return folder


@pytest.fixture
def far_side(seeded, tmp_path, settings):
    """A running stand-in, which the settings name as Partner Center and as the login service."""
    with partner_center_api.PartnerCenter(shutil.copytree(seeded, tmp_path / "far_side")) as running:
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


class FixedTokens:
    """Gives token-1, then token-2 once the first was forgotten, and so on."""

    def __init__(self):
        self.number = 1

    def token(self):
        return f"token-{self.number}"

    def forget(self, text):
        self.number += text == self.token()


@pytest.fixture
def web():
    """Answers in place of the network, each given once and in order; the last one is given again."""
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        yield mock


@pytest.fixture
def login(settings, web):
    """Answers in place of the login service."""
    settings.PARTNER_CENTER_LOGIN_URL = LOGIN
    return web


@pytest.fixture
def pauses():
    """The pauses that `bare_client` would have made, in seconds."""
    return []


@pytest.fixture
def bare_client(settings, pauses):
    """A client with tokens of its own, for answers from `web`."""
    settings.PARTNER_CENTER_URL = "https://api.partnercenter.microsoft.com"
    return PartnerCenter(FixedTokens(), key=str(uuid.uuid4()), sleep=pauses.append)
