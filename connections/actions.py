"""What happens to a connection. Each action is one transaction with its audit entry, and asks no far side anything.

Credentials are tried before they get here (`registry.try_credentials`), so that nothing half-right is ever stored.
"""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction

from connections import vault
from connections.health import note_failure
from connections.mirror import start_refresh
from connections.models import Connection, ConnectionSecret
from connections.psa.types import ProbeResult
from connections.refusals import Refused
from connections.registry import PSAS, Trial
from portal import audit
from portal.audit import Actor
from portal.far_side import FarSideError, Unauthorized
from portal.models import AuditEntry, Organization
from portal.queue import enqueue

State = Connection.State


def create_connection(
    organization: Organization,
    *,
    kind: str,
    name: str,
    currency: str,
    settings: Mapping[str, Any],
    trial: Trial,
    key: uuid.UUID,
    actor: Actor,
    now: datetime,
) -> Connection:
    """Store a connection whose test passed, and start reading its mirror. Refused where the name is taken."""
    if not trial.passed:
        raise Refused("The test did not pass; a connection is only made with credentials that work.")
    connection = Connection(
        organization=organization,
        kind=kind,
        name=name,
        currency=currency,
        settings=dict(settings),
        key=key,
        state=State.ACTIVE,
        tested_at=now,
        last_success_at=now,
        probe=_as_json(trial.results),
        **trial.facts,
    )
    try:
        with transaction.atomic():
            connection.save(force_insert=True)
            _store_secrets(connection, trial.secrets, now)
            audit.record(
                "Create Connection",
                actor=actor,
                organization=organization,
                connection=connection,
                subject=name,
                asked={"kind": kind, "name": name, "currency": currency, **settings, **trial.secrets},
                answered={"test": _words(trial.results)},
                at=now,
            )
            if kind in PSAS:
                start_refresh(connection, now=now)
    except IntegrityError as error:
        raise Refused("A connection of this name exists already.") from error
    return connection


def record_failed_attempt(
    organization: Organization,
    *,
    kind: str,
    name: str,
    currency: str,
    actor: Actor,
    now: datetime,
    trial: Trial | None = None,
    error: FarSideError | None = None,
) -> None:
    """Remember that a connection was wanted and its test did not pass; nothing else is stored."""
    audit.record(
        "Create Connection",
        actor=actor,
        organization=organization,
        subject=name,
        status=AuditEntry.Status.FAILED,
        asked={"kind": kind, "name": name, "currency": currency},
        answered={"test": _words(trial.results)} if trial else _said(error),
        at=now,
    )


def rotate_secrets(
    connection: Connection,
    *,
    settings: Mapping[str, Any],
    trial: Trial,
    actor: Actor,
    now: datetime,
) -> None:
    """Replace the credentials by others whose test passed. Work that stopped for refused credentials goes on."""
    if not trial.passed:
        raise Refused("The test did not pass; the old credentials are kept.")
    with transaction.atomic():
        locked = _locked(connection)
        before = locked.settings | {each.name: f"ends in {each.hint}" for each in locked.secrets.all()}
        locked.settings = locked.settings | dict(settings)
        _store_secrets(locked, trial.secrets, now)
        _tested(locked, trial, now)
        locked.save()
        audit.record(
            "Rotate Connection Secret",
            actor=actor,
            organization=locked.organization,
            connection=locked,
            subject=locked.name,
            before=before,
            after={**settings, **trial.secrets},
            answered={"test": _words(trial.results)},
            at=now,
        )
    connection.refresh_from_db()


def record_failed_rotation(
    connection: Connection,
    *,
    actor: Actor,
    now: datetime,
    trial: Trial | None = None,
    error: FarSideError | None = None,
) -> None:
    """Remember that new credentials did not pass; the stored ones stay as they are."""
    audit.record(
        "Rotate Connection Secret",
        actor=actor,
        organization=connection.organization,
        connection=connection,
        subject=connection.name,
        status=AuditEntry.Status.FAILED,
        answered={"test": _words(trial.results)} if trial else _said(error),
        at=now,
    )


def record_test(
    connection: Connection, trial: Trial | None, *, actor: Actor, now: datetime, error: FarSideError | None = None
) -> None:
    """Store what a test found, or that it failed with `error`. A passed test lets stopped work go on."""
    with transaction.atomic():
        locked = _locked(connection)
        if trial is not None:
            _tested(locked, trial, now)
            locked.save()
        elif error is not None:
            note_failure(locked, error, now=now)
        passed = trial is not None and trial.passed
        audit.record(
            "Test Connection",
            actor=actor,
            organization=locked.organization,
            connection=locked,
            subject=locked.name,
            status=AuditEntry.Status.SUCCEEDED if passed else AuditEntry.Status.FAILED,
            answered={"test": _words(trial.results)} if trial else _said(error),
            at=now,
        )
    connection.refresh_from_db()


def mark_unauthorized(connection: Connection, error: Unauthorized, *, now: datetime) -> bool:
    """Stop everything that this connection sends, and tell its administrators. False where that was done already."""
    with transaction.atomic():
        locked = _locked(connection)
        newly = locked.state in (State.ACTIVE, State.PAUSED)
        locked.last_failure_at, locked.last_failure = now, str(error)
        if newly:
            locked.state = State.UNAUTHORIZED
            audit.record(
                "Stop Connection",
                actor=Actor.system("credentials refused"),
                organization=locked.organization,
                connection=locked,
                subject=locked.name,
                status=AuditEntry.Status.FAILED,
                answered=_said(error),
                at=now,
            )
            enqueue("connections.tasks.tell_administrators", locked.pk)
        locked.save(update_fields=["state", "last_failure_at", "last_failure"])
    connection.refresh_from_db()
    return newly


def pause_connection(connection: Connection, *, actor: Actor, now: datetime) -> None:
    """Hold what would be sent; nothing is dropped, and new work is gathered."""
    _move(connection, State.PAUSED, "Pause Connection", actor=actor, now=now)


def resume_connection(connection: Connection, *, actor: Actor, now: datetime) -> None:
    """Let a paused connection send again. Refused for one whose credentials are refused: that needs a passed test."""
    if connection.state == State.UNAUTHORIZED:
        raise Refused("Its credentials are refused. Press Test, or set new secrets; it goes on once they work.")
    _move(connection, State.ACTIVE, "Resume Connection", actor=actor, now=now)


def retire_connection(connection: Connection, *, actor: Actor, now: datetime) -> None:
    """Take a connection out of use for good and forget its secrets. What it put into the far side stays there."""
    with transaction.atomic():
        _move(connection, State.RETIRED, "Retire Connection", actor=actor, now=now)
        connection.secrets.all().delete()


def rename_connection(connection: Connection, *, name: str, actor: Actor, now: datetime) -> None:
    """Give it another name. Refused where the name is taken."""
    try:
        with transaction.atomic():
            locked = _locked(connection)
            before, locked.name = locked.name, name
            locked.save(update_fields=["name"])
            audit.record(
                "Rename Connection",
                actor=actor,
                organization=locked.organization,
                connection=locked,
                subject=name,
                before={"name": before},
                after={"name": name},
                at=now,
            )
    except IntegrityError as error:
        raise Refused("A connection of this name exists already.") from error
    connection.refresh_from_db()


def _move(connection: Connection, to: Connection.State, what: str, *, actor: Actor, now: datetime) -> None:
    with transaction.atomic():
        locked = _locked(connection)
        before = State(locked.state)
        if to not in Connection.TRANSITIONS[before]:
            raise Refused(f"It is {before.label.lower()}.")
        locked.state = to
        locked.save(update_fields=["state"])
        audit.record(
            what,
            actor=actor,
            organization=locked.organization,
            connection=locked,
            subject=locked.name,
            before={"state": before.label},
            after={"state": to.label},
            at=now,
        )
    connection.refresh_from_db()


def _locked(connection: Connection) -> Connection:
    rows = Connection.objects.select_for_update(of=("self",), no_key=True)
    return rows.select_related("organization").get(pk=connection.pk)


def _tested(connection: Connection, trial: Trial, now: datetime) -> None:
    """Put a test's result on the row; a passed one ends Draft and Credentials refused."""
    connection.tested_at, connection.probe = now, _as_json(trial.results)
    for name, value in trial.facts.items():
        setattr(connection, name, value)
    if trial.passed:
        connection.last_success_at = now
        if connection.state in Connection.NEEDS_A_PERSON:
            connection.state = State.ACTIVE


def _store_secrets(connection: Connection, secrets: Mapping[str, str], now: datetime) -> None:
    for name, value in secrets.items():
        ciphertext = vault.encrypt(value, bound_to=ConnectionSecret.binding(connection, name))
        ConnectionSecret.objects.update_or_create(
            connection=connection, name=name, defaults={"ciphertext": ciphertext, "hint": value[-2:], "set_at": now}
        )


def _as_json(results: Sequence[ProbeResult]) -> list[dict[str, Any]]:
    return [asdict(result) for result in results]


def _words(results: Sequence[ProbeResult]) -> dict[str, str]:
    return {result.need: "yes" if result.granted else f"no: {result.advice}" for result in results}


def _said(error: FarSideError | None) -> dict[str, str]:
    return {"message": error.message, "advice": error.advice, "answer": error.raw} if error else {}
