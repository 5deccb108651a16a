"""Operations that stopped for one reason, dealt with together: a person decides once, a worker carries it out."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import structlog
from django.db import IntegrityError, transaction
from django.db.models import Count, F, Max, Min
from django.utils import timezone

from portal.audit import Actor, record
from portal.models import User
from portal.queue import enqueue
from syncops import actions
from syncops.models import GroupDecision, SyncOperation, SyncOperationQuerySet
from syncops.troubles import Trouble, trouble_of

log = structlog.get_logger()
CARRY_OUT = "syncops.tasks.carry_out"
MOST_GROUPS = 50
BATCH, MARGIN_S = 100, 10.0
AT_ONCE_S = 1.0  # what is done within the request itself
Verb = GroupDecision.Verb


@dataclass(frozen=True, slots=True)
class ErrorGroup:
    """Operations that stopped for one reason: `words` are what their errors have in common. Dates of effect."""

    kind: str
    words: str
    count: int
    customers: int
    first: Any
    last: Any

    @property
    def trouble(self) -> Trouble:
        return trouble_of(self.kind)


def stopped(organization_id: int) -> SyncOperationQuerySet:
    """What waits for a person of the organization."""
    return SyncOperation.objects.filter(organization_id=organization_id, state__in=SyncOperation.NEEDS_A_PERSON)


def groups_of(user: Any) -> list[ErrorGroup]:
    """What waits for a person by its reason, the largest group first; one query."""
    reasons = stopped(user.organization_id).order_by().values("error_kind", "error_group")
    rows = reasons.annotate(
        count=Count("pk"),
        customers=Count("subscription__customer", distinct=True),
        first=Min("effective_on"),
        last=Max("effective_on"),
    ).order_by("-count", "error_kind", "error_group")
    return [
        ErrorGroup(row["error_kind"], row["error_group"], row["count"], row["customers"], row["first"], row["last"])
        for row in rows[:MOST_GROUPS]
    ]


def members(organization_id: int, *, kind: str, words: str, seen_at: datetime) -> SyncOperationQuerySet:
    """The operations of one group that had stopped by `seen_at`: what failed again since is not decided twice."""
    return stopped(organization_id).filter(error_kind=kind, error_group=words, finished_at__lte=seen_at)


def decide_group(
    verb: str, *, kind: str, words: str, reason: str = "", actor: User, seen_at: datetime, now: datetime
) -> GroupDecision | None:
    """Write down what becomes of a group and wake a worker; None where nothing of it is left.

    The same decision again, while the first is carried out, gives the first.
    """
    organization = actor.organization
    assert organization is not None  # who decides belongs to one
    group: dict[str, Any] = {"organization": organization, "error_kind": kind, "error_group": words}
    try:
        with transaction.atomic():
            total = members(organization.pk, kind=kind, words=words, seen_at=seen_at).count()
            if not total:
                return GroupDecision.objects.filter(**group, due_at__isnull=False).first()
            decision = GroupDecision.objects.create(
                **group, verb=verb, reason=reason, actor=actor, seen_at=seen_at, created_at=now, total=total, due_at=now
            )
            record(
                f"{decision.get_verb_display()} Operations",
                actor=Actor.user(actor),
                organization=decision.organization,
                subject=f"{total} operations: {trouble_of(kind).title}",
                asked={"error": words, "operations": total, "reason": reason},
                at=now,
            )
            enqueue(CARRY_OUT, decision.pk)
            return decision
    except IntegrityError:  # one of two clicks
        return GroupDecision.objects.filter(**group, due_at__isnull=False).first()


def carry_out(decision_id: int, *, clock: Callable[[], datetime] = timezone.now, budget_s: float) -> bool:
    """Go on with a decision for a while; True once it is done. One worker at a time, until it says that it stops or
    its time is over twice; two at once would do nothing twice either.
    """
    now, deadline = clock(), time.monotonic() + budget_s
    ours = GroupDecision.objects.due(now).filter(pk=decision_id)
    if not ours.update(due_at=now + timedelta(seconds=2 * budget_s + MARGIN_S)):
        return False
    decision = GroupDecision.objects.select_related("actor", "organization").get(pk=decision_id)
    finished = False
    while not finished and time.monotonic() < deadline:
        finished = _go_on(decision, clock, deadline)
    GroupDecision.objects.filter(pk=decision_id).update(due_at=None if finished else clock())
    return finished


def _go_on(decision: GroupDecision, clock: Callable[[], datetime], deadline: float) -> bool:
    """The next streams in turn; True where there are none."""
    decision.refresh_from_db(fields=["last_stream"])
    streams = _next_streams(decision)
    for stream_id in streams:
        _decide_stream(decision, stream_id, clock())
        if time.monotonic() > deadline:
            break
    if streams:
        enqueue(actions.DRAIN, 0)
    return not streams


def _remaining(decision: GroupDecision) -> SyncOperationQuerySet:
    group = {"kind": decision.error_kind, "words": decision.error_group}
    return members(decision.organization_id, **group, seen_at=decision.seen_at)


def _next_streams(decision: GroupDecision) -> list[int]:
    ahead = _remaining(decision).filter(stream_id__gt=decision.last_stream)
    return list(ahead.order_by("stream_id").values_list("stream_id", flat=True).distinct()[:BATCH])


def _decide_stream(decision: GroupDecision, stream_id: int, now: datetime) -> None:
    """All operations of one stream in one transaction; what waits for a decision of its own is left out."""
    waiting = _remaining(decision).filter(stream_id=stream_id).chronological()
    done = left_out = 0
    try:
        with transaction.atomic():
            for operation in actions.locked_first(waiting):
                try:
                    _decide(decision, operation, now)
                    done += 1
                except actions.NotPossible:
                    left_out += 1
            _count(decision, stream_id, done, left_out)
    except Exception:
        log.exception("stream left out of a decision", decision=decision.pk, stream=stream_id)
        _count(decision, stream_id, 0, 1)


def _decide(decision: GroupDecision, operation: SyncOperation, now: datetime) -> None:
    if decision.verb == Verb.RETRY:
        actions.queue_again(operation, actor=Actor.user(decision.actor), now=now, ring=False)
    else:
        actions.dismiss_operation(operation, reason=decision.reason, actor=decision.actor, now=now, ring=False)


def _count(decision: GroupDecision, stream_id: int, done: int, left_out: int) -> None:
    row = GroupDecision.objects.filter(pk=decision.pk)
    row.update(done=F("done") + done, left_out=F("left_out") + left_out)
    row.filter(last_stream__lt=stream_id).update(last_stream=stream_id)
