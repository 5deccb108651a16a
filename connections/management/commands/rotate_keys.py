"""Re-encrypts every stored secret with the first key of PORTAL_FIELD_KEYS."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from connections.rotation import rotate_keys
from portal.management.output import JsonOption


class Command(JsonOption, BaseCommand):
    help = (
        "Re-encrypts every stored secret with the first key of PORTAL_FIELD_KEYS; then the other keys may be taken off "
        "the list. Exit codes: 0 every secret is under the first key, 1 some cannot be opened."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        done = rotate_keys()
        facts = {"keys_before": dict(done.before), "rotated": done.rotated, "unreadable": done.unreadable}
        kept = sum(done.before.values()) - done.rotated - len(done.unreadable)
        self.answer(options, facts, f"Re-encrypted {done.rotated} secrets; {kept} were under the first key already.")
        if done.unreadable:
            raise CommandError(
                f"{len(done.unreadable)} secrets cannot be opened with the keys on the list: "
                f"{', '.join(done.unreadable)}. Put their key back, or set them again on their connections."
            )
