"""What tests of the sign-in say for the login service, and how they look at what was asked and stored."""

from urllib.parse import parse_qs

from connections.models import ConnectionSecret
from connections.provider.partner_center.auth import Cache, Tokens
from connections.provider.partner_center.credentials import StoredKeeper
from connections.sandbox.seed import DEMO_PARTNER_CENTER

LOGIN = "https://login.example"
URL = f"{LOGIN}/{DEMO_PARTNER_CENTER['tenant_id']}/oauth2/v2.0/token"
FIRST = DEMO_PARTNER_CENTER["refresh_token"]


def tokens_of(connection, **options):
    return Tokens(StoredKeeper(connection), **({"cache": Cache()} | options))


def answer(access="access-1", refresh="refresh-1", **more):
    return {"json": {"expires_in": 3600, "access_token": access, "refresh_token": refresh} | more}


def stored(connection, name="refresh_token"):
    return ConnectionSecret.objects.get(connection=connection, name=name).reveal()


def forms(login):
    """The forms that were posted."""
    return [{name: values[0] for name, values in parse_qs(call.request.body.decode()).items()} for call in login.calls]
