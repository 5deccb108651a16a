"""When a stream is looked at again: put aside until a moment, given back, and made due when an obstacle is gone."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from django.db.models import Exists, F, OuterRef, QuerySet

from connections.models import Connection
from syncops import journal
from syncops.claim import Claim
from syncops.clock import Moment
from syncops.models import NEVER, Stream, SyncOperation

State = SyncOperation.State
PAUSED_CHECK = timedelta(minutes=15)
FREE_REQUESTS = "free requests"
STOPPED = {
    Connection.State.PAUSED: "the connection to be resumed",
    Connection.State.UNAUTHORIZED: "new credentials of the connection",
    Connection.State.DRAFT: "the connection to be tested",
    Connection.State.ACTIVE: "the rehearsal to end",
}


def put_aside(claim: Claim, stream: Stream, waiting_for: str, until: datetime, *, keep_rehearsed: bool = False) -> None:
    """Let every open operation of the stream wait, and say for what and until when; with `keep_rehearsed` but those
    that were rehearsed before.
    """
    waiting = list(SyncOperation.objects.filter(stream=stream).open())
    for operation in waiting:
        if keep_rehearsed and operation.state == State.REHEARSED:
            continue
        state = operation.state if operation.state in (State.PLANNED, State.UNCERTAIN) else State.QUEUED
        journal.move(operation, state, waiting_for=waiting_for, retry_at=until)
    release(claim, until if waiting else None)


def go_on(now: datetime) -> int:
    """Make due at once what was put aside for a connection that sends again; how many operations that is."""
    waiting = SyncOperation.objects.filter(
        stream__due__gt=now,
        waiting_for__in=tuple(STOPPED.values()),
        connection__state__in=Connection.SENDS,
        connection__mode=Connection.Mode.LIVE,
    ).open()
    found = list(waiting.values_list("pk", "stream_id"))
    if found:
        SyncOperation.objects.open().filter(pk__in=[pk for pk, _ in found]).update(retry_at=None, waiting_for="")
        Stream.objects.filter(pk__in=[stream for _, stream in found], due__gt=now).update(due=now)
    return len(found)


def wake_behind(operations: Iterable[SyncOperation], now: datetime) -> None:
    """Make due at once what waits on another line for the proof of one of these; outside any transaction."""
    behind = SyncOperation.objects.open().filter(after__in=list(operations), after__state=State.SUCCEEDED)
    streams = list(behind.exclude(stream=F("after__stream")).values_list("stream_id", flat=True))
    if streams:
        waiting = SyncOperation.objects.filter(stream__in=streams, state=State.QUEUED)
        waiting.filter(retry_at__gt=now).update(retry_at=None, waiting_for="")
        Stream.objects.filter(pk__in=streams, due__gt=now).update(due=now)


def remember(now: datetime) -> int:
    """Make due the streams with open operations that nothing would look at again; how many (none, if all is well)."""
    forgotten = Stream.objects.filter(due__isnull=True, lease_until__lte=now)
    return forgotten.filter(Exists(SyncOperation.objects.filter(stream=OuterRef("pk")).open())).update(due=now)


def over_budget_words(message: str) -> str:
    """What operations wait for that our own budget of requests forbids now."""
    return f"{FREE_REQUESTS}. {message}"[:200].removesuffix(".")


def release(claim: Claim, due: datetime | None) -> None:
    """Give a stream back, if it still is ours; `due` is when there is something to do again."""
    give_back(Stream.objects.filter(pk=claim.stream_id, fence=claim.fence), due)


def give_back(streams: QuerySet[Stream], due: datetime | None) -> None:
    """End the lease of streams; nobody waits for those that are idle."""
    idle = {"urgent": False} if due is None else {}
    streams.update(due=due, lease_until=NEVER, owner="", **idle)


def next_dues(streams: Iterable[int], moment: Moment) -> dict[int, datetime]:
    """When the oldest open operation of each stream wants to go on; streams with nothing open are not among them.

    While one is uncertain all others wait for it, and it is not looked at more often because they do.
    """
    waiting = SyncOperation.objects.filter(stream_id__in=list(streams)).open().chronological()
    heads: dict[int, tuple[str, datetime | None]] = {}
    for stream_id, state, retry_at in waiting.values_list("stream_id", "state", "retry_at"):
        uncertain = state == State.UNCERTAIN and heads.get(stream_id, ("",))[0] != State.UNCERTAIN
        if uncertain or stream_id not in heads:
            heads[stream_id] = (state, retry_at)
    return {stream_id: retry_at or moment.now for stream_id, (_, retry_at) in heads.items()}
