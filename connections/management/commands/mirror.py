"""Reads everything of a connection anew, or what changed, in this process."""

import time
from argparse import ArgumentParser
from collections.abc import Callable
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from connections import actions, mirror
from connections.management.lookup import connection_named
from connections.models import Connection, MirrorRefresh
from connections.refusals import Refused
from portal.far_side import Unauthorized
from portal.management.output import JsonOption

LONG_S = 3600.0


class Command(JsonOption, BaseCommand):
    requires_system_checks = ()  # they load every page; whoever starts the worker or the web server has seen them

    help = (
        "Reads companies, services, contracts and lines of a connection, everything or what changed since the last "
        "reading. Exit codes: 0 complete, 1 refused or failed, "
        "3 credentials refused, 5 not reached (a worker tries again), 6 too many rows would be dropped."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--connection", required=True, help="the connection's name")
        parser.add_argument("--organization", help="its organization, where the name is not enough")
        parser.add_argument("--changes", action="store_true", help="read only what changed since the last reading")

    def handle(self, *args: Any, **options: Any) -> None:
        connection = connection_named(options["connection"], options["organization"])
        began = time.monotonic()
        refresh = self._read(connection, mirror.start_changes if options["changes"] else mirror.start_refresh)
        facts = {
            "connection": connection.pk,
            "scope": refresh.scope,
            "state": refresh.state,
            "read": refresh.counts,
            "gone": refresh.gone,
            "message": refresh.message,
            "seconds": round(time.monotonic() - began, 2),
        }
        read = [(refresh.counts[kind.name], kind.name) for kind in mirror.KINDS if kind.name in refresh.counts]
        words = ", ".join(f"{count} {name}" for count, name in read) or "nothing"
        self.answer(options, facts, f"{connection}: read {words} in {facts['seconds']} s.")
        codes = {MirrorRefresh.State.FAILED: 1, MirrorRefresh.State.RUNNING: 5, MirrorRefresh.State.HELD: 6}
        if code := codes.get(MirrorRefresh.State(refresh.state)):
            raise CommandError(refresh.message, returncode=code)

    @staticmethod
    def _read(connection: Connection, start: Callable[..., MirrorRefresh]) -> MirrorRefresh:
        """Read to the end, waiting for another process that reads already; stop where the far side is not reached."""
        try:
            refresh = start(connection, now=timezone.now())
            while refresh.state == MirrorRefresh.State.RUNNING:
                refresh = mirror.run_refresh(refresh.pk, clock=timezone.now, budget_s=LONG_S)
                if refresh.lease_until is not None:
                    time.sleep(1)
                elif refresh.due_at is not None and refresh.due_at > timezone.now():
                    break
        except Refused as refused:
            raise CommandError(str(refused)) from refused
        except Unauthorized as error:
            actions.mark_unauthorized(connection, error, now=timezone.now())
            raise CommandError(str(error), returncode=3) from error
        return refresh
