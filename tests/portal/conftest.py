"""A distribution side with memory in place of Partner Center, and a listener that remembers the recorded changes."""

import pytest

from portal import provider as port
from portal.models import SubscriptionChange
from tests.fake_provider import FakeProvider

heard: list[SubscriptionChange] = []


def listen(change: SubscriptionChange) -> None:
    heard.append(change)


@pytest.fixture
def changes(settings) -> list[SubscriptionChange]:
    """The changes that listeners were told of."""
    settings.PORTAL_CHANGE_LISTENERS = ["tests.portal.conftest.listen"]
    heard.clear()
    return heard


@pytest.fixture
def provider(monkeypatch, settings, changes) -> FakeProvider:
    fake = FakeProvider()
    settings.PORTAL_PROVIDER = "anything.that.is.dotted"
    monkeypatch.setattr(port, "import_string", lambda name: fake)
    return fake
