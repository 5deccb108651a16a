"""Imports through a Partner Center connection in this process: what changed since the last time, or everything."""

import time
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from connections import actions
from connections.management.lookup import connection_named
from connections.models import Connection, Hint, ProviderImport
from connections.provider.partner_center import importer, looking
from connections.refusals import Refused
from portal.far_side import FarSideError, Unauthorized
from portal.management.output import JsonOption

LONG_S = 3600.0
COUNTED = ("customers", "subscriptions", "new", "changed", "records", "hints", "gone", "problems")


class Command(JsonOption, BaseCommand):
    help = (
        "Imports customers, resellers and subscriptions from Partner Center: what its audit records tell since the "
        "last import, or with --full everything, compared with what is kept. Exit codes: 0 complete, 1 refused or "
        "failed, 3 credentials refused, 5 not reached (a worker tries again), 6 too many would be cancelled."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--connection", required=True, help="the connection's name")
        parser.add_argument("--organization", help="its organization, where the name is not enough")
        parser.add_argument("--full", action="store_true", help="read everything; the first import always does")

    def handle(self, *args: Any, **options: Any) -> None:
        connection, began = connection_named(options["connection"], options["organization"]), time.monotonic()
        try:
            row = self._read(connection, full=options["full"])
            left = self._look(connection)
        except Refused as refused:
            raise CommandError(str(refused)) from refused
        except Unauthorized as error:
            actions.mark_unauthorized(connection, error, now=timezone.now())
            raise CommandError(str(error), returncode=3) from error
        facts = {
            "connection": connection.pk,
            "scope": row.scope,
            "state": row.state,
            "counts": row.counts,
            "problems": row.problems,
            "waiting": left,
            "message": row.message,
            "seconds": round(time.monotonic() - began, 2),
        }
        self.answer(options, facts, "\n".join([*_words(row), *row.problems]))
        codes = {ProviderImport.State.FAILED: 1, ProviderImport.State.RUNNING: 5, ProviderImport.State.HELD: 6}
        if code := codes.get(ProviderImport.State(row.state)):
            raise CommandError(row.message, returncode=code)

    @staticmethod
    def _read(connection: Connection, *, full: bool) -> ProviderImport:
        """Read to the end, waiting for another process that reads already; stop where the far side is not reached."""
        first = not ProviderImport.objects.filter(connection=connection).bases().exists()
        start = importer.start_import if full or first else importer.start_changes
        row = start(connection, now=timezone.now())
        while row.state == ProviderImport.State.RUNNING:
            row = importer.run_import(row.pk, clock=timezone.now, budget_s=LONG_S)
            if row.lease_until is not None:
                time.sleep(1)
            elif row.due_at is not None and row.due_at > timezone.now():
                break
        return row

    @staticmethod
    def _look(connection: Connection) -> int:
        """Look at what the audit records named; how many hints are left for a worker."""
        rows = Hint.objects.waiting().filter(connection=connection)
        for pk in list(rows.filter(due_at__lte=timezone.now()).values_list("pk", flat=True)):
            try:
                looking.look(pk, clock=timezone.now)
            except Unauthorized:
                raise
            except FarSideError:
                break  # what went wrong stands on the hint; a worker goes on
        return rows.count()


def _words(row: ProviderImport) -> list[str]:
    counted = [f"{name} {row.counts[name]}" for name in COUNTED if row.counts.get(name)]
    return [f"{row.connection}: {row.get_scope_display().lower()} read; {', '.join(counted) or 'nothing to record'}."]
