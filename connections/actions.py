"""What happens to a connection. Each action is one transaction with its audit entry, and asks no far side anything.

Credentials are tried before they get here (`registry.try_credentials`), so that nothing half-right is ever stored.
"""

import uuid
from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction

from connections import trials
from connections.health import note_failure
from connections.mirror import start_refresh
from connections.models import Connection
from connections.policies import Policies
from connections.refusals import Refused
from connections.registry import PSAS, Trial, credentials_form
from portal import audit
from portal.audit import Actor
from portal.far_side import FarSideError, Unauthorized
from portal.models import AuditEntry, Organization
from portal.queue import enqueue

State = Connection.State
CHANGED_MEANWHILE = "Somebody else changed these policies meanwhile. Look at them again, then save once more."


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
        probe=trials.as_json(trial.results),
        **trial.facts,
    )
    try:
        with transaction.atomic():
            connection.save(force_insert=True)
            trials.seal(connection, trial.secrets, now)
            audit.record(
                "Create Connection",
                actor=actor,
                organization=organization,
                connection=connection,
                subject=name,
                asked={"kind": kind, "name": name, "currency": currency, **settings, **trial.secrets},
                answered={"test": trials.in_words(trial.results)},
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
    settings: Mapping[str, Any],
    actor: Actor,
    now: datetime,
    trial: Trial | None = None,
    error: FarSideError | None = None,
) -> None:
    """Remember that a connection was wanted and its test did not pass; nothing else is stored."""
    audit.record(
        "Begin Connection",
        actor=actor,
        organization=organization,
        subject=f"New connection to {Connection.Kind(kind).label}",
        status=AuditEntry.Status.FAILED,
        asked=settings,
        answered=trials.found(trial, error),
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
        entered = credentials_form(locked.kind).base_fields  # what was left empty this time is gone
        others = {name: value for name, value in locked.settings.items() if name not in entered}
        locked.settings = others | dict(settings)
        trials.seal(locked, trial.secrets, now)
        trials.keep(locked, trial, now)
        locked.save()
        audit.record(
            "Rotate Connection Secret",
            actor=actor,
            organization=locked.organization,
            connection=locked,
            subject=locked.name,
            before=before,
            after={**settings, **trial.secrets},
            answered={"test": trials.in_words(trial.results)},
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
        answered=trials.found(trial, error),
        at=now,
    )


def record_test(
    connection: Connection, trial: Trial | None, *, actor: Actor, now: datetime, error: FarSideError | None = None
) -> None:
    """Store what a test found, or that it failed with `error`. A passed test lets stopped work go on."""
    with transaction.atomic():
        locked = _locked(connection)
        if trial is not None:
            trials.keep(locked, trial, now)
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
            answered=trials.found(trial, error),
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
                answered=trials.said(error),
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
    if connection.state == State.DRAFT:
        raise Refused("It is not finished. Finish setting it up first.")
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


def change_policies(connection: Connection, policies: Policies, *, seen: str, actor: Actor, now: datetime) -> None:
    """Store what a person chose, only where it differs from the defaults.

    `seen`: the fingerprint of the policies that the person looked at. Refused where others changed them since, and for
    a retired connection.
    """
    with transaction.atomic():
        locked = _locked(connection)
        if locked.state == State.RETIRED:
            raise Refused("It is retired.")
        before, after = asdict(locked.policies), asdict(policies)
        if locked.policies.fingerprint() != seen:
            raise Refused(CHANGED_MEANWHILE)
        changed = [name for name, value in after.items() if value != before[name]]
        if changed:
            locked.policies_json = policies.as_json()
            locked.save(update_fields=["policies_json"])
            audit.record(
                "Change Connection Policies",
                actor=actor,
                organization=locked.organization,
                connection=locked,
                subject=locked.name,
                before={name: before[name] for name in changed},
                after={name: after[name] for name in changed},
                at=now,
            )
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
