"""Connections in the support admin: everything to be seen but secrets, nothing to be changed."""

import pytest
from django.urls import reverse

from connections import mirror
from connections.models import ConnectionSecret
from tests.cast import make_user
from tests.connections.conftest import NOW

MODELS = ("connection", "connectionsecret", "mirrorrefresh")
MIRRORED = ("mirroredcompany", "mirroredservice", "mirroredcontract", "mirroredline")


@pytest.fixture
def support(as_user, cast):
    person = make_user("support@portal.example", None, "reader")
    person.is_staff = person.is_superuser = True
    person.save()
    return as_user(person)


@pytest.fixture(autouse=True)
def rows(connection, far, settings):
    ConnectionSecret.objects.create(connection=connection, name="secret", ciphertext="v1.sealed", hint="ht", set_at=NOW)
    mirror.run_refresh(mirror.start_refresh(connection, now=NOW).pk, clock=lambda: NOW)
    type(connection.organization).objects.update(require_mfa=False)


@pytest.fixture
def let_in(support, monkeypatch):
    """Support staff need a second factor; this one has it."""
    session = support.session
    session["second_factor"] = True
    session.save()
    return support


@pytest.mark.parametrize("model", [*MODELS, *MIRRORED])
def test_every_kind_of_row_is_listed_found_and_read_only(let_in, model):
    path = reverse(f"admin:connections_{model}_changelist")
    listed = let_in.get(path, {"q": "a"})
    assert listed.status_code == 200
    assert let_in.get(f"{path}add/").status_code == 403


def test_a_secret_is_never_shown(let_in):
    page = let_in.get(reverse("admin:connections_connectionsecret_change", args=[ConnectionSecret.objects.get().pk]))
    assert page.status_code == 200
    assert b"sealed" not in page.content
