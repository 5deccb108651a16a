"""Connects Autotask or Partner Center from a shell: tests the credentials, and stores them where the test passes."""

import os
import uuid
from argparse import ArgumentParser
from dataclasses import asdict
from pathlib import Path
from typing import Any, NoReturn

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from connections import actions
from connections.forms import ConnectionForm
from connections.management.lookup import organization_named
from connections.models import Connection
from connections.refusals import Refused
from connections.registry import Trial, credentials_form, try_connection, try_credentials
from portal.audit import Actor
from portal.far_side import FarSideError, Unauthorized, Unavailable
from portal.management.output import JsonOption
from portal.models import Organization

# Form field: (option or None where it is secret, environment variable)
FIELDS: dict[str, dict[str, tuple[str | None, str]]] = {
    "autotask": {
        "user_name": ("user", "AUTOTASK_USER"),
        "secret": (None, "AUTOTASK_SECRET"),
        "integration_code": (None, "AUTOTASK_INTEGRATION_CODE"),
        "impersonate_resource_id": ("impersonate", "AUTOTASK_IMPERSONATE_RESOURCE_ID"),
    },
    "partner_center": {
        "tenant_id": ("tenant_id", "PARTNER_CENTER_TENANT_ID"),
        "client_id": ("client_id", "PARTNER_CENTER_CLIENT_ID"),
        "client_secret": (None, "PARTNER_CENTER_CLIENT_SECRET"),
        "refresh_token": (None, "PARTNER_CENTER_REFRESH_TOKEN"),
    },
}
CODES: tuple[tuple[type[FarSideError], int], ...] = ((Unauthorized, 3), (Unavailable, 5))
MISSING_RIGHT = 4


class Command(JsonOption, BaseCommand):
    help = (
        "Connects a far side. Secrets come from the environment: AUTOTASK_SECRET and AUTOTASK_INTEGRATION_CODE, or "
        "PARTNER_CENTER_CLIENT_SECRET and PARTNER_CENTER_REFRESH_TOKEN; each also as NAME_FILE. A connection that is "
        "there already is tested. Exit codes: 0 connected, 1 refused, 3 credentials refused, 4 a right is missing, "
        "5 not reached."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        kinds = parser.add_subparsers(dest="kind", required=True, metavar="{autotask,partner_center}")
        for kind, fields in FIELDS.items():
            sub = kinds.add_parser(kind)
            super().add_arguments(sub)
            sub.add_argument("--organization", required=True, help="the organization that the connection is for")
            sub.add_argument("--name", required=True, help="the connection's name")
            sub.add_argument("--currency", required=True, help="ISO code, for example EUR")
            for option, variable in fields.values():
                if option is not None:
                    sub.add_argument(f"--{option.replace('_', '-')}", help=f"or {variable} in the environment")

    def handle(self, *args: Any, **options: Any) -> None:
        organization = organization_named(options["organization"])
        existing = Connection.objects.set_up().filter(organization=organization, name=options["name"]).first()
        if existing is not None and existing.kind != options["kind"]:
            raise CommandError(f"{existing} is a connection of another kind.")
        if existing is not None and existing.state == Connection.State.RETIRED:
            raise CommandError(f"{existing} is retired; choose another name.")
        connection = existing
        try:
            if existing is not None:
                trial = self._test(existing)
            else:
                trial, connection = self._connect(organization, options)
        except FarSideError as error:
            self._fail(options, error)
        facts = {
            "connection": connection.pk if connection else None,
            "created": existing is None and connection is not None,
            "test": [asdict(result) for result in trial.results],
        }
        self.answer(options, facts, _words(connection, trial, created=existing is None))
        if not trial.passed:
            raise CommandError("A right is missing; see the list.", returncode=MISSING_RIGHT)

    def _test(self, connection: Connection) -> Trial:
        actor = Actor.system("connect")
        try:
            trial = try_connection(connection)
        except FarSideError as error:
            actions.record_test(connection, None, error=error, actor=actor, now=timezone.now())
            if isinstance(error, Unauthorized):
                actions.mark_unauthorized(connection, error, now=timezone.now())
            raise
        actions.record_test(connection, trial, actor=actor, now=timezone.now())
        return trial

    def _connect(self, organization: Organization, options: dict[str, Any]) -> tuple[Trial, Connection | None]:
        kind = options["kind"]
        form = ConnectionForm({name: options[name] for name in ("name", "currency")}, organization=organization)
        credentials = credentials_form(kind)(_given(kind, options))
        if not (form.is_valid() & credentials.is_valid()):
            raise CommandError(_complaints(kind, form.errors | credentials.errors))
        settings, key = credentials.public_settings(), uuid.uuid4()
        trial = try_credentials(kind, settings, credentials.secrets(), key, organization=organization)
        if not trial.passed:
            return trial, None
        try:
            connection = actions.create_connection(
                organization,
                kind=kind,
                **form.cleaned_data,
                settings=settings,
                trial=trial,
                key=key,
                actor=Actor.system("connect"),
                now=timezone.now(),
            )
        except Refused as refused:
            raise CommandError(str(refused)) from refused
        return trial, connection

    def _fail(self, options: dict[str, Any], error: FarSideError) -> NoReturn:
        code = next((code for kind, code in CODES if isinstance(error, kind)), 1)
        if options["json"]:
            facts = {"connection": None, "created": False, "error": error.message, "advice": error.advice}
            self.answer(options, facts, "")
        raise CommandError(str(error), returncode=code) from error


def _given(kind: str, options: dict[str, Any]) -> dict[str, str]:
    """What the options, the environment and its files give, by form field."""
    found = {}
    for name, (option, variable) in FIELDS[kind].items():
        file = os.environ.get(f"{variable}_FILE")
        value = (options.get(option) if option else None) or os.environ.get(variable, "")
        if not value and file:
            try:
                value = Path(file).read_text(encoding="utf-8").strip()
            except OSError as error:
                raise CommandError(f"{variable}_FILE cannot be read: {error}") from error
        found[name] = value
    return found


def _complaints(kind: str, errors: dict[str, Any]) -> str:
    named = {name: f"--{option.replace('_', '-')}" if option else env for name, (option, env) in FIELDS[kind].items()}
    return " ".join(f"{named.get(name, f'--{name}')}: {' '.join(texts)}" for name, texts in errors.items())


def _words(connection: Connection | None, trial: Trial, *, created: bool) -> str:
    lines = [
        f"{'yes' if result.granted else 'no ' if result.optional else 'NO '}  {result.need}  {result.advice}".rstrip()
        for result in trial.results
    ]
    if connection is None:
        return "\n".join([*lines, "Nothing was stored."])
    if connection.foreign_to:
        lines.append(f"{connection.currency} is not the base currency there, which is {connection.foreign_to}.")
    return "\n".join([*lines, f"{connection} is connected." if created else f"{connection} was there already."])
