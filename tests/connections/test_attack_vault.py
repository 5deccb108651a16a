"""Lists of keys as people write them."""

import pytest
from django.core.exceptions import ImproperlyConfigured

from connections import vault

OLD, NEW = "o" * 40, "n" * 40


def test_the_id_of_a_key_may_hold_a_full_stop(settings):
    settings.FIELD_KEYS = f"2026.11:{NEW}"
    sealed = vault.encrypt("secret", bound_to="row 1")
    assert vault.decrypt(sealed, bound_to="row 1") == "secret"
    assert vault.key_id(sealed) == "2026.11"


@pytest.mark.parametrize("configured", [f"{NEW},{OLD}", f"k1:{NEW},{OLD}", f"a:{NEW},a:{OLD}"])
def test_two_keys_of_one_name_are_refused_because_one_would_be_lost(settings, configured):
    settings.FIELD_KEYS = configured
    with pytest.raises(ImproperlyConfigured, match="Two keys"):
        vault.encrypt("secret", bound_to="row 1")


@pytest.mark.parametrize("stored", ["", "v1", "v1.k1", "v1.k1.x.y", "v2.k1.AAAA.AAAA", "v1.gone.AAAA.AAAA", "….é.ü.ß"])
def test_what_is_no_ciphertext_says_so(settings, stored):
    settings.FIELD_KEYS = f"k1:{OLD}"
    with pytest.raises(vault.CannotDecrypt):
        vault.decrypt(stored, bound_to="row 1")
    vault.key_id(stored)
