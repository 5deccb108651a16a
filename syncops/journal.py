"""What is written down about the work: states, writes, the journal and the audit entry, always in one transaction."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from connections.psa.types import AdjustmentRequest
from mappings.models import SubscriptionMapping
from portal import audit
from portal.audit import Actor, storable
from portal.far_side import FarSideError
from portal.models import AuditEntry
from syncops.changes import GivenUp, Ours
from syncops.clock import Moment
from syncops.models import JournalEntry, Run, Shortfall, Stream, SyncOperation, Write
from syncops.operations import REGISTRY
from syncops.operations.base import Fact
from syncops.timeline import Adjustment, Timeline

State = SyncOperation.State
WORKER = Actor.system("worker")


class ForbiddenTransition(Exception):
    """The operation may not go from its state to that one."""


def move(operation: SyncOperation, state: str, **fields: Any) -> None:
    """Bring an operation into another state together with other fields; only along TRANSITIONS."""
    if state != operation.state and state not in SyncOperation.TRANSITIONS[operation.state]:
        raise ForbiddenTransition(f"{operation.pk}: {operation.state} -> {state}")
    fields = {"state": state, "waiting_for": "", "retry_at": None} | fields
    for name, value in fields.items():
        setattr(operation, name, storable(value))
    operation.save(update_fields=list(fields))


def note(run: Run | None, phase: str, moment: Moment, **detail: Any) -> None:
    """Add a line to the run's journal."""
    if run is not None:
        JournalEntry.objects.create(run=run, fence=run.fence, phase=phase, at=moment.now, detail=audit.masked(detail))


def begin_audit(operation: SyncOperation, actor: Actor, now: datetime) -> AuditEntry:
    """The entry of an operation that has begun."""
    mapping = operation.mapping
    return audit.record(
        REGISTRY[operation.kind].audit_name,
        actor=actor,
        organization=operation.organization,
        status=AuditEntry.Status.IN_PROGRESS,
        subject=f"{operation.subscription} on {mapping.contract_name}",
        subscription=operation.subscription,
        connection=operation.connection,
        asked=dict(operation.payload)
        | {
            "effective": operation.effective_on,
            "company": mapping.company_name,
            "service": mapping.service_name,
            "contract": mapping.contract_name,
        },
        correlation_id=operation.correlation_id,
        at=now,
    )


def end_audit(operation: SyncOperation, *, succeeded: bool, answered: dict[str, Any], now: datetime) -> None:
    """End the operation's entry; one that was ended before (a retry) begins anew."""
    began = operation.audit_began
    if began is None or AuditEntry.objects.filter(began=began).exists():
        began = begin_audit(operation, WORKER, now)
    audit.record(
        began.name,
        actor=Actor(began.actor_label, began.actor_id),
        organization=operation.organization,
        status=AuditEntry.Status.SUCCEEDED if succeeded else AuditEntry.Status.FAILED,
        subject=began.subject,
        subscription=operation.subscription,
        connection=operation.connection,
        asked=began.asked,
        answered=answered,
        before={"units": [step["units"] for step in operation.proof.get("before", [])][-1:]},
        after={"units": [step["units"] for step in operation.proof.get("found", [])][-1:]},
        began=began,
        at=now,
    )


def fail(operation: SyncOperation, error: FarSideError, *, kind: str, now: datetime, state: str = State.FAILED) -> None:
    """The operation needs a person: what happened, what to do, what the far side said; with its audit entry."""
    move(
        operation,
        state,
        error_kind=kind,
        error=error.message,
        advice=error.advice,
        raw_answer=error.raw,
        finished_at=now,
    )
    end_audit(
        operation,
        succeeded=False,
        answered={"error": error.message, "advice": error.advice, "answer": error.raw},
        now=now,
    )


def supersede(operation: SyncOperation, *, by: SyncOperation) -> None:
    """Only the last of several changes on one date counts; this one says which."""
    move(operation, State.SUPERSEDED, superseded_by=by, finished_at=by.created_at)
    end_audit(operation, succeeded=True, answered={"superseded_by": by.pk}, now=by.created_at)


def begin_write(
    run: Run, stream: Stream, kind: str, moment: Moment, *, adjustment: Adjustment | None, before: Timeline
) -> Write:
    """Journal a write before its first byte: afterwards the only ways out are its answer or a proof."""
    mapping = run.operation.mapping
    write = Write.objects.create(
        stream=stream,
        operation=run.operation,
        run=run,
        kind=kind,
        contract_id=mapping.contract_id,
        service_id=mapping.service_id,
        line_id=mapping.line_id,
        effective_on=adjustment.effective if adjustment else None,
        units_before=before.at(adjustment.effective).units if adjustment else 0,
        unit_change=adjustment.unit_change if adjustment else 0,
        price=adjustment.price if adjustment else None,
        cost=adjustment.cost if adjustment else None,
        line_before=before.as_json(),
        sent_at=moment.now,
        sent_boot=moment.boot,
        boot_id=moment.boot_id,
    )
    note(run, "intent", moment, write=write.pk, kind=kind, adjustment=adjustment_json(adjustment))
    return write


def settle_write(write: Write, state: str, moment: Moment, **fields: Any) -> None:
    """Bring a write into another state; `answer` is what the far side said."""
    fields = {"state": state} | fields
    if state in (Write.State.APPLIED, Write.State.NOT_APPLIED):
        fields["proved_at"] = moment.now
    for name, value in fields.items():
        setattr(write, name, storable(value))
    write.save(update_fields=list(fields))
    note(write.run, state, moment, write=write.pk, answer=write.answer[:2000])


def sent_moment(write: Write) -> Moment:
    return Moment(write.sent_at, write.sent_boot, write.boot_id)


def applied_since(write: Write) -> list[Write]:
    """The proved adjustments of the same line that were sent after a write, in sending order."""
    ours = Write.objects.filter(stream_id=write.stream_id, line_id=write.line_id, kind=Write.Kind.ADJUST)
    return list(ours.filter(state=Write.State.APPLIED, pk__gt=write.pk).order_by("pk"))


def adjustment_of(write: Write) -> Adjustment:
    assert write.effective_on is not None
    return Adjustment(write.effective_on, write.unit_change, write.price, write.cost)


def request_of(line_id: int, adjustment: Adjustment) -> AdjustmentRequest:
    return AdjustmentRequest(line_id, adjustment.effective, adjustment.unit_change, adjustment.price, adjustment.cost)


def adjustment_json(adjustment: Adjustment | None) -> dict[str, Any]:
    if adjustment is None:
        return {}
    return {
        "effective": adjustment.effective,
        "unit_change": adjustment.unit_change,
        "price": adjustment.price,
        "cost": adjustment.cost,
    }


def ours_of(stream: Stream, line_id: int | None) -> Ours:
    """What the line shows because of us, from the writes that were proved."""
    taken_over, applied = Timeline(), []
    for write in Write.objects.filter(stream=stream, line_id=line_id, state=Write.State.APPLIED).order_by("pk"):
        if write.kind == Write.Kind.ADOPTED:
            taken_over = Timeline.from_json(write.line_before)
        elif write.kind == Write.Kind.ADJUST:
            applied.append(adjustment_of(write))
    return Ours(taken_over, tuple(applied))


def facts_of(operations: list[SyncOperation]) -> list[Fact]:
    """The operations as the rules see them, in their order. An operation without a date has no fact yet."""
    return [
        Fact(operation.kind, operation.effective_on, operation.payload)
        for operation in sorted(operations, key=lambda operation: operation.sequence)
        if operation.effective_on
    ]


def given_up_of(stream: Stream, mapping: SubscriptionMapping) -> tuple[GivenUp, ...]:
    """What earlier operations could not bring about on the line of this mapping."""
    rows = Shortfall.objects.filter(stream=stream, operation__mapping=mapping)
    return tuple(GivenUp(row.starts_on, row.ends_on, row.units) for row in rows)
