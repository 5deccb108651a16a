"""The mirror: what a PSA holds, read whole into our own tables, so that pickers and checks cost no request.

A refresh reads companies, services, contracts and lines page by page. Each page is stored together with how far the
reading got, so a refresh that is killed goes on with the next page. Rows that the far side no longer shows are dropped
at the end, but never more than a tenth of a kind at once: an API user who lost a right, or sees fewer lines of
business, looks just like that.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from django.conf import settings
from django.db import transaction

from connections.feeding import merged
from connections.health import note_failure, note_success
from connections.models import (
    Connection,
    Mirrored,
    MirroredCompany,
    MirroredContract,
    MirroredLine,
    MirroredService,
    MirrorRefresh,
)
from connections.psa.base import Psa
from connections.psa.types import Company, Contract, Line, Service
from connections.refusals import Refused
from connections.registry import PSAS, psa_for
from connections.upsert import Upsert
from portal import audit, leases
from portal.audit import Actor
from portal.far_side import FarSideError, OutcomeUnknown, Rejected, Unauthorized, Unavailable
from portal.queue import enqueue

BUDGET_S = 60.0
MOST_GONE = 10  # one in ten
READS = (Connection.State.ACTIVE, Connection.State.PAUSED)
OWN_NAMES: Mapping[str, str] = {
    "company_id": "company_remote_id",
    "contract_id": "contract_remote_id",
    "service_id": "service_remote_id",
}

Clock = Callable[[], datetime]


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of row: where it is read, and where it is kept."""

    name: str
    value: type[Company] | type[Service] | type[Contract] | type[Line]
    model: type[Mirrored]
    read: Callable[[Psa, int], Iterator[Sequence[Any]]]

    def store(self, refresh: MirrorRefresh, page: Sequence[Any]) -> None:
        """Insert the page's rows, or overwrite those that are there."""
        names = [field.name for field in fields(self.value) if field.name != "id"]
        columns = [OWN_NAMES.get(name, name) for name in names]
        own, read_at = refresh.connection_id, refresh.started_at
        rows = [(own, value.id, read_at, *(getattr(value, name) for name in names)) for value in page]
        if "name" in names:
            columns.append("search_name")
            rows = [(*row, value.name.lower()) for row, value in zip(rows, page, strict=True)]
        Upsert(self.model, key=["connection_id", "remote_id"], values=["read_at", *columns]).run(rows)


KINDS = (
    Kind("companies", Company, MirroredCompany, lambda psa, after_id: psa.companies(after_id=after_id)),
    Kind("services", Service, MirroredService, lambda psa, after_id: psa.services(after_id=after_id)),
    Kind("contracts", Contract, MirroredContract, lambda psa, after_id: psa.contracts(after_id=after_id)),
    Kind("lines", Line, MirroredLine, lambda psa, after_id: psa.lines(after_id=after_id)),
)


class LeaseLost(Exception):
    """Another worker has taken over; what this one still reads is thrown away."""


def start_refresh(connection: Connection, *, now: datetime) -> MirrorRefresh:
    """The refresh that runs, or a new one with the wake-up for it. Refused where nothing can be read."""
    if connection.kind not in PSAS:
        raise Refused("There is nothing to read from this kind of connection.")
    if connection.state not in READS:
        raise Refused(f"It is {connection.get_state_display().lower()}. Press Test first.")
    with transaction.atomic():
        Connection.objects.select_for_update(no_key=True).get(pk=connection.pk)
        refresh = MirrorRefresh.objects.running().filter(connection=connection).first()
        if refresh is None:
            refresh = MirrorRefresh.objects.create(connection=connection, started_at=now, due_at=now)
        enqueue("connections.tasks.refresh_mirror", connection.pk)
    return refresh


def run_refresh(refresh_id: int, *, clock: Clock, budget_s: float = BUDGET_S) -> MirrorRefresh:
    """Read on for at most `budget_s`; a refresh that is not through then wakes a worker again.

    Raises Unauthorized, after recording it: the caller stops the connection.
    """
    now = clock()
    claimed = leases.claim(MirrorRefresh.objects.running(), refresh_id, now)
    refresh = MirrorRefresh.objects.select_related("connection__organization").get(pk=refresh_id)
    if not claimed:
        return refresh
    try:
        _check(refresh)
        if _read(refresh, psa_for(refresh.connection), clock, now + timedelta(seconds=budget_s)):
            _finish(refresh, clock())
        else:
            leases.settle(refresh, due_at=clock())
            enqueue("connections.tasks.refresh_mirror", refresh.connection_id)
    except LeaseLost:
        pass
    except FarSideError as error:
        _broke_off(refresh, error, clock())
        if isinstance(error, Unauthorized):
            raise
    refresh.refresh_from_db()
    return refresh


def drop_anyway(refresh: MirrorRefresh, *, actor: Actor, now: datetime) -> None:
    """A person's word for a refresh that is held: the rows are gone for good. Refused where it is not held."""
    with transaction.atomic():
        held = MirrorRefresh.objects.filter(pk=refresh.pk, state=MirrorRefresh.State.HELD)
        if not held.update(state=MirrorRefresh.State.SUCCEEDED, finished_at=now):
            raise Refused("Nothing waits for a decision here.")
        for kind in KINDS:
            _gone(kind, refresh).delete()
        connection = refresh.connection
        Connection.objects.filter(pk=connection.pk).update(mirrored_at=refresh.started_at)
        audit.record(
            "Drop Missing Connection Data",
            actor=actor,
            organization=connection.organization,
            connection=connection,
            subject=connection.name,
            asked=refresh.gone,
            at=now,
        )


def counts_of(connection: Connection) -> dict[str, int]:
    """How many rows of each kind the mirror holds."""
    return {kind.name: kind.model._default_manager.filter(connection=connection).count() for kind in KINDS}


def _check(refresh: MirrorRefresh) -> None:
    if refresh.connection.state not in READS:
        raise Rejected(
            f"The connection is {refresh.connection.get_state_display().lower()}.", advice="Press Test first."
        )
    if leases.exhausted(refresh.attempts):
        raise Rejected("Reading broke off again and again at the same place.", advice="Press Refresh to start over.")


def _read(refresh: MirrorRefresh, psa: Psa, clock: Clock, until: datetime) -> bool:
    """Store page after page; False where time is up before the last one."""
    kinds = {kind.name: kind for kind in KINDS if refresh.cursor.get(kind.name) != "done"}
    sources = [(name, partial(kind.read, psa, refresh.cursor.get(name, -1))) for name, kind in kinds.items()]
    pages = merged(sources)
    try:
        for name, page in pages:
            if page is None:
                refresh.cursor[name] = "done"
            else:
                _store(refresh, kinds[name], page, clock())
            if clock() >= until:
                return all(refresh.cursor.get(kind.name) == "done" for kind in KINDS)
    finally:
        pages.close()
    return True


def _store(refresh: MirrorRefresh, kind: Kind, page: Sequence[Any], now: datetime) -> None:
    """One page and how far the reading got, together. Raises LeaseLost."""
    if not page:
        return
    refresh.cursor[kind.name] = page[-1].id
    refresh.counts[kind.name] = refresh.counts.get(kind.name, 0) + len(page)
    with transaction.atomic():
        kept = MirrorRefresh.objects.filter(pk=refresh.pk, fence=refresh.fence).update(
            cursor=refresh.cursor,
            counts=refresh.counts,
            attempts=0,
            lease_until=now + timedelta(seconds=settings.EXECUTOR["lease_s"]),
        )
        if not kept:
            raise LeaseLost
        kind.store(refresh, page)


def _finish(refresh: MirrorRefresh, now: datetime) -> None:
    connection = refresh.connection
    gone = {kind.name: _gone(kind, refresh).count() for kind in KINDS}
    total = counts_of(connection)
    too_many = [name for name, count in gone.items() if count * MOST_GONE > total[name]]
    with transaction.atomic():
        if too_many:
            state, message = MirrorRefresh.State.HELD, _held_words(too_many, gone, total)
        else:
            state, message = MirrorRefresh.State.SUCCEEDED, ""
        if not leases.settle(refresh, state=state, message=message, gone=gone, finished_at=now, due_at=None):
            return
        if not too_many:
            for kind in KINDS:
                _gone(kind, refresh).delete()
            Connection.objects.filter(pk=connection.pk).update(mirrored_at=refresh.started_at)
    note_success(connection, now=now)


def _gone(kind: Kind, refresh: MirrorRefresh) -> Any:
    """Rows that this refresh did not see."""
    rows = kind.model._default_manager.filter(connection=refresh.connection_id)
    return rows.filter(read_at__lt=refresh.started_at)


def _held_words(names: Sequence[str], gone: Mapping[str, int], total: Mapping[str, int]) -> str:
    parts = ", ".join(f"{gone[name]} of {total[name]} {name}" for name in names)
    return (
        f"The far side no longer shows {parts}. That is more than one in ten, so nothing was dropped. It happens when "
        "the API user loses a right or a line of business. Put that right and press Refresh, or drop them."
    )


def _broke_off(refresh: MirrorRefresh, error: FarSideError, now: datetime) -> None:
    """Try again later where that may help, else say why it failed."""
    note_failure(refresh.connection, error, now=now)
    again = leases.try_after(error, refresh.attempts, now) if isinstance(error, Unavailable | OutcomeUnknown) else None
    if again is not None:
        leases.settle(refresh, due_at=again, message=str(error))
    else:
        state = MirrorRefresh.State.FAILED
        leases.settle(refresh, state=state, message=str(error), finished_at=now, due_at=None)
