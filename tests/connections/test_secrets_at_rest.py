"""Secrets in the database: they open only where they belong, and only with a key on the list."""

import pytest
from django.core.exceptions import ImproperlyConfigured

from connections import vault
from connections.models import ConnectionSecret
from tests.connections.conftest import NOW, make_connection

OLD, NEW = "k1:" + "an old key of some length " * 2, "k2:" + "a new key of some length " * 2


@pytest.fixture(autouse=True)
def keys(settings):
    settings.FIELD_KEYS = f"{NEW},{OLD}"


def test_a_value_opens_only_with_what_it_is_bound_to():
    sealed = vault.encrypt("right", bound_to="here")
    assert vault.decrypt(sealed, bound_to="here") == "right"
    assert "right" not in sealed
    with pytest.raises(vault.CannotDecrypt):
        vault.decrypt(sealed, bound_to="there")


def test_the_same_value_never_looks_the_same():
    assert vault.encrypt("right", bound_to="here") != vault.encrypt("right", bound_to="here")


@pytest.mark.parametrize("broken", ["", "v1", "v2.k2.AAAA.AAAA", "v1.k9.AAAA.AAAA", "v1.k2.AAAA.A\u20ac", "a.b.c.d"])
def test_what_was_edited_does_not_open(broken):
    with pytest.raises(vault.CannotDecrypt):
        vault.decrypt(broken, bound_to="here")


def test_one_changed_character_does_not_open():
    sealed = vault.encrypt("right", bound_to="here")
    other = sealed[:-1] + ("A" if sealed[-1] != "A" else "B")
    with pytest.raises(vault.CannotDecrypt):
        vault.decrypt(other[:-2] + "xx", bound_to="here")


def test_the_first_key_seals_and_every_key_opens(settings):
    settings.FIELD_KEYS = OLD
    sealed = vault.encrypt("right", bound_to="here")
    settings.FIELD_KEYS = f"{NEW},{OLD}"
    assert vault.decrypt(sealed, bound_to="here") == "right"
    assert (vault.key_id(sealed), vault.current_key_id()) == ("k1", "k2")


def test_a_key_that_is_too_short_is_refused(settings):
    settings.FIELD_KEYS = "k1:short"
    with pytest.raises(ImproperlyConfigured, match="32 characters"):
        vault.encrypt("right", bound_to="here")


def test_a_secret_that_is_moved_to_another_connection_does_not_open(cast, connection):
    sealed = vault.encrypt("right", bound_to=ConnectionSecret.binding(connection, "secret"))
    secret = ConnectionSecret.objects.create(connection=connection, name="secret", ciphertext=sealed, set_at=NOW)
    assert secret.reveal() == "right"
    ConnectionSecret.objects.update(connection=make_connection(cast.other_csp))
    with pytest.raises(vault.CannotDecrypt):
        ConnectionSecret.objects.get().reveal()
    ConnectionSecret.objects.update(connection=connection, name="integration_code")
    with pytest.raises(vault.CannotDecrypt):
        ConnectionSecret.objects.get().reveal()
