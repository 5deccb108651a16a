"""Whether a connection sends what is planned, or only rehearses it. A switch is one transaction with its audit entry.

A switch waits for writes that are being written down at this moment, and no write is written down after it that the new
mode forbids: both lock the connection's row (`connection_held`).
"""

from datetime import datetime
from typing import Any

from django.db import transaction

from connections.models import Connection
from connections.psa.live_only import refusal
from connections.refusals import Refused
from connections.registry import PSAS
from portal import audit
from portal.audit import Actor

Mode, State = Connection.Mode, Connection.State
REHEARSE = "Switch Connection To Rehearsal"
GO_LIVE = "Switch Connection To Live"


def connection_held(pk: int) -> Connection:
    """The connection as it is now, locked until the transaction ends: after the streams, before the audit log's end."""
    rows = Connection.objects.select_for_update(of=("self",), no_key=True)
    return rows.select_related("organization").get(pk=pk)


def ensure_live(pk: int) -> None:
    """Called in the transaction that writes down what is about to be sent. Raises Rehearsing where nothing may be."""
    connection = connection_held(pk)
    if connection.rehearses:
        raise refusal(connection)


def rehearse_connection(connection: Connection, *, actor: Actor, now: datetime) -> bool:
    """From now on nothing is sent: what comes is planned and listed. False where that is so already. Raises Refused."""
    with transaction.atomic():
        return switch(connection_held(connection.pk), Mode.REHEARSE, actor=actor, now=now)


def switch(held: Connection, mode: str, *, actor: Actor, now: datetime, **asked: Any) -> bool:
    """Give a held connection another mode, with the audit entry; `asked` is what a person confirmed with it."""
    if held.kind not in PSAS:
        raise Refused("It has no mode: nothing is planned on it.")
    if held.state in (State.RETIRED, State.DRAFT):
        raise Refused(f"It is {held.get_state_display().lower()}.")
    if held.mode == mode:
        return False
    before, held.mode = held.mode, mode
    held.save(update_fields=["mode"])
    audit.record(
        GO_LIVE if mode == Mode.LIVE else REHEARSE,
        actor=actor,
        organization=held.organization,
        connection=held,
        subject=held.name,
        asked=asked,
        before={"mode": before},
        after={"mode": mode},
        at=now,
    )
    return True
