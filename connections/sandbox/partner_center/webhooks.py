"""Notifications of the Partner Center stand-in: registration, the signing certificate, and their delivery.

They go to addresses on this machine only. The certificate is made when it is first needed; it says that Microsoft
issued it, and is served where the notifications name it.
"""

import base64
import json
import queue
import threading
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit
from urllib.request import Request as Delivery
from urllib.request import urlopen

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.x509.oid import NameOID

from ..http import Request, Response
from . import terms
from .errors import refused
from .ledger import Ledger

EVENTS = ["subscription-updated", "subscription-active", "test-created", "usagerecords-thresholdExceeded"]
CERTIFICATE = "/certificates/pcnotifications-dispatch.cer"
API = "https://api.partnercenter.microsoft.com/webhooks/v1"
LOOPBACK = ("127.0.0.1", "localhost", "::1")
ATTEMPTS, PAUSE_S = 10, 1.0


class Webhooks:
    """One registration for the tenant. `url` is the stand-in's own address."""

    def __init__(self, ledger: Ledger, url: str) -> None:
        self._ledger, self._url = ledger, url
        self._waiting: queue.Queue[dict[str, Any] | None] = queue.Queue()
        self._thread: threading.Thread | None = None
        self._key: rsa.RSAPrivateKey | None = None
        self._lock = threading.Lock()
        self._stopping = threading.Event()

    def events(self, request: Request) -> Response:
        return Response(body=EVENTS)

    def registration(self, request: Request) -> Response:
        found = self._ledger.store.setting("webhook")
        if found is None:
            raise refused(404, 1000)
        return Response(body=found)

    def register(self, request: Request, caller: Mapping[str, Any]) -> Response:
        told = {str(name).lower(): value for name, value in (request.json() or {}).items()}
        url, events = str(told.get("webhookurl") or ""), told.get("webhookevents") or []
        if urlsplit(url).hostname not in LOOPBACK or not set(events) <= set(EVENTS):
            raise refused(400, 800002)
        in_header = bool(told.get("signaturetokentomssignatureheader"))
        found = {"SubscriberId": caller.get("tid", ""), "WebhookUrl": url, "WebhookEvents": events}
        self._ledger.store.set_setting("webhook", found)
        self._ledger.store.set_setting("webhook_in_header", in_header)
        return Response(body=found)

    def certificate(self, request: Request) -> Response:
        content = self._certificate().public_bytes(serialization.Encoding.DER)
        return Response(body=content, content_type="application/pkix-cert")

    def changed(self, customer_id: str, subscription_id: str) -> None:
        """A subscription changed: tell whoever registered, after what is being written is there."""
        if self._ledger.store.setting("webhook") is None or self._ledger.modes["webhooks"] == "off":
            return
        event = {
            "EventName": "subscription-updated",
            "ResourceUri": f"{API}/customers/{customer_id}/subscriptions/{subscription_id}",
            "ResourceName": "subscription",
            "AuditUri": None,
            "ResourceChangeUtcDate": terms.iso(self._ledger.clock.now()).replace("Z", "+00:00"),
        }
        for _ in range(2 if self._ledger.modes["webhooks"] == "twice" else 1):
            self._waiting.put(event)
        with self._lock:
            if self._thread is None:
                self._thread = threading.Thread(target=self._deliver_all, name="webhooks", daemon=True)
                self._thread.start()

    def stop(self) -> None:
        """What was not delivered is given up; the store may be closed afterwards."""
        self._stopping.set()
        self._waiting.put(None)
        if self._thread is not None:
            self._thread.join()

    def headers(self, body: bytes) -> dict[str, str]:
        """The headers of a genuine delivery of this body."""
        self._certificate()
        assert self._key
        signature = base64.b64encode(self._key.sign(body, padding.PKCS1v15(), SHA256())).decode()
        name = "x-ms-signature" if self._ledger.store.setting("webhook_in_header") else "Authorization"
        return {
            "Content-Type": "application/json; charset=utf-8",
            name: f"Signature {signature}",
            "X-MS-Certificate-Url": f"{self._url}{CERTIFICATE}",
            "X-MS-Signature-Algorithm": "rsa-sha256",
        }

    def _deliver_all(self) -> None:
        while (event := self._waiting.get()) is not None and not self._stopping.is_set():
            with self._ledger.store.transaction():  # what it tells of is stored by now
                target = self._ledger.store.setting("webhook")
            body = json.dumps(event).encode()
            for _ in range(ATTEMPTS):
                if target is None or self._delivered(target["WebhookUrl"], body) or self._stopping.wait(PAUSE_S):
                    break

    def _delivered(self, url: str, body: bytes) -> bool:
        try:
            with urlopen(Delivery(url, body, self.headers(body), method="POST"), timeout=5) as answer:  # noqa: S310
                return 200 <= answer.status < 300
        except HTTPError as error:
            error.close()
            return False
        except (URLError, OSError):
            return False

    def _certificate(self) -> x509.Certificate:
        with self._lock:
            kept = self._ledger.store.setting("webhook_certificate")
            if kept is None:
                kept = _made()
                self._ledger.store.set_setting("webhook_certificate", kept)
            key = serialization.load_pem_private_key(kept["key"].encode(), None)
            assert isinstance(key, rsa.RSAPrivateKey)
            self._key = key
        return x509.load_pem_x509_certificate(kept["certificate"].encode())


def _made() -> dict[str, str]:
    """A key and a certificate that says Microsoft issued it, in PEM."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = x509.Name([x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Microsoft Corporation")])
    now = datetime.now(UTC)
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    builder = builder.serial_number(x509.random_serial_number())
    builder = builder.not_valid_before(now - timedelta(days=3650)).not_valid_after(now + timedelta(days=3650))
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    public = builder.sign(key, SHA256()).public_bytes(serialization.Encoding.PEM)
    return {"key": private.decode(), "certificate": public.decode()}
