"""Hints: something changed at Microsoft, or may have. Each is written down once, with the wake-up to look at it."""

import hashlib
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from connections.models import Connection, Hint
from connections.provider.partner_center.reach import must_be_readable
from portal import leases
from portal.models import Customer, Subscription
from portal.queue import enqueue

LOOK = "connections.provider_tasks.look"
KEPT = timedelta(days=14)  # hints that are done, for telling repeated deliveries
AGAIN_S = 60


def digest_of(*parts: str) -> str:
    return hashlib.sha256("|".join(parts).encode()).hexdigest()


def take_hint(
    connection: Connection,
    source: str,
    digest: str,
    *,
    customer_id: str,
    subscription_id: str = "",
    said: Mapping[str, Any] | None = None,
    now: datetime,
) -> bool:
    """Write it down, in the caller's transaction; False where the same event was received before."""
    row, is_new = Hint.objects.get_or_create(
        connection=connection,
        digest=digest,
        defaults={
            "source": source,
            "customer_external_id": customer_id.lower()[:64],
            "subscription_external_id": subscription_id.lower()[:64],
            "said": dict(said or {}),
            "received_at": now,
            "due_at": now,
        },
    )
    if is_new:
        enqueue(LOOK, row.pk)
    return is_new


def put_off(connection: Connection, customer_id: str, subscription_id: str, *, now: datetime) -> None:
    """Look at it again by itself, in a minute."""
    waiting = Hint.objects.waiting().filter(
        connection=connection,
        customer_external_id=customer_id.lower(),
        subscription_external_id=subscription_id.lower(),
    )
    if not waiting.exists():
        Hint.objects.create(
            connection=connection,
            source=Hint.Source.AUDIT,
            digest=digest_of("again", str(uuid4())),
            customer_external_id=customer_id.lower()[:64],
            subscription_external_id=subscription_id.lower()[:64],
            received_at=now,
            due_at=now + timedelta(seconds=AGAIN_S),
        )


def ask_to_look(
    connection: Connection, customer: Customer, subscription: Subscription | None = None, *, now: datetime
) -> None:
    """A person wants to know how it is there now: a subscription, or all that a customer holds. A second click changes
    nothing. Refused where nothing can be read.
    """
    must_be_readable(connection)
    target = {
        "customer_external_id": customer.external_id.lower(),
        "subscription_external_id": subscription.external_id.lower() if subscription else "",
    }
    waiting = Hint.objects.waiting().filter(connection=connection, source=Hint.Source.PERSON, **target).first()
    if waiting is None:
        digest = digest_of("person", str(uuid4()))
        take_hint(
            connection,
            Hint.Source.PERSON,
            digest,
            customer_id=customer.external_id,
            subscription_id=target["subscription_external_id"],
            now=now,
        )
    elif waiting.lease_until is None:
        Hint.objects.filter(pk=waiting.pk).update(due_at=now)
        enqueue(LOOK, waiting.pk)


def forget_old(now: datetime) -> int:
    """Drop hints that were done long ago."""
    done = Hint.objects.exclude(state__in=(Hint.State.WAITING, Hint.State.UNVERIFIED))
    return done.filter(received_at__lt=now - KEPT).delete()[0]


def due(now: datetime) -> Any:
    """The hints whose time has come and that nobody looks at."""
    return leases.due(Hint.objects.filter(state__in=(Hint.State.WAITING, Hint.State.UNVERIFIED)), now)
