"""Creating a service or a contract in a PSA because a person pressed it: written down, sent once, proved by reading.

Whatever becomes of the answer, the row that was created carries our key: it is looked for, never created again.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import asdict
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.db import IntegrityError, transaction

from connections.actions import mark_unauthorized
from connections.models import Connection, Creation, MirroredContract, MirroredService
from connections.psa.base import Psa
from connections.psa.types import Contract, ContractRequest, Service, ServiceRequest
from connections.reading import keep_one
from connections.refusals import Refused
from connections.registry import psa_for
from portal import audit
from portal.audit import Actor
from portal.far_side import FarSideError, OutcomeUnknown, Unauthorized, Unavailable
from portal.models import AuditEntry, User

AUDIT_NAMES = {"service": "Create Service In Autotask", "contract": "Create Contract In Autotask"}
LOOK_AGAIN = timedelta(seconds=20)
State = Creation.State
Request = ServiceRequest | ContractRequest
Clock = Callable[[], datetime]


def unknown_for() -> timedelta:
    """How long after a request without an answer nothing may be concluded from its not showing."""
    names = ("connect_timeout_s", "read_timeout_s", "quiet_s")
    return timedelta(seconds=sum(settings.EXECUTOR[name] for name in names))


def key_text(key: uuid.UUID) -> str:
    """What the created row carries."""
    return f"portal-{key.hex}"


def create(
    connection: Connection, request: Request, key: uuid.UUID, *, actor: User, clock: Clock, psa: Psa | None = None
) -> Creation:
    """Write it down, send it, and prove it. The same key again gives what the first press began, and sends nothing.

    `request` carries `key_text(key)`. Raises Refused where one of this name is there or on its way.
    """
    client = psa or psa_for(connection)
    row, is_new = _begin(connection, request, key, actor, clock())
    if not is_new:
        return row
    try:
        remote_id = _send(client, request)
    except OutcomeUnknown as error:
        _doubt(row, error, clock())
    except FarSideError as error:
        if isinstance(error, Unauthorized):
            mark_unauthorized(connection, error, now=clock())
        _end(row, State.NOT_MADE if isinstance(error, Unavailable) else State.REFUSED, clock(), error)
        return row
    else:
        if remote_id is not None:
            Creation.objects.filter(pk=row.pk).update(remote_id=remote_id)
    return look(row, clock=clock, psa=client)


def look(row: Creation, *, clock: Clock, psa: Psa | None = None) -> Creation:
    """Look in the PSA for what became of it: there, or after the quiet time surely not."""
    row.refresh_from_db()
    if not row.is_open:
        return row
    connection = row.connection
    try:
        found = _found(row, psa or psa_for(connection))
    except FarSideError as error:
        if isinstance(error, Unauthorized):
            mark_unauthorized(connection, error, now=clock())
        _doubt(row, error, clock())
        return row
    if found is not None:
        keep_one(connection, found, clock())
        _end(row, State.MADE, clock(), remote_id=found.id)
    elif clock() >= row.sent_at + unknown_for():
        _end(
            row, State.NOT_MADE, clock(), Unavailable("Autotask does not show it.", "Look there, then create it anew.")
        )
    else:
        waits = "No answer came, or it does not show yet."
        _doubt(row, Unavailable(waits, "It is looked for again by itself; do not create it anew."), clock())
    return row


def same_there(connection: Connection, request: Request) -> MirroredService | MirroredContract | None:
    """One of the PSA's that has this name already: for a contract at its company, at the same time."""
    if isinstance(request, ServiceRequest):
        services = MirroredService.objects.filter(connection=connection, name__iexact=request.name, is_active=True)
        return services.filter(period=request.period).first()
    contracts = MirroredContract.objects.filter(connection=connection, company_remote_id=request.company_id)
    overlapping = contracts.filter(starts_on__lte=request.ends_on, ends_on__gte=request.starts_on, is_active=True)
    return overlapping.filter(name__iexact=request.name, period=request.period).first()


def _begin(
    connection: Connection, request: Request, key: uuid.UUID, actor: User, now: datetime
) -> tuple[Creation, bool]:
    with transaction.atomic():
        Connection.objects.select_for_update(no_key=True).get(pk=connection.pk)
        known = Creation.objects.filter(key=key).first()
        if known is not None:
            if known.connection_id != connection.pk:
                raise Refused("This page is too old. Open it anew.")
            return known, False
        if there := same_there(connection, request):
            raise Refused(f"{there.name} is there already (#{there.remote_id}). Choose it, or give this another name.")
        is_service = isinstance(request, ServiceRequest)
        noun = Creation.Noun.SERVICE if is_service else Creation.Noun.CONTRACT
        row = Creation(
            connection=connection,
            noun=noun,
            key=key,
            name=request.name,
            company_id=0 if isinstance(request, ServiceRequest) else request.company_id,
            request=_plain(request),
            asked_by=actor,
            sent_at=now,
            due_at=now + timedelta(seconds=settings.EXECUTOR["lease_s"]),
        )
        try:
            with transaction.atomic():
                row.save(force_insert=True)
        except IntegrityError:
            raise Refused(f"{request.name} is being created already. Look at it in a minute.") from None
        row.began = audit.record(
            AUDIT_NAMES[noun],
            actor=Actor.user(actor),
            organization=connection.organization,
            status=AuditEntry.Status.IN_PROGRESS,
            subject=request.name,
            connection=connection,
            asked=row.request,
            at=now,
        )
        row.save(update_fields=["began"])
    return row, True


def _plain(request: Request) -> dict[str, Any]:
    """Money and dates as text."""
    return {k: str(v) if isinstance(v, date | Decimal) else v for k, v in asdict(request).items()}


def _send(psa: Psa, request: Request) -> int | None:
    if isinstance(request, ServiceRequest):
        return psa.create_service(request)
    return psa.create_contract(request)


def _found(row: Creation, psa: Psa) -> Service | Contract | None:
    """The row that carries our key; the first, should a fault have made more."""
    found: list[Any]
    if row.noun == Creation.Noun.SERVICE:
        found = list(psa.find_services(note=row.request["note"]))
    else:
        found = list(psa.find_contracts(row.company_id, number=row.request["number"]))
    return min(found, key=lambda one: one.id, default=None)


def _doubt(row: Creation, error: FarSideError, now: datetime) -> None:
    row.state, row.error, row.advice, row.due_at = State.UNKNOWN, error.message, error.advice, now + LOOK_AGAIN
    values = {"state": row.state, "error": row.error, "advice": row.advice, "due_at": row.due_at}
    Creation.objects.open().filter(pk=row.pk).update(**values)


def _end(
    row: Creation, state: str, now: datetime, error: FarSideError | None = None, *, remote_id: int | None = None
) -> None:
    """Settle it once, with the end of its audit entry; whoever comes second changes nothing."""
    row.state, row.settled_at, row.due_at, row.remote_id = state, now, None, remote_id
    row.error, row.advice = (error.message, error.advice) if error else ("", "")
    names = ("state", "settled_at", "due_at", "remote_id", "error", "advice")
    with transaction.atomic():
        if not Creation.objects.open().filter(pk=row.pk).update(**{name: getattr(row, name) for name in names}):
            row.refresh_from_db()
            return
        made = state == State.MADE
        said = {"error": row.error, "advice": row.advice, "said": error.raw if error else ""}
        audit.record(
            AUDIT_NAMES[row.noun],
            actor=Actor.user(row.asked_by),
            organization=row.connection.organization,
            status=AuditEntry.Status.SUCCEEDED if made else AuditEntry.Status.FAILED,
            subject=row.name,
            connection=row.connection,
            asked=row.request,
            answered={"id": remote_id} if made else said,
            began=row.began,
            at=now,
        )
