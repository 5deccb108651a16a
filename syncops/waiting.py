"""Operations that failed because their contract ended too early: taken up again once it ends late enough."""

from __future__ import annotations

from datetime import date, datetime

from django.db import transaction
from django.db.models import F, OuterRef, Subquery

from connections.models import MirroredContract
from portal.queue import enqueue
from syncops import journal
from syncops.models import Stream, SyncOperation

BEYOND_CONTRACT = "beyond_contract"
State = SyncOperation.State


def needed_end(operation: SyncOperation) -> date | None:
    """The end of the contract that an operation waits for; None where it waits for no such thing."""
    if operation.state != State.FAILED or operation.error_kind != BEYOND_CONTRACT:
        return None
    steps = [date.fromisoformat(step["end_needed"]) for step in operation.plan.get("beyond", [])]
    return max([*steps, *filter(None, [operation.holds_from or operation.effective_on])], default=None)


def take_up(stream: Stream, contract_id: int, end: date, now: datetime) -> int:
    """Queue again what a contract that ends on `end` has room for; how many. The stream is locked."""
    failed = SyncOperation.objects.filter(stream=stream, state=State.FAILED, error_kind=BEYOND_CONTRACT)
    taken_up = 0
    for operation in failed.filter(mapping__contract_id=contract_id).select_related("mapping", "subscription"):
        needed = needed_end(operation)
        if needed is not None and needed <= end:
            cleared = dict.fromkeys(("error_kind", "error_group", "error", "advice", "raw_answer"), "")
            journal.move(operation, State.QUEUED, attempts=0, **cleared)
            operation.audit_began = journal.begin_audit(operation, journal.WORKER, now)
            operation.save(update_fields=["audit_began"])
            taken_up += 1
    return taken_up


def take_up_extended(now: datetime) -> int:
    """The same for every stream, by what was last read of the contracts: somebody may have extended one anywhere."""
    contracts = MirroredContract.objects.filter(
        connection=OuterRef("connection"), remote_id=OuterRef("mapping__contract_id")
    )
    failed = SyncOperation.objects.filter(state=State.FAILED, error_kind=BEYOND_CONTRACT)
    found = failed.annotate(ends_on=Subquery(contracts.values("ends_on")[:1])).filter(ends_on__gte=F("effective_on"))
    places = found.values_list("stream_id", "connection_id", "mapping__contract_id", "ends_on").distinct()
    taken_up = 0
    for stream_id, connection_id, contract_id, ends_on in places:
        with transaction.atomic():
            stream = Stream.objects.select_for_update(no_key=True).get(pk=stream_id)
            count = take_up(stream, contract_id, ends_on, now)
            if count:
                due = now if stream.due is None else min(now, stream.due)
                Stream.objects.filter(pk=stream_id).update(due=due)
                enqueue("syncops.tasks.drain", connection_id)
            taken_up += count
    return taken_up
