"""A rehearsal ends: what gathered in it, what a person chooses about it, and the one yes that sends it."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.db.models import Count, Max, Min, OuterRef, Q, QuerySet, Subquery, Sum

from connections.models import Connection
from connections.modes import connection_held, switch
from portal import audit
from portal.audit import Actor
from portal.currencies import to_minor_unit
from portal.models import AuditEntry, User
from portal.queue import enqueue
from syncops import journal
from syncops.actions import DRAIN, NotPossible
from syncops.models import GoingLive, Rehearsal, RehearsalQuerySet, Shortfall, Stream, SyncOperation
from syncops.rehearsals import MONEY, gathered_streams, unrehearsed
from syncops.together import gathering

State, Choice, Verdict = SyncOperation.State, Rehearsal.Choice, Rehearsal.Verdict


@dataclass(frozen=True, slots=True)
class Totals:
    """What gathered, and what of it is to be sent: how many, how many of these would stop or send nothing, and what
    they change on earlier bills, this one and the next, in `currency`. `unknown`: those without a known price, whose
    money is not in it.
    """

    count: int
    sent: int
    stops: int
    nothing: int
    unknown: int
    earlier: Decimal
    this_bill: Decimal
    next_bill: Decimal
    shortfall: Decimal
    currency: str

    @property
    def dismissed(self) -> int:
        return self.count - self.sent

    def as_json(self) -> dict[str, Any]:
        return {name: str(value) if isinstance(value, Decimal) else value for name, value in asdict(self).items()}


def gathered(connection: Connection) -> RehearsalQuerySet:
    """What waits for the connection to go live."""
    return Rehearsal.objects.gathered().filter(operation__connection=connection)


def totals_of(rows: QuerySet[Rehearsal], currency: str) -> Totals:
    """One query."""
    return _totals(rows.order_by().aggregate(**_SUMS), currency)


def totals_by_customer(rows: QuerySet[Rehearsal], currency: str, customers: Sequence[int]) -> dict[int, Totals]:
    """By the customer's id; one query for any number."""
    of_them = rows.filter(operation__subscription__customer__in=customers).order_by()
    found = of_them.values("operation__subscription__customer").annotate(**_SUMS)
    return {row["operation__subscription__customer"]: _totals(row, currency) for row in found}


_SENT = Q(choice=Choice.SEND)
_UNKNOWN = Q(earlier=None) | Q(this_bill=None) | Q(next_bill=None) | Q(shortfall=None)
_SUMS: dict[str, Any] = {
    "count": Count("pk"),
    "sent": Count("pk", filter=_SENT),
    "stops": Count("pk", filter=_SENT & Q(verdict=Verdict.STOPS)),
    "nothing": Count("pk", filter=_SENT & Q(verdict=Verdict.NOTHING)),
    "unknown": Count("pk", filter=_SENT & _UNKNOWN),
} | {f"sum_{name}": Sum(name, filter=_SENT) for name in MONEY}


def _totals(row: Mapping[str, Any], currency: str) -> Totals:
    counts = {name: row[name] for name in ("count", "sent", "stops", "nothing", "unknown")}
    money: dict[str, Any] = {name: to_minor_unit(row[f"sum_{name}"] or Decimal(0), currency) for name in MONEY}
    return Totals(**counts, **money, currency=currency)


@dataclass(frozen=True, slots=True)
class Gathered:
    """Everything that waits on a connection. `as_of`: when the oldest of it was planned. `planning`: what is being
    planned at this moment; `waits_for_microsoft`: what has no date yet, and is sent when its subscription starts.
    """

    connection: Connection
    totals: Totals
    as_of: datetime | None
    planning: int
    waits_for_microsoft: int
    fingerprint: str

    @property
    def is_ready(self) -> bool:
        return not self.planning


def gathered_on(connection: Connection, now: datetime) -> Gathered:
    """Four queries, whatever gathered."""
    rows = gathered(connection)
    totals = totals_of(rows, connection.currency)
    last = rows.aggregate(as_of=Min("rehearsed_at"), newest=Max("pk"))
    not_planned = unrehearsed(connection).count()
    again = gathered_streams(connection).filter(due__lte=now).count()
    open_ones = SyncOperation.objects.open().filter(connection=connection).count()
    return Gathered(
        connection,
        totals,
        last["as_of"],
        not_planned + again,
        open_ones - totals.count - not_planned,
        hashlib.sha256(repr((totals.as_json(), last["newest"])).encode()).hexdigest()[:24],
    )


def choose(
    connection: Connection,
    rows: QuerySet[Rehearsal],
    *,
    choice: str,
    reason: str,
    whom: str,
    actor: User,
    now: datetime,
) -> int:
    """Say of some of what gathered whether it is to be sent; how many that changes. The others are planned anew with
    it. `whom`: which ones, in words. Raises NotPossible where it went live meanwhile.
    """
    with transaction.atomic():
        wanted = rows.exclude(choice=choice, reason=reason)
        streams = _locked_streams(Stream.objects.filter(operations__rehearsal__in=wanted.values("pk")))
        held = connection_held(connection.pk)
        if not held.rehearses:
            raise NotPossible(f"{held} is live already.")
        changed = list(wanted.filter(operation__stream__in=streams).values_list("pk", flat=True))
        if not changed:
            return 0
        Rehearsal.objects.filter(pk__in=changed).update(choice=choice, reason=reason)
        Stream.objects.filter(pk__in=streams).update(due=now, urgent=True)
        audit.record(
            "Choose What Is Sent",
            actor=Actor.user(actor),
            organization=held.organization,
            connection=held,
            subject=whom,
            asked={"choice": choice, "reason": reason, "operations": len(changed)},
            at=now,
        )
        enqueue(DRAIN, connection.pk)
    return len(changed)


def plan_again(connection: Connection, now: datetime) -> None:
    """Have everything that gathered planned anew, by what Autotask shows now."""
    gathered_streams(connection).update(due=now)
    enqueue(DRAIN, connection.pk)


def go_live(connection: Connection, *, seen: str, actor: User, now: datetime) -> GoingLive:
    """End the rehearsal: what was chosen is sent, oldest first, and the rest is dismissed. `seen`: the fingerprint of
    what the person looked at. A second confirmation gives what the first began.

    Raises NotPossible where something came or changed since; nothing is sent then.
    """
    with transaction.atomic():
        streams = _locked_streams(Stream.objects.filter(connection=connection, operations__state=State.REHEARSED))
        held = connection_held(connection.pk)
        if not held.rehearses and not gathered(held).exists():
            last = held.goings_live.first()
            if last is None:
                raise NotPossible(f"{held} is live already.")
            return last
        found = gathered_on(held, now)
        _refuse(held, found, seen)
        rows = gathered(held)
        going = GoingLive.objects.create(
            connection=held,
            actor=actor,
            sent=found.totals.sent,
            dismissed=found.totals.dismissed,
            shown=found.totals.as_json(),
            created_at=now,
        )
        rows.update(going_live=going)
        _dismiss(list(rows.filter(choice=Choice.DISMISS)), going, now)
        _send(streams, now)
        common = {"actor": Actor.user(actor), "now": now}
        switch(held, Connection.Mode.LIVE, **common, **found.totals.as_json())  # type: ignore[arg-type]
        enqueue(DRAIN, held.pk)
    return going


def _refuse(connection: Connection, found: Gathered, seen: str) -> None:
    if not connection.works:
        raise NotPossible(f"{connection} is {connection.get_state_display().lower()}. Let it work again first.")
    if found.planning:
        raise NotPossible("Something is being planned at this moment. Look at it when it is there, then confirm.")
    if found.fingerprint != seen:
        raise NotPossible("What waits is not what you saw any more. Look at the figures below, then confirm.")


def _locked_streams(streams: QuerySet[Stream]) -> list[int]:
    """Lock streams in the one order that all keep."""
    pks = list(streams.order_by("pk").values_list("pk", flat=True).distinct())
    return list(
        Stream.objects.select_for_update(no_key=True).filter(pk__in=pks).order_by("pk").values_list("pk", flat=True)
    )


def _send(streams: list[int], now: datetime) -> None:
    """Queue what is left, each with the preview that was seen; lines whose oldest change is older go first."""
    waiting = SyncOperation.objects.filter(stream__in=streams, state=State.REHEARSED)
    oldest = waiting.order_by().values_list("stream").annotate(oldest=Min("effective_on"))
    by_day: dict[date, list[int]] = defaultdict(list)
    for stream_id, day in oldest:
        by_day[day].append(stream_id)
    shown = Rehearsal.objects.filter(pk=OuterRef("pk")).values("shown")
    waiting.update(preview=Subquery(shown), state=State.QUEUED, waiting_for="", retry_at=None, attempts=0)
    for day, pks in by_day.items():
        due = min(now, datetime.combine(day, time(), tzinfo=now.tzinfo))
        Stream.objects.filter(pk__in=pks).update(due=due, urgent=False)


def _dismiss(rows: list[Rehearsal], going: GoingLive, now: datetime) -> None:
    """Those that a person chose not to send, each with its own audit entries and their reason."""
    related = ("mapping", "subscription__customer", "connection", "organization", "audit_began")
    operations = list(SyncOperation.objects.filter(pk__in=[row.pk for row in rows]).select_related(*related))
    if not operations:
        return
    reasons = {row.pk: row.reason for row in rows}
    SyncOperation.objects.filter(pk__in=reasons).update(
        state=State.DISMISSED, waiting_for="", retry_at=None, finished_at=now
    )
    Shortfall.objects.filter(settled_by__in=reasons).update(settled_by=None)
    with gathering():
        for one in operations:
            journal.end_audit(one, succeeded=False, answered={"dismissed": reasons[one.pk]}, now=now)
    audit.chain([_dismissal(one, reasons[one.pk], going.actor, now) for one in operations])


def _dismissal(operation: SyncOperation, reason: str, actor: User, now: datetime) -> AuditEntry:
    return audit.drafted(
        "Dismiss Operation",
        actor=Actor.user(actor),
        organization=operation.organization,
        subject=str(operation),
        subscription=operation.subscription,
        connection=operation.connection,
        asked={"reason": reason},
        correlation_id=operation.correlation_id,
        at=now,
    )
