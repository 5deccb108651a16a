"""Runs the worker: a queue cluster under a supervisor, or, for scripts, everything that is due and then the end."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from portal.management.output import JsonOption
from portal.supervisor import Supervisor, work_until_idle


class Command(JsonOption, BaseCommand):
    help = "Runs the worker until it is stopped. With --until-idle it does what is due in this process and ends."

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--until-idle", action="store_true", help="end when nothing is due any more")
        parser.add_argument(
            "--patience", type=float, default=5.0, help="with --until-idle: wait for what is due within so many seconds"
        )
        parser.add_argument("--at-most", type=float, default=600.0, help="with --until-idle: end after so many seconds")

    def handle(self, *args: Any, **options: Any) -> None:
        if not options["until_idle"]:
            Supervisor(say=self.stdout.write).run()
            return
        rounds = work_until_idle(patience=options["patience"], at_most=options["at_most"])
        self.answer(options, {"rounds": rounds}, f"Nothing is due. Rounds with work: {rounds}.")
