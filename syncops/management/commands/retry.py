"""`manage.py retry`: send failed and held operations again."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from connections.management.lookup import connection_named
from portal.audit import Actor
from portal.management.output import JsonOption
from portal.queue import enqueue
from syncops.actions import DRAIN, NotPossible, queue_again
from syncops.filters import with_words
from syncops.models import SyncOperation

OPERATOR = Actor.system("manage.py retry")


class Command(JsonOption, BaseCommand):
    help = (
        "Sends operations again that failed or are held: those named by id, or all with these words in their error, or "
        "all of a connection. Exit codes: 0 all are queued, 1 some wait for a decision of their own, 2 none was found."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("operation", nargs="*", type=int, help="ids of operations")
        parser.add_argument("--error", help="those whose error, or what the far side said, holds all of these words")
        parser.add_argument("--connection", help="those of the connection of this name")
        parser.add_argument("--organization", help="its organization, where the name is not enough")
        parser.add_argument("--dry-run", action="store_true", help="only say which")

    def handle(self, *args: Any, **options: Any) -> None:
        if not (options["operation"] or options["error"] or options["connection"]):
            raise CommandError("Name operations, or --error, or --connection.", returncode=2)
        found = self._found(options)
        if not found:
            raise CommandError("No operation that failed or is held fits.", returncode=2)
        queued, refused = ([one.pk for one in found], {}) if options["dry_run"] else self._queue(found)
        said = "Would retry" if options["dry_run"] else "Retried"
        words = [f"{said} {len(queued)} of {len(found)} operations."]
        words += [f"  {one.pk}  {one}: {refused.get(one.pk) or one.error}" for one in found]
        facts = {
            "found": [one.pk for one in found],
            "queued": queued,
            "refused": refused,
            "dry_run": options["dry_run"],
        }
        self.answer(options, facts, "\n".join(words))
        if refused:
            raise CommandError(f"{len(refused)} operations wait for a decision of their own.", returncode=1)

    @staticmethod
    def _found(options: dict[str, Any]) -> list[SyncOperation]:
        """Oldest effective date first, as they are to be sent."""
        operations = SyncOperation.objects.filter(state__in=SyncOperation.NEEDS_A_PERSON)
        if options["operation"]:
            operations = operations.filter(pk__in=options["operation"])
        if options["error"]:
            operations = with_words(operations, options["error"])
        if options["connection"]:
            operations = operations.filter(connection=connection_named(options["connection"], options["organization"]))
        return list(operations.select_related("subscription__customer").chronological())

    @staticmethod
    def _queue(found: list[SyncOperation]) -> tuple[list[int], dict[int, str]]:
        queued, refused = [], {}
        for operation in found:
            try:
                queue_again(operation, actor=OPERATOR, now=timezone.now(), ring=False)
                queued.append(operation.pk)
            except NotPossible as error:
                refused[operation.pk] = str(error)
        if queued:
            enqueue(DRAIN, 0)
        return queued, refused
