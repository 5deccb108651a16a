"""Who uses the installation, and its connection."""

import uuid

from django.conf import settings
from django.test import Client
from django.utils import timezone

from connections.actions import create_connection
from connections.registry import try_credentials
from portal.audit import Actor
from portal.models import User
from tests.cast import make_cast
from tests.connections.sandbox.autotask_api import USER

CONNECTION = "Autotask"


def connect() -> str:
    """People in every role and a tested Autotask connection; its name. Its mirror waits to be read."""
    cast, key, public = make_cast(), uuid.uuid4(), {"user_name": USER["user_name"]}
    secrets = {name: USER[name] for name in ("secret", "integration_code")}
    trial = try_credentials("autotask", public, secrets, key, organization=cast.csp)
    create_connection(
        cast.csp,
        kind="autotask",
        name=CONNECTION,
        currency="EUR",
        settings=public,
        trial=trial,
        key=key,
        actor=Actor.user(cast.admin),
        now=timezone.now(),
    )
    return CONNECTION


def sign_in(email: str) -> dict[str, str]:
    """A session of this person, as the cookie that a browser would send."""
    client = session_of(email)
    return {"name": settings.SESSION_COOKIE_NAME, "value": client.cookies[settings.SESSION_COOKIE_NAME].value}


def session_of(email: str) -> Client:
    """A browser in which this person is signed in."""
    client = Client(headers={"Host": "localhost"})
    client.force_login(User.objects.get(email=email), backend=settings.AUTHENTICATION_BACKENDS[0])
    return client
