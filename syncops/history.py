"""The whole history of a subscription: what changed, what was done about it in the PSA, and what came of it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Q, QuerySet

from portal.models import Subscription, SubscriptionChange
from portal.views.details import Changed, changed_rows
from syncops.models import SyncOperation

PAGE = 30
CHANGES, OPERATIONS = 0, 1  # of one moment what was done about a change is the younger of the two


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """Where an entry stands in a history that runs backwards: by its moment, its rank, its id, the greatest first."""

    at: datetime
    rank: int
    pk: int

    def __str__(self) -> str:
        return f"{self.at.isoformat()}_{self.rank}_{self.pk}"

    @classmethod
    def named(cls, text: str | None) -> Place | None:
        """The place that an address names; None where it names none."""
        try:
            at, rank, pk = (text or "").split("_")
            place = cls(datetime.fromisoformat(at.replace(" ", "+")), int(rank), int(pk))
        except ValueError:
            return None
        return place if place.at.tzinfo is not None and 0 <= place.pk < 2**63 else None

    def older(self, moment: str, rank: int) -> Q:
        """The rows of a rank that come after this place in a history, which runs backwards."""
        older, same = Q(**{f"{moment}__lt": self.at}), Q(**{moment: self.at})
        if rank > self.rank:
            return older
        return older | (same & Q(pk__lt=self.pk) if rank == self.rank else same)


@dataclass(frozen=True, slots=True)
class Entry:
    """A change with the operations that it brought about, or an operation by itself."""

    place: Place
    change: SubscriptionChange | None
    operations: tuple[SyncOperation, ...]

    @property
    def lines(self) -> list[Changed]:
        """The values that the change changed."""
        return (
            [row for row in changed_rows(self.change.before, self.change.after) if row.differs] if self.change else []
        )


@dataclass(frozen=True, slots=True)
class HistoryPage:
    """Entries, the newest first; `older` names the next page, None at the end."""

    entries: tuple[Entry, ...]
    older: Place | None
    is_first: bool


def history_of(subscription: Subscription, user: Any, after: str | None = None, *, size: int = PAGE) -> HistoryPage:
    """A page of a subscription's history behind the place that `after` names; five queries, however long it is.

    Changes are everybody's who sees the subscription, operations only those of the person's own organization.
    """
    place = Place.named(after)
    changes = subscription.changes.select_related("actor").order_by("-recorded_at", "-pk")
    mine = _operations(subscription, user)
    alone = mine.filter(change=None).order_by("-created_at", "-pk")
    if place is not None:
        changes = changes.filter(place.older("recorded_at", CHANGES))
        alone = alone.filter(place.older("created_at", OPERATIONS))
    found = list(changes[: size + 1])
    entries = [
        *_with_operations(found, mine.filter(change__in=found)),
        *(Entry(Place(one.created_at, OPERATIONS, one.pk), None, (one,)) for one in alone[: size + 1]),
    ]
    entries.sort(key=lambda entry: entry.place, reverse=True)
    shown = entries[:size]
    return HistoryPage(tuple(shown), shown[-1].place if len(entries) > size else None, place is None)


def _operations(subscription: Subscription, user: Any) -> QuerySet[SyncOperation]:
    rows = SyncOperation.objects.for_user(user).filter(subscription=subscription)
    return rows.select_related("connection", "mapping", "actor", "superseded_by").prefetch_related("shortfalls")


def _with_operations(changes: Iterable[SubscriptionChange], operations: Iterable[SyncOperation]) -> list[Entry]:
    by_change: dict[int | None, list[SyncOperation]] = defaultdict(list)
    for operation in operations:
        by_change[operation.change_id].append(operation)
    return [Entry(Place(one.recorded_at, CHANGES, one.pk), one, tuple(by_change[one.pk])) for one in changes]
