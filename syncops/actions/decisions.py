"""What a person decides about operations: again, dismissed, released, what became of a write."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from connections.psa.errors import Why
from mappings.models import SubscriptionMapping
from portal.audit import Actor, record
from portal.models import Subscription, User
from portal.queue import enqueue
from syncops import journal, settling
from syncops.actions.intents import DRAIN, locked_stream
from syncops.models import Stream, SyncOperation, Write
from syncops.shelf import RELEASED
from syncops.stops import ACCEPTS_SHORTFALL, POSTED_PERIOD

State = SyncOperation.State


class NotPossible(Exception):
    """The operation is in a state in which this cannot be done; the words say what can."""


def retry_operation(operation: SyncOperation, *, actor: User, now: datetime | None = None) -> SyncOperation:
    """Queue a failed or held operation again. Raises NotPossible while a write of it still waits for a decision."""
    return queue_again(operation, actor=Actor.user(actor), now=now or timezone.now())


def queue_again(operation: SyncOperation, *, actor: Actor, now: datetime, ring: bool = True) -> SyncOperation:
    """`retry_operation`, by a person or by a command. Without `ring` the caller wakes the worker."""
    with transaction.atomic():
        operation = locked(operation)
        if operation.state not in SyncOperation.NEEDS_A_PERSON:
            raise NotPossible(f"The operation is {operation.get_state_display().lower()}; there is nothing to retry.")
        if Write.objects.filter(operation=operation, state__in=Write.UNPROVED).exists():
            raise NotPossible("Say first whether the write without an answer was applied.")
        if operation.error_kind == settling.ACCEPTED_NOT_APPLIED:
            _doubt_again(operation)
        if operation.error_kind == Why.MISSING_REFERENCE:
            _look_for_line_again(operation)
        if operation.error_kind == POSTED_PERIOD:
            operation.plan = operation.plan | {ACCEPTS_SHORTFALL: True}
        operation.plan = {name: value for name, value in operation.plan.items() if name != settling.PARTS}
        cleared = dict.fromkeys(("error_kind", "error_group", "error", "advice", "raw_answer"), "")
        journal.move(operation, State.QUEUED, attempts=0, **cleared)
        operation.audit_began = journal.begin_audit(operation, actor, now)
        operation.actor_id = actor.user_id
        operation.save(update_fields=["audit_began", "actor", "plan"])
        _wake(operation, now, ring=ring)
    return operation


def _doubt_again(operation: SyncOperation) -> None:
    """What was accepted and did not show may show by now: it is looked for once more before anything is repeated."""
    accepted = Write.objects.filter(operation=operation, kind=Write.Kind.ADJUST, answered_at__isnull=False)
    accepted.filter(state=Write.State.NOT_APPLIED).update(state=Write.State.ACCEPTED)


def _look_for_line_again(operation: SyncOperation) -> None:
    """A new line whose id leads nowhere is looked for by its key again, and made where it is not there. One that ever
    took an adjustment of ours is not: where it only cannot be seen, a second one would bill beside it.
    """
    mapping = operation.mapping
    ours = Write.objects.filter(stream_id=operation.stream_id, line_id=mapping.line_id)
    if mapping.line_id is None or ours.exclude(kind=Write.Kind.CREATE_LINE).filter(state=Write.State.APPLIED).exists():
        return
    ours.filter(kind=Write.Kind.CREATE_LINE).update(state=Write.State.NOT_APPLIED)
    mapping.line_id = None
    mapping.save(update_fields=["line_id"])


def _wake(operation: SyncOperation, now: datetime, *, ring: bool = True) -> None:
    """The obstacle is gone: what waited behind it is due as well. The stream is locked already. With `ring` a person
    waits for it.
    """
    behind = SyncOperation.objects.filter(stream_id=operation.stream_id, state=State.QUEUED)
    behind.update(retry_at=None, waiting_for="")
    Stream.objects.filter(pk=operation.stream_id).update(due=now)
    if ring:
        Stream.objects.filter(pk=operation.stream_id).update(urgent=True)
        enqueue(DRAIN, operation.connection_id)


def decide_write(operation: SyncOperation, *, applied: bool, reason: str, actor: User, now: datetime) -> SyncOperation:
    """A person says what became of a write without an answer, after looking at the line; then the operation goes on.

    What was accepted in the same run is applied either way: only the one without an answer is in doubt.
    """
    with transaction.atomic():
        operation = locked(operation)
        writes = list(Write.objects.filter(operation=operation, state__in=Write.UNPROVED))
        if operation.state != State.HELD or not writes:
            raise NotPossible("No write of this operation waits for a decision.")
        for write in writes:
            shows = applied or (write.state == Write.State.ACCEPTED and len(writes) > 1)
            write.state = Write.State.APPLIED if shows else Write.State.NOT_APPLIED
            write.proved_at, write.answer = now, f"{write.answer}\nDecided by {actor.email}: {reason}".strip()
            write.save(update_fields=["state", "proved_at", "answer"])
        record(
            "Decide Unanswered Write",
            actor=Actor.user(actor),
            organization=operation.organization,
            subject=str(operation),
            subscription=operation.subscription,
            connection=operation.connection,
            asked={"applied": applied, "reason": reason},
            correlation_id=operation.correlation_id,
            at=now,
        )
        return retry_operation(operation, actor=actor, now=now)


def dismiss_operation(
    operation: SyncOperation, *, reason: str, actor: User, now: datetime, ring: bool = True
) -> SyncOperation:
    """A person decides that an operation will not be sent; it stays in the list and in the audit log, with the
    reason. Without `ring` the caller wakes the worker.
    """
    with transaction.atomic():
        operation = locked(operation)
        if operation.state not in (*SyncOperation.NEEDS_A_PERSON, State.PLANNED, State.QUEUED, State.REHEARSED):
            raise NotPossible(f"The operation is {operation.get_state_display().lower()} and cannot be dismissed.")
        if Write.objects.filter(operation=operation, state__in=Write.UNPROVED).exists():
            raise NotPossible("Say first whether the write without an answer was applied.")
        if operation.is_open:
            journal.end_audit(operation, succeeded=False, answered={"dismissed": reason}, now=now)
        journal.move(operation, State.DISMISSED, finished_at=now)
        operation.settles.update(settled_by=None)  # what it was to make up for is open again
        record(
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
        _wake(operation, now, ring=ring)
    return operation


def locked(operation: SyncOperation) -> SyncOperation:
    """The operation as it is now. Locked in the one order that all keep: subscription, stream, operation, audit log."""
    Subscription.objects.select_for_update(no_key=True).get(pk=operation.subscription_id)
    Stream.objects.select_for_update(no_key=True).get(pk=operation.stream_id)
    rows = SyncOperation.objects.select_for_update(of=("self",), no_key=True)
    return rows.select_related("mapping").get(pk=operation.pk)


def locked_first(operations: Iterable[SyncOperation]) -> list[SyncOperation]:
    """Several operations of one line, all locked before the first of them writes to the audit log."""
    return [locked(operation) for operation in operations]


def release_line(operation: SyncOperation, *, reason: str, actor: User, now: datetime) -> SyncOperation:
    """A person lets later operations go on although this one still needs a decision. A retry holds them again."""
    with transaction.atomic():
        operation = locked(operation)
        if not operation.needs_a_person:
            raise NotPossible(f"The operation is {operation.get_state_display().lower()}; nothing waits for it.")
        operation.plan = operation.plan | {RELEASED: True}
        operation.save(update_fields=["plan"])
        record(
            "Release Later Operations",
            actor=Actor.user(actor),
            organization=operation.organization,
            subject=str(operation),
            subscription=operation.subscription,
            connection=operation.connection,
            asked={"reason": reason},
            correlation_id=operation.correlation_id,
            at=now,
        )
        _wake(operation, now)
    return operation


def sync_now(mapping: SubscriptionMapping, *, actor: User, now: datetime) -> int:
    """Send what is open and what failed on a subscription's line, oldest date first, and stop at the first that fails.

    How many operations that is. What is held waits for a person's own decision and stays; those behind it wait for it.
    Raises NotPossible where there is nothing to send, or the oldest is held. A second click changes nothing.
    """
    with transaction.atomic():
        Subscription.objects.select_for_update(no_key=True).get(pk=mapping.subscription_id)
        stream = locked_stream(mapping.connection, mapping.subscription)
        states = (*SyncOperation.OPEN, *SyncOperation.NEEDS_A_PERSON)
        if mapping.connection.rehearses:
            raise NotPossible(f"{mapping.connection} rehearses: what waits is sent when somebody goes live.")
        waiting = list(SyncOperation.objects.filter(stream=stream, state__in=states).chronological())
        if not waiting:
            raise NotPossible("Nothing waits to be sent.")
        if waiting[0].state == State.HELD:
            raise NotPossible(f"“{waiting[0].label}” waits for your decision. Open it, and decide there first.")
        for operation in locked_first(one for one in waiting if one.state == State.FAILED):
            queue_again(operation, actor=Actor.user(actor), now=now, ring=False)
        Stream.objects.filter(pk=stream.pk).update(stops_at=F("next_sequence") - 1)
        _wake(waiting[0], now)
    return len(waiting)
