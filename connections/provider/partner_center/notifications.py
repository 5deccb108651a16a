"""Notifications of Partner Center: taken within a moment, believed in nothing but that one should look.

What comes is only written down, with the wake-up; nothing is asked of anybody meanwhile. Where the certificate of the
signature is not at hand yet, a worker fetches it and checks then; few of those may wait at a time.
"""

import base64
import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from typing import Any

from django.core.cache import cache
from django.db import transaction

from connections.http import NoAnswer, NotSent, send
from connections.models import Hint, Registration
from connections.provider.partner_center.hints import LOOK, digest_of, take_hint
from connections.provider.partner_center.shapes import moment
from connections.provider.partner_center.signatures import NotGenuine, Signed, certificate_in, check, signed
from portal import leases
from portal.far_side import Unavailable
from portal.queue import enqueue

LARGEST = 64 * 1024
MOST_UNVERIFIED = 100
TOO_OLD = timedelta(days=14)  # no longer than hints are kept, by which repeated ones are known
CERTIFICATE_KEPT_S = 6 * 3600
EVENTS = ("subscription-updated", "subscription-active", "new-commerce-migration-completed", "test-created")
_TARGET = re.compile(r"/customers/(?P<customer>[0-9a-f-]{36})(?:/subscriptions/(?P<subscription>[0-9a-f-]{36}))?", re.I)


class Answer(Enum):
    """What the sender is told."""

    TAKEN = 200
    MALFORMED = 400
    NOT_GENUINE = 401
    TOO_MANY = 503


@dataclass(frozen=True, slots=True)
class Event:
    """What a notification says. The address in it is never asked: only the ids in its path are used."""

    name: str
    resource: str
    at: datetime
    customer_id: str = ""
    subscription_id: str = ""

    @property
    def digest(self) -> str:
        return digest_of("webhook", self.name, self.resource, self.at.isoformat())


def receive(registration: Registration, body: bytes, headers: Mapping[str, str], *, now: datetime) -> Answer:
    """Take a delivery: at most one row, and a wake-up."""
    try:
        proof = signed(headers)
        content = cache.get(_place(proof.certificate_url))
        if content is not None:
            check(body, proof.signature, certificate_in(content), now)
    except NotGenuine:
        return Answer.NOT_GENUINE
    event = event_in(body)
    if event is None:
        return Answer.MALFORMED
    if content is None:
        return _keep_for_later(registration, body, proof, now)
    take(registration, event, now=now)
    return Answer.TAKEN


def event_in(body: bytes) -> Event | None:
    """The event; None where the body is none. Names are read without regard to case."""
    try:
        told = json.loads(body.decode("utf-8-sig"))
        plain = {str(name).lower(): value for name, value in told.items()}
        at = moment(plain.get("resourcechangeutcdate"))
        name = str(plain["eventname"]).strip().lower()
    except (ValueError, AttributeError, KeyError):
        return None
    if at is None or not name:
        return None
    resource = str(plain.get("resourceuri") or "")
    found = _TARGET.search(resource)
    ids = {"customer_id": found["customer"].lower(), "subscription_id": found["subscription"] or ""} if found else {}
    return Event(name, resource[:1000], at, **ids)


def take(registration: Registration, event: Event, *, now: datetime) -> bool:
    """Write a genuine event down as a hint; False where it tells nothing, or came before. The moment that one tells
    which is too old to be known again is not believed.
    """
    with transaction.atomic():
        Registration.objects.filter(pk=registration.pk).update(delivered_at=now)
        if not event.customer_id:
            return False
        said = {"at": min(event.at, now).isoformat()} if event.at > now - TOO_OLD else {}
        return take_hint(
            registration.connection,
            Hint.Source.WEBHOOK,
            event.digest,
            customer_id=event.customer_id,
            subscription_id=event.subscription_id,
            said=said,
            now=now,
        )


def _keep_for_later(registration: Registration, body: bytes, proof: Signed, now: datetime) -> Answer:
    rows = Hint.objects.filter(connection=registration.connection_id, state=Hint.State.UNVERIFIED)
    if rows.count() >= MOST_UNVERIFIED:
        return Answer.TOO_MANY
    signature = base64.b64encode(proof.signature).decode()
    delivery = {"body": base64.b64encode(body).decode(), "mark": signature, "url": proof.certificate_url}
    with transaction.atomic():
        row, is_new = Hint.objects.get_or_create(
            connection=registration.connection,
            digest=digest_of("unverified", delivery["body"], signature),
            defaults={
                "source": Hint.Source.WEBHOOK,
                "state": Hint.State.UNVERIFIED,
                "delivery": delivery,
                "received_at": now,
                "due_at": now,
            },
        )
        if is_new:
            enqueue(LOOK, row.pk)
    return Answer.TAKEN


def verify(hint_id: int, *, now: datetime) -> bool:
    """Check a delivery that waits for its certificate; what is genuine becomes a hint. True where this was one."""
    rows = Hint.objects.filter(state=Hint.State.UNVERIFIED)
    if not leases.claim(rows, hint_id, now):
        return False
    hint = Hint.objects.select_related("connection__organization", "connection__registration").get(pk=hint_id)
    body, mark = (base64.b64decode(hint.delivery[name]) for name in ("body", "mark"))
    try:
        check(body, mark, certificate_in(_fetched(hint.delivery["url"])), now)
    except Unavailable as error:
        due_at = leases.next_try(hint.attempts, now)
        state = Hint.State.UNVERIFIED if due_at else Hint.State.IGNORED
        leases.settle(hint, state=state, due_at=due_at, message=str(error))
        return True
    except NotGenuine as error:
        ended: dict[str, Any] = {"due_at": None, "finished_at": now, "delivery": {}}
        leases.settle(hint, state=Hint.State.IGNORED, message=str(error), **ended)
        return True
    if leases.settle(hint, state=Hint.State.IGNORED, due_at=None, finished_at=now, delivery={}, message="Checked."):
        event = event_in(body)
        if event is not None:
            take(hint.connection.registration, event, now=now)
    return True


def _fetched(url: str) -> bytes:
    """The certificate at an address that was allowed; kept for some hours."""
    content: bytes | None = cache.get(_place(url))
    if content is None:
        try:
            answer = send("certificates", "GET", url, headers={"Accept": "*/*"})
        except (NotSent, NoAnswer) as error:
            raise Unavailable(f"The certificate of a notification cannot be fetched: {error}.") from error
        if answer.status != 200:
            raise Unavailable(f"The certificate of a notification cannot be fetched (HTTP {answer.status}).")
        certificate_in(answer.content)
        content = answer.content
        cache.set(_place(url), content, CERTIFICATE_KEPT_S)
    return content


def _place(url: str) -> str:
    return f"partner_center.certificate.{hashlib.sha256(url.encode()).hexdigest()}"
