"""Identifiers and moments that are the same on every run, though they look like the real ones."""

import hashlib
import uuid
from datetime import UTC, date, datetime, time, timedelta

_NAMESPACE = uuid.UUID("6f0d4a53-6a52-5d0b-9a43-0d1f6f9e5b11")
_ALPHABET = "0123456789BCDFGHJKLMNPQRSTVWXZ"


def guid(name: str) -> str:
    """A GUID that belongs to `name`, in lower case."""
    return str(uuid.uuid5(_NAMESPACE, name))


def order_id(name: str) -> str:
    """Twelve hexadecimal characters, the form of new commerce order ids."""
    return hashlib.sha256(f"order/{name}".encode()).hexdigest()[:12]


def catalogue_code(prefix: str, name: str) -> str:
    """A product-like code: the prefix and four characters, as in `CFQ7TTC0K971`."""
    digest = hashlib.sha256(f"code/{name}".encode()).digest()
    return prefix + "".join(_ALPHABET[byte % len(_ALPHABET)] for byte in digest[:4])


def spread(name: str, size: int) -> int:
    """A number below `size` that belongs to `name`."""
    return int.from_bytes(hashlib.sha256(f"spread/{name}".encode()).digest()[:4], "big") % size


def working_hour(day: date, name: str) -> datetime:
    """A moment of that day between 07:00 and 17:00 UTC."""
    return datetime.combine(day, time(7), UTC) + timedelta(
        seconds=spread(name, 36_000), microseconds=spread(name, 999_983)
    )
