"""What is written down about the work: states, writes, the journal and the audit entry, always in one transaction."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from django.db.models import F

from connections.policies import Policies
from connections.psa.types import AdjustmentRequest
from mappings.models import SubscriptionMapping
from portal import audit
from portal.audit import Actor, storable
from portal.far_side import FarSideError
from portal.models import AuditEntry
from syncops.changes import GivenUp, Ours, Stray
from syncops.clock import Moment
from syncops.models import JournalEntry, Run, Shortfall, Stream, SyncOperation, Write
from syncops.operations import REGISTRY
from syncops.operations.base import Fact, Refusal, Unsupported
from syncops.timeline import Adjustment, Timeline
from syncops.together import keep
from syncops.troubles import general_words

State = SyncOperation.State
WORKER = Actor.system("worker")
Lines = Sequence[tuple[Stream, SubscriptionMapping]]  # streams on the lines of their mappings


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
        entry = JournalEntry(run=run, fence=run.fence, phase=phase, at=moment.now, detail=audit.masked(detail))
        keep(JournalEntry.objects.bulk_create, entry)


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
    status = AuditEntry.Status.SUCCEEDED if succeeded else AuditEntry.Status.FAILED
    keep(_end_audits, (operation, status, answered, now))


def _end_audits(ends: list[tuple[SyncOperation, str, dict[str, Any], datetime]]) -> None:
    began = {operation.audit_began_id for operation, *_ in ends}
    ended = set(AuditEntry.objects.filter(began__in=began).values_list("began_id", flat=True))
    chains = defaultdict(list)
    for operation, status, answered, now in ends:
        begun = operation.audit_began
        if begun is None or begun.pk in ended:
            begun = begin_audit(operation, WORKER, now)
        chains[operation.organization.root_id].append(_ended(operation, begun, status, answered, now))
    for entries in chains.values():
        audit.chain(entries)


def _ended(
    operation: SyncOperation, began: AuditEntry, status: str, answered: dict[str, Any], now: datetime
) -> AuditEntry:
    return audit.drafted(
        began.name,
        actor=Actor(began.actor_label, began.actor_id),
        organization=operation.organization,
        status=status,
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
        error_group=general_words(_in_full(error, kind), _names_of(operation)),
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


def refuse(operation: SyncOperation, refusal: Refusal, now: datetime) -> None:
    """Nothing is sent: the change has no counterpart in the PSA (a person acts by hand), or alters nothing there."""
    by_hand = isinstance(refusal, Unsupported)
    fields = {"error": refusal.reason, "advice": refusal.advice, "finished_at": now}
    if by_hand:
        move(operation, State.UNSUPPORTED, error_kind="unsupported", **fields)
    else:
        move(operation, State.NOTHING_TO_SEND, **fields)
    said = {"error": refusal.reason} if by_hand else {"nothing_to_send": refusal.reason}
    end_audit(operation, succeeded=not by_hand, answered=said | {"advice": refusal.advice}, now=now)


def _names_of(operation: SyncOperation) -> tuple[str, ...]:
    """What an error may name that is another for every operation."""
    mapping = operation.mapping
    names = (mapping.contract_name, mapping.service_name, mapping.company_name, mapping.line_key)
    return (*names, operation.subscription.external_id, operation.subscription.friendly_name)


def _in_full(error: FarSideError, kind: str) -> str:
    """The error's words; with those of the far side where nothing else tells one refusal from another."""
    return f"{error.message} {error.raw}".strip() if kind == "rejected" else error.message


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


def begin_again(write: Write, moment: Moment) -> None:
    """A journaled write of which no byte was sent yet is only sent now."""
    write.sent_at, write.sent_boot, write.boot_id = moment.now, moment.boot, moment.boot_id
    write.save(update_fields=["sent_at", "sent_boot", "boot_id"])


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


def facts_of(operations: Iterable[SyncOperation]) -> list[Fact]:
    """The operations as the rules see them, in their order. An operation without a date has no fact yet."""
    return [
        Fact(
            operation.kind,
            operation.effective_on,
            operation.payload,
            policies=Policies.from_json(operation.policies_json),
            holds_from=operation.holds_from if operation.state == State.SUCCEEDED else None,
            key=operation.pk,
        )
        for operation in sorted(operations, key=lambda operation: operation.sequence)
        if operation.effective_on
    ]


def succeeded_of(lines: Lines) -> dict[int, list[SyncOperation]]:
    """The operations that succeeded on the line of each stream's mapping, by the stream's id."""
    mappings = {stream.pk: mapping for stream, mapping in lines}
    found: dict[int, list[SyncOperation]] = {pk: [] for pk in mappings}
    done = SyncOperation.objects.filter(stream__in=found, state=State.SUCCEEDED).annotate(line=F("mapping__line_id"))
    for operation in done.defer("preview", "plan", "proof", "raw_answer"):
        if _on_line(mappings[operation.stream_id], operation.mapping_id, operation.line):
            found[operation.stream_id].append(operation)
    return found


def _on_line(mapping: SubscriptionMapping, mapping_id: int, line_id: int | None) -> bool:
    """Whether something was done under this mapping, or under another one of the subscription on the same line. What
    was done before the line was taken over is in what was taken over.
    """
    before_adoption = mapping.adopted and (mapping.pk is None or mapping_id < mapping.pk)
    same_line = line_id is not None and line_id == mapping.line_id
    return mapping_id == mapping.pk or (same_line and not before_adoption)


def ours_of(lines: Lines) -> dict[int, Ours]:
    """What each line shows because of us, from the writes that were proved; by the stream's id."""
    known = {stream.pk: mapping.line_id for stream, mapping in lines}
    taken_over: dict[int, Timeline] = {}
    applied: defaultdict[int, list[Any]] = defaultdict(list)
    writes = Write.objects.filter(stream__in=known, state=Write.State.APPLIED).order_by("pk")
    for write in writes.annotate(outcome=F("operation__state")):
        if write.line_id != known[write.stream_id]:
            continue
        if write.kind == Write.Kind.ADOPTED:
            taken_over[write.stream_id] = Timeline.from_json(write.line_before)
            applied[write.stream_id].clear()  # a line that was ours before: what we did then is in it
        elif write.kind == Write.Kind.ADJUST:
            applied[write.stream_id].append(write)
    return {pk: _ours(taken_over.get(pk, Timeline()), applied[pk]) for pk in known}


def _ours(taken_over: Timeline, writes: list[Any]) -> Ours:
    """`writes`: the applied adjustments in sending order, each with the `outcome` of its operation."""
    first = next((number for number, write in enumerate(writes) if write.outcome != State.SUCCEEDED), None)
    stray = None
    if first is not None:
        since = writes[first:]
        kept = tuple(adjustment_of(write) for write in since if write.outcome == State.SUCCEEDED)
        stray = Stray(Timeline.from_json(since[0].line_before), tuple(map(adjustment_of, since)), kept)
    return Ours(taken_over, tuple(map(adjustment_of, writes)), stray=stray)


def given_up_of(lines: Lines) -> dict[int, list[GivenUp]]:
    """What earlier operations could not bring about on the line of each stream's mapping, by the stream's id."""
    mappings = {stream.pk: mapping for stream, mapping in lines}
    found: dict[int, list[GivenUp]] = {pk: [] for pk in mappings}
    rows = Shortfall.objects.given_up().filter(stream__in=found).select_related("operation__mapping")
    for row in rows.only(
        "stream_id", "starts_on", "ends_on", "units", "unit_price", "operation__mapping__line_id"
    ).order_by("pk"):
        done_on = row.operation.mapping
        if _on_line(mappings[row.stream_id], done_on.pk, done_on.line_id):
            found[row.stream_id].append(
                GivenUp(row.starts_on, row.ends_on, row.units, row.operation_id, row.unit_price)
            )
    return found
