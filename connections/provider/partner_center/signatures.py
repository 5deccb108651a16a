"""Whether a notification comes from Partner Center: its signature over the body, by a certificate of Microsoft's.

The certificate's address comes with the notification, so it is only fetched from hosts that are known beforehand:
microsoft.com, what PARTNER_CENTER_CERTIFICATE_HOSTS names, and the address at which Partner Center itself is reached.
"""

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.x509.oid import NameOID
from django.conf import settings

ALGORITHM = "rsa-sha256"
ISSUER = "Microsoft Corporation"
OWN_DOMAIN = ".microsoft.com"
LONGEST_URL = 500


class NotGenuine(Exception):
    """The notification is not signed as Partner Center signs; the text says what is wrong with it."""


@dataclass(frozen=True, slots=True)
class Signed:
    """The signature of a notification, and where the certificate is that made it."""

    signature: bytes
    certificate_url: str


def signed(headers: Mapping[str, str]) -> Signed:
    """What the headers say. The signature stands in Authorization, or in x-ms-signature where that was asked for."""
    if headers.get("X-MS-Signature-Algorithm", "").strip().lower() != ALGORITHM:
        raise NotGenuine(f"It is not signed with {ALGORITHM}.")
    text = headers.get("x-ms-signature") or headers.get("Authorization", "")
    scheme, _, rest = text.strip().partition(" ")
    try:
        value = base64.b64decode((rest if scheme.lower() == "signature" else text).strip(), validate=True)
    except (ValueError, binascii.Error):
        value = b""
    if not value:
        raise NotGenuine("It carries no signature.")
    url = headers.get("X-MS-Certificate-Url", "").strip()
    if not may_be_fetched(url):
        raise NotGenuine("Its certificate lies where none of Partner Center's does.")
    return Signed(value, url)


def may_be_fetched(url: str) -> bool:
    """Whether a certificate may be fetched from this address."""
    if len(url) > LONGEST_URL or not url.isascii() or "\\" in url:
        return False
    try:
        parts = urlsplit(url)
        own = urlsplit(settings.PARTNER_CENTER_URL)
        at, home = (parts.scheme, parts.hostname, parts.port), (own.scheme, own.hostname, own.port)
    except ValueError:
        return False
    if parts.username is not None or parts.password is not None or not parts.hostname:
        return False
    if at == home:
        return True
    known = parts.hostname.endswith(OWN_DOMAIN) or parts.hostname in settings.PARTNER_CENTER_CERTIFICATE_HOSTS
    return parts.scheme == "https" and parts.port in (None, 443) and known


def certificate_in(content: bytes) -> x509.Certificate:
    """A certificate in DER or PEM."""
    try:
        if content.lstrip().startswith(b"-----BEGIN"):
            return x509.load_pem_x509_certificate(content)
        return x509.load_der_x509_certificate(content)
    except ValueError as error:
        raise NotGenuine("What lies at the address of its certificate is none.") from error


def check(body: bytes, signature: bytes, certificate: x509.Certificate, now: datetime) -> None:
    """Raise NotGenuine unless this certificate is in force, was issued by Microsoft, and made the signature."""
    if not certificate.not_valid_before_utc <= now <= certificate.not_valid_after_utc:
        raise NotGenuine("Its certificate is not in force.")
    names = certificate.issuer.get_attributes_for_oid(NameOID.ORGANIZATION_NAME)
    if ISSUER not in [name.value for name in names]:
        raise NotGenuine(f"Its certificate was not issued by {ISSUER}.")
    key = certificate.public_key()
    if not isinstance(key, RSAPublicKey):
        raise NotGenuine("Its certificate holds no RSA key.")
    try:
        key.verify(signature, body, PKCS1v15(), SHA256())
    except InvalidSignature as error:
        raise NotGenuine("Its signature does not fit its body.") from error
