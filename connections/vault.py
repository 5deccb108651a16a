"""Secrets at rest: AES-256-GCM, bound to the row and field they belong to, with an ordered list of keys.

`PORTAL_FIELD_KEYS` is `id:key,id:key,…`; the first encrypts, all decrypt. A single value without an id is key `k1`.
"""

import base64
import hashlib
import os
from functools import lru_cache

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

VERSION = "v1"


class CannotDecrypt(Exception):
    """The value was moved, edited, or encrypted with a key that is not in the list."""


@lru_cache(maxsize=4)
def keyring(configured: str) -> dict[str, bytes]:
    """The keys by id, in order. Each key is stretched to 32 bytes with SHA-256, so any long random text will do."""
    ring: dict[str, bytes] = {}
    for part in configured.split(","):
        name, _, text = part.strip().rpartition(":")
        if len(text) < 32:
            raise ImproperlyConfigured("Each key in PORTAL_FIELD_KEYS must have at least 32 characters.")
        if (name or "k1") in ring:
            raise ImproperlyConfigured(
                f"Two keys in PORTAL_FIELD_KEYS are called {name or 'k1'}; write each as id:key, with an id of its own."
            )
        ring[name or "k1"] = hashlib.sha256(text.encode()).digest()
    return ring


def encrypt(value: str, *, bound_to: str) -> str:
    """`v1.<key id>.<nonce>.<ciphertext>`; only decrypts with the same `bound_to` (tenant|table|row|field)."""
    name, key = next(iter(keyring(settings.FIELD_KEYS).items()))
    nonce = os.urandom(12)
    sealed = AESGCM(key).encrypt(nonce, value.encode(), bound_to.encode())
    return ".".join([VERSION, name, _text(nonce), _text(sealed)])


def decrypt(stored: str, *, bound_to: str) -> str:
    """The value behind `stored`. Raises CannotDecrypt where it was moved or edited, or its key is gone."""
    try:
        version, name, nonce, sealed = _parts(stored)
        key = keyring(settings.FIELD_KEYS)[name]
        if version != VERSION:
            raise CannotDecrypt(f"Unknown format {version}.")
        return AESGCM(key).decrypt(_bytes(nonce), _bytes(sealed), bound_to.encode()).decode()
    except (ValueError, KeyError, InvalidTag) as error:
        raise CannotDecrypt("The stored secret cannot be decrypted with the configured keys.") from error


def current_key_id() -> str:
    """The key that encrypts: the first on the list."""
    return next(iter(keyring(settings.FIELD_KEYS)))


def key_id(stored: str) -> str:
    """Which key a stored value was encrypted with; empty where it cannot be told."""
    try:
        return _parts(stored)[1]
    except ValueError:
        return ""


def _parts(stored: str) -> tuple[str, str, str, str]:
    """Version, key id, nonce and ciphertext; only the id may hold a full stop. Raises ValueError."""
    version, rest = stored.split(".", 1)
    name, nonce, sealed = rest.rsplit(".", 2)
    return version, name, nonce, sealed


def _text(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def _bytes(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
