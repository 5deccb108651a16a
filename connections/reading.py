"""Reading a PSA into the mirror page by page, everything or what changed; each page is stored with how far it got.

Changes are asked for by what a PSA tells of them. Companies, services and contracts carry the time of their last change
where the PSA keeps one; new rows have higher ids than all before. Lines carry no such time: new ones are found by
their ids, and those of contracts that changed are read with them. What else changed on a line, and rows that are gone,
is left to the full reading of the day: to look for it each time would cost a request per 500 lines.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from django.conf import settings
from django.db import transaction

from connections.feeding import merged
from connections.models import (
    Connection,
    Mirrored,
    MirroredCompany,
    MirroredContract,
    MirroredLine,
    MirroredService,
    MirrorRefresh,
)
from connections.models.mirror import SEARCH_NAME
from connections.psa.base import Psa
from connections.psa.types import Company, Contract, Line, Service, Since
from connections.upsert import Upsert
from portal.folding import folded

# A change may show a little after the time that it carries, and a row a little after a higher id: both overlap.
OVERLAP = timedelta(minutes=10)
OVERLAP_IDS = 100
CONTRACTS_AT_ONCE = 400  # of the 500 values that one query may hold
OWN_NAMES = {"company_id": "company_remote_id", "contract_id": "contract_remote_id", "service_id": "service_remote_id"}

Clock = Callable[[], datetime]


@dataclass(frozen=True, slots=True)
class One:
    """A single row that was read by itself."""

    connection_id: int
    started_at: datetime
    since: datetime | None = None


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of row: how it is read, and where it is kept."""

    name: str
    value: type[Company] | type[Service] | type[Contract] | type[Line]
    model: type[Mirrored]
    read: Callable[[Psa, int, Since | None], Iterator[Sequence[Any]]]

    def store(self, refresh: MirrorRefresh | One, page: Sequence[Any]) -> None:
        """Insert the page's rows, or overwrite those that are there. Changes never put an older row in place of a
        newer one; a full reading is believed, so that it can mend what is wrong here."""
        names = [field.name for field in fields(self.value) if field.name != "id"]
        columns = [OWN_NAMES.get(name, name) for name in names]
        own, read_at = refresh.connection_id, refresh.started_at
        rows = [(own, value.id, read_at, *(getattr(value, name) for name in names)) for value in page]
        if "name" in names:
            columns.append("search_name")
            rows = [(*row, folded(value.name, at_most=SEARCH_NAME)) for row, value in zip(rows, page, strict=True)]
        forward = "modified_at" if "modified_at" in names and refresh.since else ""
        key = ["connection_id", "remote_id"]
        Upsert(self.model, key=key, values=["read_at", *columns], forward=forward).run(rows)


KINDS = (
    Kind("companies", Company, MirroredCompany, lambda psa, after, since: psa.companies(after_id=after, since=since)),
    Kind("services", Service, MirroredService, lambda psa, after, since: psa.services(after_id=after, since=since)),
    Kind("contracts", Contract, MirroredContract, lambda psa, after, since: psa.contracts(after_id=after, since=since)),
    Kind("lines", Line, MirroredLine, lambda psa, after, since: psa.lines(after_id=after, since=since)),
)
DONE = "done"


def keep_one(connection: Connection, value: Company | Service | Contract | Line, now: datetime) -> None:
    """Put a row that was just read into the mirror."""
    kind = next(one for one in KINDS if one.value is type(value))
    kind.store(One(connection.pk, now), [value])


class LeaseLost(Exception):
    """Another worker has taken over; what this one still reads is thrown away."""


def read_everything(refresh: MirrorRefresh, psa: Psa, clock: Clock, until: datetime) -> bool:
    """Store page after page; False where time is up before the last one. Raises LeaseLost."""
    kinds = {kind.name: kind for kind in KINDS if refresh.cursor.get(kind.name) != DONE}
    sources = [(name, partial(kind.read, psa, refresh.cursor.get(name, -1), None)) for name, kind in kinds.items()]
    pages = merged(sources)
    try:
        for name, page in pages:
            if page is None:
                refresh.cursor[name] = DONE
            elif page:
                _store(refresh, kinds[name], psa, page, page[-1].id, clock())
            if clock() >= until:
                return _is_through(refresh)
    finally:
        pages.close()
    return True


def read_changes(refresh: MirrorRefresh, psa: Psa, clock: Clock, until: datetime) -> bool:
    """Store what changed, kind after kind, lines last; False where time is up before the end. Raises LeaseLost."""
    for kind in KINDS:
        if refresh.cursor.get(kind.name) == DONE:
            continue
        for page, place in (_changed_lines if kind.model is MirroredLine else _changed)(kind, refresh, psa):
            _store(refresh, kind, psa, page, place, clock())
            if clock() >= until:
                return False
        refresh.cursor[kind.name] = DONE
    return True


def _changed(kind: Kind, refresh: MirrorRefresh, psa: Psa) -> Iterator[tuple[Sequence[Any], int]]:
    """Pages of what changed, each with the cursor behind it."""
    for page in kind.read(psa, refresh.cursor.get(kind.name, -1), _since(kind, refresh)):
        if page:
            yield page, page[-1].id


def _changed_lines(kind: Kind, refresh: MirrorRefresh, psa: Psa) -> Iterator[tuple[Sequence[Any], int]]:
    """New lines and those of the contracts that this reading stored. The cursor is the last contract that is through:
    a reading that was killed repeats the contracts that it was at."""
    place = refresh.cursor.get(kind.name, -1)
    stored = MirroredContract._default_manager.filter(connection=refresh.connection_id, read_at=refresh.started_at)
    ids = list(stored.filter(remote_id__gt=place).order_by("remote_id").values_list("remote_id", flat=True))
    for start in range(0, max(len(ids), 1), CONTRACTS_AT_ONCE):
        chunk = ids[start : start + CONTRACTS_AT_ONCE]
        for page in kind.read(psa, -1, _since(kind, refresh, chunk)):
            yield page, place
        place = chunk[-1] if chunk else place
        yield (), place


def _since(kind: Kind, refresh: MirrorRefresh, contract_ids: Sequence[int] = ()) -> Since:
    assert refresh.since is not None
    return Since(refresh.seen.get(kind.name, -1) - OVERLAP_IDS, refresh.since, contract_ids)


def _store(refresh: MirrorRefresh, kind: Kind, psa: Psa, page: Sequence[Any], place: int, now: datetime) -> None:
    """One page and how far the reading got, together. Raises LeaseLost."""
    refresh.cursor[kind.name] = place
    refresh.counts[kind.name] = refresh.counts.get(kind.name, 0) + len(page)
    refresh.seen[kind.name] = max([refresh.seen.get(kind.name, -1), *(row.id for row in page)])
    refresh.as_of = refresh.as_of or psa.as_of
    with transaction.atomic():
        kept = MirrorRefresh.objects.filter(pk=refresh.pk, fence=refresh.fence).update(
            cursor=refresh.cursor,
            counts=refresh.counts,
            seen=refresh.seen,
            as_of=refresh.as_of,
            attempts=0,
            message="",
            lease_until=now + timedelta(seconds=settings.EXECUTOR["lease_s"]),
        )
        if not kept:
            raise LeaseLost
        kind.store(refresh, page)


def _is_through(refresh: MirrorRefresh) -> bool:
    return all(refresh.cursor.get(kind.name) == DONE for kind in KINDS)
