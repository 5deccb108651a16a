"""Connections for tests: one in the database whose PSA is in memory, and one on the sandbox."""

from datetime import UTC, datetime
from uuid import uuid4

import pytest

from connections import registry
from connections.models import Connection
from connections.registry import Trial
from tests.connections.far_sides import InMemory, sandbox
from tests.connections.sandbox.autotask_api import USER

NOW = datetime(2026, 5, 15, 12, 0, tzinfo=UTC)
SECRETS = {"secret": USER["secret"], "integration_code": USER["integration_code"]}


def make_connection(organization, name="Autotask EUR", **fields):
    defaults = {
        "kind": "autotask",
        "currency": "EUR",
        "state": "active",
        "settings": {"user_name": USER["user_name"]},
        "key": uuid4(),
    }
    return Connection.objects.create(organization=organization, name=name, **(defaults | fields))


def a_trial(*results, secrets=SECRETS, **facts):
    return Trial(results, secrets, facts)


@pytest.fixture
def connection(cast):
    """An active Autotask connection of the CSP."""
    return make_connection(cast.csp)


@pytest.fixture
def far(monkeypatch):
    """What every Autotask connection leads to: the small Autotask in memory."""
    in_memory = InMemory()
    monkeypatch.setitem(registry.PSAS, "autotask", lambda connection, **how: in_memory.psa)
    return in_memory


@pytest.fixture
def autotask(tmp_path, settings):
    """The small Autotask as a running sandbox that the settings point at."""
    with sandbox(tmp_path / "autotask", settings) as server:
        yield server
