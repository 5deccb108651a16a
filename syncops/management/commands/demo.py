"""Runs the demonstration, or checks headless that the main job works from the order to the proof."""

from argparse import SUPPRESS, ArgumentParser
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from portal.management.output import JsonOption
from syncops.demo.check import CannotCheck, Wanted, addresses_here, check_apart, check_here
from syncops.demo.demonstration import Choices, Demonstration
from syncops.demo.folder import Folder, Unusable
from syncops.demo.prepare import prepare

PORT, SANDBOX_PORT = 8000, 8101


class Command(JsonOption, BaseCommand):
    help = (
        "Starts sandbox, worker and web server with a demonstration tenant in the data folder, until Ctrl-C. "
        "With --check it orders, syncs and changes a quantity against a fresh sandbox, compares Autotask's own ledger, "
        "and ends with exit code 0 only when the proof holds."
    )
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--port", type=int, default=PORT, help=f"of the web server (default {PORT})")
        parser.add_argument(
            "--sandbox-port", type=int, default=SANDBOX_PORT, help=f"Autotask's (default {SANDBOX_PORT})"
        )
        parser.add_argument(
            "--partner-center-port", type=int, help="Partner Center's (default: the one after Autotask's)"
        )
        parser.add_argument("--fresh", action="store_true", help="start over: remove what earlier demonstrations made")
        check = parser.add_argument_group("checking")
        check.add_argument("--check", action="store_true", help="run the main job headless and prove it")
        check.add_argument(
            "--record", type=Path, help="write every exchange with Autotask as one JSON line to this file"
        )
        check.add_argument("--drop-adjustment", action="store_true", help="let Autotask lie; the check must fail then")
        check.add_argument("--sandbox", help="check against this running Autotask sandbox instead of a fresh one")
        check.add_argument("--sandbox-partner-center", help="its Partner Center (default: the port after Autotask's)")
        parser.add_argument("--prepare", action="store_true", help=SUPPRESS)
        parser.add_argument("--here", action="store_true", help=SUPPRESS)
        parser.add_argument("--today", type=date.fromisoformat, help=SUPPRESS)

    def handle(self, *args: Any, **options: Any) -> None:
        if options["prepare"]:
            prepare(options["today"], say=self._say)
        elif options["here"]:
            self._check_here(options)
        elif options["check"]:
            self._check_apart(options)
        else:
            self._run(options)

    def _check_here(self, options: Mapping[str, Any]) -> None:
        report = check_here(addresses_here(), say=(lambda words: None) if options["json"] else self._say)
        words = "Proved." if report.proved else f"NOT PROVED. {report.reason}"
        self.answer(options, report.as_json(), f"\n{words}")
        if not report.proved:
            raise SystemExit(1)

    def _check_apart(self, options: Mapping[str, Any]) -> None:
        wanted = Wanted(
            options["sandbox"] or "",
            options["sandbox_partner_center"] or "",
            options["record"],
            options["drop_adjustment"],
            options["json"],
        )
        try:
            code = check_apart(wanted)
        except CannotCheck as error:
            raise CommandError(str(error)) from error
        if code:
            raise SystemExit(code)

    def _run(self, options: Mapping[str, Any]) -> None:
        choices = Choices(
            Folder(settings.DATA_DIR),
            options["port"],
            options["sandbox_port"],
            options["partner_center_port"] or options["sandbox_port"] + 1,
            options["fresh"],
        )
        try:
            code = Demonstration(choices, say=self._say).run()
        except Unusable as error:
            raise CommandError(str(error)) from error
        if code:
            raise SystemExit(code)

    def _say(self, words: str) -> None:
        self.stdout.write(words)
        self.stdout.flush()
