"""`manage.py sweep`: find what should be running and is not, and wake it."""

from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from portal.management.output import JsonOption
from syncops.tasks import sweep_everything


class Command(JsonOption, BaseCommand):
    help = (
        "Frees what dead workers held, takes up what a connection had stopped, makes due what nobody would look at "
        "again, and wakes a worker where something is due. Exit code 0, whatever was found."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        swept = sweep_everything(timezone.now())
        words = (
            f"Freed {swept.freed} leases of dead workers, took up {swept.taken_up} operations of connections that send "
            f"again, made {swept.forgotten} forgotten lines due.\n"
            f"Due now: {swept.due} lines, {swept.decisions} decisions."
        )
        facts = {name: getattr(swept, name) for name in swept.__slots__}
        self.answer(options, facts, words)
