"""`manage.py explain OPERATION`: what was to be sent, what was sent, and what came of it."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from portal.management.output import JsonOption
from syncops.explaining import facts_of, text_of
from syncops.models import SyncOperation


class Command(JsonOption, BaseCommand):
    help = (
        "Prints one operation in full: the line before, as wanted and after, the plan, every write, the journal, the "
        "proof and the shortfalls. Exit codes: 0 it is finished or on its way, 1 it needs a person, 2 there is none."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("operation", type=int, help="the operation's id, as its page's address shows it")

    def handle(self, *args: Any, **options: Any) -> None:
        related = ("subscription__customer", "connection", "mapping", "stream")
        operation = SyncOperation.objects.select_related(*related).filter(pk=options["operation"]).first()
        if operation is None:
            raise CommandError(f"There is no operation {options['operation']}.", returncode=2)
        facts = facts_of(operation)
        self.answer(options, facts, text_of(facts))
        if operation.needs_a_person:
            raise CommandError(f"It needs a person: {operation.error}", returncode=1)
