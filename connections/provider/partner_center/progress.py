"""How far an import got: what a step stores, it stores under the fence and together with its place."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction

from connections.models import ProviderImport
from connections.provider.partner_center.client import PartnerCenter

MOST_PROBLEMS = 50  # in words; the count goes on


class LeaseLost(Exception):
    """Another worker has taken over; what this one still reads is thrown away."""


class Progress:
    """One claimed import while it is worked on. `until`: when to stop and let others work."""

    def __init__(
        self, row: ProviderImport, client: PartnerCenter, clock: Callable[[], datetime], *, until: datetime
    ) -> None:
        self.row, self.client, self.clock, self._until = row, client, clock, until

    @property
    def is_over(self) -> bool:
        return self.clock() >= self._until

    def count(self, name: str, number: int = 1) -> None:
        self.row.counts[name] = self.row.counts.get(name, 0) + number

    def note(self, problems: list[str]) -> None:
        """Keep what a person should look at; the first fifty, each once."""
        new = [words for words in dict.fromkeys(problems) if words not in self.row.problems]
        self.row.problems = [*self.row.problems, *new][:MOST_PROBLEMS]
        if new:
            self.count("problems", len(new))

    @contextmanager
    def stored(self, **cursor: object) -> Iterator[None]:
        """What is written inside, and where the reading stands after it: together, or not at all. Raises LeaseLost."""
        self.row.cursor = {**self.row.cursor, **cursor}
        self.row.as_of = self.row.as_of or self.client.as_of
        with transaction.atomic():
            yield
            kept = ProviderImport.objects.filter(pk=self.row.pk, fence=self.row.fence).update(
                cursor=self.row.cursor,
                counts=self.row.counts,
                problems=self.row.problems,
                as_of=self.row.as_of,
                attempts=0,
                message="",
                lease_until=self.clock() + timedelta(seconds=settings.EXECUTOR["lease_s"]),
            )
            if not kept:
                raise LeaseLost
