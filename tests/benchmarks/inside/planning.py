"""What planning one change costs on a line with a long history, as the engine plans it: from stored rows to a plan."""

import statistics
from collections.abc import Callable, Sequence
from datetime import date, timedelta
from time import process_time

from django.utils import timezone

from connections.models import Connection, MirroredContract
from connections.psa.types import UnitRow
from connections.registry import psa_for
from mappings.models import SubscriptionMapping
from syncops import journal
from syncops.changes import desired, fold
from syncops.lines import actual_of, closed_of, rows_of, term_of
from syncops.models import Stream, SyncOperation, Write
from syncops.operations import change_quantity
from syncops.operations.base import Fact
from syncops.periods import PeriodGrid
from syncops.planning import history_of, plan_line
from syncops.plans import plan
from tests.benchmarks import far_side

ROUNDS = 100
State = SyncOperation.State


def plan_cost() -> dict[str, float]:
    """Milliseconds of CPU (median) for a change in the middle of the history: as the engine plans, and the rules alone.

    Late is the dearest place: the change needs another one behind it that takes it back.
    """
    mapping = SubscriptionMapping.objects.select_related("connection__organization", "subscription").get()
    stream, contract = Stream.objects.get(), MirroredContract.objects.get()
    rows = psa_for(Connection.objects.get()).unit_rows([mapping.line_id or 0])
    _remember(stream, mapping, rows)
    late = far_side.HISTORY[len(far_side.HISTORY) // 2][0] + timedelta(days=3)
    new = [Fact(change_quantity.KIND.name, late, {"units": 99})]

    def as_the_engine() -> object:
        return plan_line(mapping, history=history_of(stream, mapping), new=new, rows=rows, contract=contract)

    history = history_of(stream, mapping)
    done, ours, given_up = journal.facts_of(history.done), history.ours, history.given_up
    term = term_of(contract)

    def rules_alone() -> object:
        actual, grid = actual_of(rows), PeriodGrid.of(term, rows_of(rows))
        before, after = fold(done, grid=grid), fold([*done, *new], grid=grid)
        wanted = desired(before, after, actual=actual, ours=ours, given_up=given_up)
        return plan(wanted, actual, contract=term, currency="EUR", closed_through=closed_of(rows), rows=rows_of(rows))

    planned = plan_line(mapping, history=history, new=new, rows=rows, contract=contract)
    assert len(planned.plan.adjustments) == 2, planned.plan.adjustments
    return {"engine": _cost(as_the_engine), "rules": _cost(rules_alone), "rows": len(rows)}


def _cost(once: Callable[[], object]) -> float:
    def timed() -> float:
        began = process_time()
        once()
        return (process_time() - began) * 1000

    return statistics.median(timed() for _ in range(ROUNDS))


def _remember(stream: Stream, mapping: SubscriptionMapping, rows: Sequence[UnitRow]) -> None:
    """The changes that the line shows, as operations that succeeded and writes that were proved, evidence and all."""
    first, line, before = Write.objects.get(), actual_of(rows).as_json(), far_side.UNITS
    shown = [{"start": str(row.starts_on), "end": str(row.ends_on), "units": row.units} for row in rows]
    for number, (day, units) in enumerate(far_side.HISTORY, 2):
        operation = _changed(stream, mapping, number, day, units)
        operation.plan, operation.proof = (
            {"actual": line, "wanted": line},
            {"before": line, "found": line, "rows": shown},
        )
        operation.save(update_fields=["plan", "proof"])
        Write.objects.create(
            stream=stream,
            operation=operation,
            kind=Write.Kind.ADJUST,
            state=Write.State.APPLIED,
            contract_id=first.contract_id,
            service_id=first.service_id,
            line_id=first.line_id,
            effective_on=day,
            unit_change=units - before,
            line_before=line,
            sent_at=timezone.now(),
            sent_boot=0,
        )
        before = units


def _changed(stream: Stream, mapping: SubscriptionMapping, number: int, day: date, units: int) -> SyncOperation:
    now = timezone.now()
    return SyncOperation.objects.create(
        stream=stream,
        sequence=number,
        mapping=mapping,
        organization=mapping.connection.organization,
        connection=mapping.connection,
        subscription=mapping.subscription,
        kind=change_quantity.KIND.name,
        effective_on=day,
        payload={"units": units},
        state=State.SUCCEEDED,
        created_at=now,
        finished_at=now,
    )
