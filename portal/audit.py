"""The audit log: append-only, chained by hash, written in the same transaction as what it tells of."""

import hashlib
import hmac
import json
import re
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from portal.models import AuditEntry, AuditHead, Customer, Organization, Subscription, User

SECRET_NAMES = re.compile(
    r"secret|password|token|authorization|api_?key|integration_?code|credential|sas", re.IGNORECASE
)
MASK = "********"


@dataclass(frozen=True, slots=True)
class Actor:
    """Who did it: a person, or a part of the system by name."""

    label: str
    user_id: int | None = None

    @classmethod
    def user(cls, user: User) -> "Actor":
        return cls(label=user.email, user_id=user.pk)

    @classmethod
    def system(cls, name: str) -> "Actor":
        return cls(label=f"system: {name}")

    @property
    def person(self) -> User | None:
        return User.objects.filter(pk=self.user_id).first() if self.user_id else None


def masked(value: Any) -> Any:
    """`value` with the values of secret-looking names replaced; a hash prefix keeps "changed" visible. JSON-ready."""
    if isinstance(value, str | None):
        return storable(value)
    if isinstance(value, Mapping):
        return {
            storable(str(name)): _mask(inner) if _is_secret(str(name)) and inner not in (None, "") else masked(inner)
            for name, inner in value.items()
        }
    if isinstance(value, list | tuple):
        return [masked(inner) for inner in value]
    if isinstance(value, Decimal | uuid.UUID | float):  # a database may write a float in another way than it was
        return str(value)
    if hasattr(value, "isoformat"):
        return value.isoformat()
    return storable(value)


def storable(value: Any) -> Any:
    """Text without what a database refuses to store (NUL, halves of surrogate pairs), whoever sent it."""
    if not isinstance(value, str) or (value.isascii() and "\x00" not in value):
        return value
    return value.replace("\x00", "\ufffd").encode("utf-8", "replace").decode("utf-8")


@lru_cache(maxsize=2048)
def _is_secret(name: str) -> bool:
    return SECRET_NAMES.search(name) is not None


def _mask(value: Any) -> str:
    digest = hmac.new(settings.AUDIT_KEY.encode(), repr(value).encode(), hashlib.sha256).hexdigest()
    return f"{MASK} ({digest[:6]})"


def record(name: str, *, actor: Actor, organization: Organization, **fields: Any) -> AuditEntry:
    """Add one entry, with the fields of `drafted`; call it inside the transaction that makes the change."""
    entry = drafted(name, actor=actor, organization=organization, **fields)
    chain([entry])
    return entry


def drafted(
    name: str,
    *,
    actor: Actor,
    organization: Organization,
    status: str = AuditEntry.Status.SUCCEEDED,
    subject: str = "",
    customer: Customer | None = None,
    subscription: Subscription | None = None,
    connection: Any = None,
    asked: Mapping[str, Any] | None = None,
    answered: Mapping[str, Any] | None = None,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
    correlation_id: uuid.UUID | None = None,
    began: AuditEntry | None = None,
    at: datetime | None = None,
) -> AuditEntry:
    """An entry that is not stored yet: `chain` does that. Secrets are masked here, whoever calls.

    `began`: the entry (in progress) that this one ends. `connection`: any row with `pk` and `name`.
    """
    at = at or timezone.now()
    return AuditEntry(
        tenant_id=organization.root_id,
        organization=organization,
        name=name,
        status=status,
        actor_id=actor.user_id,
        actor_label=actor.label,
        customer=customer or (subscription.customer if subscription else None),
        subscription=subscription,
        connection_id=connection.pk if connection else None,
        connection_name=connection.name if connection else "",
        subject=storable(subject)[:250],
        asked=masked(asked or {}),
        answered=masked(answered or {}),
        before=masked(before or {}),
        after=masked(after or {}),
        correlation_id=correlation_id or (began.correlation_id if began else uuid.uuid4()),
        began=began,
        started_at=began.started_at if began else at,
        finished_at=None if status == AuditEntry.Status.IN_PROGRESS else at,
    )


def chain(entries: Sequence[AuditEntry]) -> None:
    """Add entries of one tenant to its chain, in their order; inside the transaction that makes their changes."""
    tenant_id = entries[0].tenant_id
    with transaction.atomic():
        AuditHead.objects.get_or_create(tenant_id=tenant_id)
        head = AuditHead.objects.select_for_update(no_key=True).get(tenant_id=tenant_id)
        for entry in entries:
            assert entry.tenant_id == tenant_id, "one chain at a time"
            entry.sequence, entry.previous_hash = head.sequence + 1, head.hash
            entry.hash = entry_hash(entry)
            head.sequence, head.hash = entry.sequence, entry.hash
        AuditEntry.objects.bulk_create(entries)
        AuditHead.objects.filter(pk=head.pk).update(sequence=head.sequence, hash=head.hash)


def entry_hash(entry: AuditEntry) -> str:
    """HMAC-SHA256 over the previous hash and every stored value of the entry, in hexadecimal."""
    values = {
        field.attname: _plain(getattr(entry, field.attname))
        for field in AuditEntry._meta.concrete_fields
        if field.attname not in ("id", "hash")
    }
    body = json.dumps(values, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hmac.new(settings.AUDIT_KEY.encode(), body.encode(), hashlib.sha256).hexdigest()


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="microseconds")
    return str(value) if isinstance(value, uuid.UUID) else value


@dataclass(frozen=True, slots=True)
class Break:
    """Where a chain does not hold: the sequence number and what is wrong there."""

    sequence: int
    problem: str


def breaks(tenant: Organization) -> Iterator[Break]:
    """Walk the tenant's chain from its beginning and yield every place where it does not hold."""
    expected_sequence, previous = 1, "0" * 64
    for entry in AuditEntry.objects.filter(tenant=tenant).order_by("sequence").iterator():
        if entry.sequence != expected_sequence:
            yield Break(expected_sequence, f"entries {expected_sequence} to {entry.sequence - 1} are missing")
        elif entry.previous_hash != previous:
            yield Break(entry.sequence, "does not follow the entry before it")
        if entry.hash != entry_hash(entry):
            yield Break(entry.sequence, "was edited after it was written")
        expected_sequence, previous = entry.sequence + 1, entry.hash
    head = AuditHead.objects.filter(tenant=tenant).first()
    if head and (head.sequence != expected_sequence - 1 or head.hash != previous):
        yield Break(expected_sequence, f"entries {expected_sequence} to {head.sequence} are missing at the end")
