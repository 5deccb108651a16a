"""Mapping many subscriptions in the background: each is checked against the PSA as it is then, and audited."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from connections.actions import mark_unauthorized
from connections.models import Connection
from connections.psa.base import Psa
from connections.registry import psa_for
from mappings.models import MatchRun
from mappings.reasons import Reason, reason
from portal import leases
from portal.audit import Actor, record
from portal.far_side import FarSideError, Unauthorized
from portal.queue import enqueue
from syncops.actions import Refused, sync_to_connection
from syncops.bulk_mapping import Candidate, candidates, mappable, unmapped
from syncops.preview import MappingPreview, Since, preview_mapping, read_facts

SUBSCRIPTIONS = "subscriptions"
RUN_TASK = "syncops.mapping_tasks.run_mapping"
MAP_MANY = "Map Subscriptions To Connection"
BUDGET_S = 60.0
BATCH = 50
KEPT_PROBLEMS = 200

State = MatchRun.State


def start_mapping(
    connection: Connection, *, since: Since, chosen: Sequence[int], actor: Actor, now: datetime
) -> MatchRun:
    """The run that goes on for this connection, or a new one. `chosen`: ids of subscriptions; none for every one."""
    with transaction.atomic():
        Connection.objects.select_for_update(no_key=True).get(pk=connection.pk)
        running = MatchRun.objects.running().filter(connection=connection, nouns=SUBSCRIPTIONS).first()
        if running is not None:
            return running
        rows = unmapped(mappable(connection))
        total = rows.filter(pk__in=chosen).count() if chosen else rows.count()
        run = MatchRun.objects.create(
            connection=connection,
            nouns=SUBSCRIPTIONS,
            kind=MatchRun.Kind.MAP,
            since=since,
            chosen=sorted(chosen),
            total=total,
            started_by_id=actor.user_id,
            started_at=now,
            due_at=now,
        )
        record(
            MAP_MANY,
            actor=actor,
            organization=connection.organization,
            subject=f"{total} subscriptions on {connection}",
            connection=connection,
            asked={"since": since, "subscriptions": sorted(chosen) or "every one that can be"},
            at=now,
        )
        enqueue(RUN_TASK, run.pk)
    return run


def run_mapping(
    run_id: int,
    *,
    clock: Callable[[], datetime],
    budget_s: float = BUDGET_S,
    psa: Callable[[Connection], Psa] | None = None,
) -> MatchRun:
    """Go on for at most `budget_s`; what was not through then, or found the PSA away, goes on later."""
    now = clock()
    claimed = leases.claim(MatchRun.objects.running(), run_id, now)
    run = MatchRun.objects.select_related("connection__organization", "started_by").get(pk=run_id)
    if not claimed:
        return run
    try:
        _go_on(run, psa or psa_for, clock, now + timedelta(seconds=budget_s))
    except Unauthorized as error:
        mark_unauthorized(run.connection, error, now=clock())
        _note(run, clock(), run.cursor, [(str(run.connection), error.message)])
        leases.settle(run, state=State.FAILED, finished_at=clock(), due_at=None)
    except FarSideError as error:
        again = leases.try_after(error, run.attempts, clock())
        ended = {} if again else {"state": State.FAILED, "finished_at": clock()}
        leases.settle(run, due_at=again, **ended)
    run.refresh_from_db()
    return run


def _go_on(run: MatchRun, psa: Callable[[Connection], Psa], clock: Callable[[], datetime], until: datetime) -> None:
    today = timezone.localdate(clock(), timezone=run.connection.organization.zone)
    for number, candidate in enumerate(_left(run, today)):
        if number and clock() >= until:
            leases.settle(run, due_at=clock())
            enqueue(RUN_TASK, run.pk)
            return
        reasons = map_one(candidate, psa, actor=_actor(run), today=today, now=clock())
        name = str(candidate.subscription)
        if not _note(run, clock(), candidate.subscription.pk, [(name, str(one)) for one in reasons[:1]]):
            return  # somebody else has the run now
    leases.settle(run, state=State.SUCCEEDED, finished_at=clock(), due_at=None)


def map_one(
    candidate: Candidate, psa: Callable[[Connection], Psa], *, actor: Actor, today: Any, now: datetime
) -> tuple[Reason, ...]:
    """Map it after asking the PSA; the reasons where it cannot be. Raises the errors of `portal.far_side`."""
    if candidate.choice is None:
        return candidate.reasons
    connection = Connection.objects.select_related("organization").get(pk=candidate.choice.connection_id)
    facts = read_facts(candidate.choice, psa(connection))
    seen: MappingPreview = preview_mapping(candidate.choice, facts, today=today)
    if seen.refusals:
        return seen.refusals
    if seen.needs_line_choice:
        assert candidate.contract
        return (reason("line_exists", contract=candidate.contract.name, service=candidate.service_name),)
    try:
        sync_to_connection(candidate.choice, facts, actor=actor, today=today, now=now)
    except Refused as refused:
        return refused.reasons or (reason("changed_meanwhile"),)
    return ()


def _left(run: MatchRun, today: Any) -> Iterator[Candidate]:
    """What is not looked at yet, in the order of ids; each batch is judged when its turn comes."""
    rows = unmapped(mappable(run.connection)).order_by("pk")
    if run.chosen:
        rows = rows.filter(pk__in=run.chosen)
    cursor = run.cursor
    while batch := list(rows.filter(pk__gt=cursor)[:BATCH]):
        cursor = batch[-1].pk
        yield from candidates(run.connection, batch, since=run.since, today=today)  # type: ignore[arg-type]


def _note(run: MatchRun, now: datetime, cursor: int, problems: list[tuple[str, str]]) -> bool:
    """Write how far the run came and hold it for longer; False where another worker has it."""
    run.cursor, run.done = cursor, run.done + 1
    run.mapped, run.refused = run.mapped + (not problems), run.refused + bool(problems)
    run.problems = [*run.problems, *(list(one) for one in problems)][:KEPT_PROBLEMS]
    names = ("cursor", "done", "mapped", "refused", "problems")
    until = now + timedelta(seconds=settings.EXECUTOR["lease_s"])
    held = MatchRun.objects.running().filter(pk=run.pk, fence=run.fence)
    return held.update(lease_until=until, attempts=0, **{name: getattr(run, name) for name in names}) == 1


def _actor(run: MatchRun) -> Actor:
    return Actor.user(run.started_by) if run.started_by else Actor.system("map_subscriptions")
