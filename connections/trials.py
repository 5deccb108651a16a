"""What trying credentials leaves behind: sealed secrets, what was found, and both in the words of the audit log."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from connections import vault
from connections.models import Connection, ConnectionSecret
from connections.psa.types import ProbeResult
from connections.registry import Trial
from portal.far_side import FarSideError

State = Connection.State


def keep(connection: Connection, trial: Trial, now: datetime) -> None:
    """Put a test's result on the row, unsaved; a passed one ends Credentials refused."""
    connection.tested_at, connection.probe = now, as_json(trial.results)
    for name, value in trial.facts.items():
        setattr(connection, name, value)
    if trial.passed:
        connection.last_success_at, connection.failing_since = now, None
        if connection.state == State.UNAUTHORIZED:
            connection.state = State.ACTIVE


def seal(connection: Connection, secrets: Mapping[str, str], now: datetime) -> None:
    """Store secrets of a saved connection, each bound to it; those of the same name are replaced."""
    for name, value in secrets.items():
        ciphertext = vault.encrypt(value, bound_to=ConnectionSecret.binding(connection, name))
        ConnectionSecret.objects.update_or_create(
            connection=connection, name=name, defaults={"ciphertext": ciphertext, "hint": value[-2:], "set_at": now}
        )


def as_json(results: Sequence[ProbeResult]) -> list[dict[str, Any]]:
    return [asdict(result) for result in results]


def found(trial: Trial | None, error: FarSideError | None) -> dict[str, Any]:
    """What a test found, or what was said instead, for an audit entry."""
    return {"test": in_words(trial.results)} if trial else said(error)


def in_words(results: Sequence[ProbeResult]) -> dict[str, str]:
    return {result.need: "yes" if result.granted else f"no: {result.advice}" for result in results}


def said(error: FarSideError | None) -> dict[str, str]:
    return {"message": error.message, "advice": error.advice, "answer": error.raw} if error else {}
