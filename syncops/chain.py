"""The waiting chain of a line: what is not sent yet, oldest first, and what the line would show after all of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from connections.models import MirroredContract
from connections.psa.types import UnitRow
from mappings.models import SubscriptionMapping
from syncops.chart import Chart, draw
from syncops.evidence import rows_of
from syncops.journal import adjustment_of
from syncops.lines import term_of
from syncops.models import Stream, SyncOperation, Write
from syncops.operations import REGISTRY
from syncops.periods import PeriodGrid
from syncops.planning import Planned, history_of, plan_line
from syncops.shelf import RELEASED
from syncops.simulating import row_of
from syncops.timeline import ONE_DAY, Row, Term, Timeline, actual_timeline, apply, closed_through, spans

MOST_SHOWN = 20
State = SyncOperation.State


@dataclass(frozen=True, slots=True)
class Chain:
    """What waits on a line, oldest first. `stops` is the operation that the later ones wait for, where there is one.

    `before` and `after` are the line as it was last proved, and as it would be after all of them; None where that
    cannot be told, because no line or no contract is known. `missing`: money that stays missing then, None where no
    price tells.
    """

    operations: tuple[SyncOperation, ...] = ()
    stops: SyncOperation | None = None
    chart: Chart | None = None
    before: Timeline | None = None
    after: Timeline | None = None
    missing: Decimal | None = None

    @property
    def is_stuck(self) -> bool:
        """Whether it is worth showing: several operations, of which one does not go on by itself."""
        stuck = (*SyncOperation.NEEDS_A_PERSON, State.UNCERTAIN)
        return len(self.operations) > 1 and any(one.state in stuck for one in self.operations)

    @property
    def shown(self) -> tuple[SyncOperation, ...]:
        return self.operations[:MOST_SHOWN]

    @property
    def more(self) -> int:
        return len(self.operations) - len(self.shown)

    @property
    def steps(self) -> tuple[tuple[date, int, int, Decimal | None], ...]:
        """The end state where it differs: from when on, units before and after, unit price after."""
        if self.before is None or self.after is None:
            return ()
        days = sorted({*self.before.breakpoints, *self.after.breakpoints})
        pairs = ((day, self.before.at(day), self.after.at(day)) for day in days)
        return tuple((day, old.units, new.units, new.price) for day, old, new in pairs if old != new)


def chain_of(mapping: SubscriptionMapping) -> Chain:
    """What waits on the line of a mapping, with its end state where it is stuck. One query where nothing waits."""
    states = (*SyncOperation.OPEN, *SyncOperation.NEEDS_A_PERSON)
    found = SyncOperation.objects.filter(mapping=mapping, state__in=states).chronological()
    waiting = tuple(found.select_related("mapping", "subscription", "connection", "stream"))
    chain = Chain(waiting, _stops(waiting))
    if not chain.is_stuck:
        return chain
    contract = MirroredContract.objects.filter(connection=mapping.connection, remote_id=mapping.contract_id).first()
    planned = _planned(mapping, waiting, contract) if contract is not None and contract.period else None
    if planned is None:
        return chain
    after = apply(planned.actual, planned.plan.adjustments)
    amounts = [gap.amount for gap in planned.plan.shortfalls]
    return Chain(
        waiting,
        chain.stops,
        draw(planned.actual, after, contract_end=planned.term.end) if planned.actual != after else None,
        planned.actual,
        after,
        None if None in amounts else sum((one for one in amounts if one is not None), Decimal(0)),
    )


def _stops(waiting: Sequence[SyncOperation]) -> SyncOperation | None:
    """The oldest that needs a person and was not released, where later ones wait for it: by the policy, or because a
    manual sync covered both.
    """
    for number, one in enumerate(waiting):
        if one.needs_a_person and not one.plan.get(RELEASED):
            by_policy, last = one.connection.policies.after_failure == "hold_line", one.stream.stops_at
            later = [other for other in waiting[number + 1 :] if other.is_open]
            if later and (by_policy or max(one.sequence, min(other.sequence for other in later)) <= last):
                return one
    return None


def _planned(
    mapping: SubscriptionMapping, waiting: Sequence[SyncOperation], contract: MirroredContract
) -> Planned | None:
    """The plan of all that wait as one, on the line as it is remembered; nothing is read from the far side."""
    stream = waiting[0].stream
    sent = [one for one in waiting if one.effective_on and one.kind in REGISTRY and not REGISTRY[one.kind].beside_line]
    if not sent:
        return None
    rows = _remembered(stream, mapping, term_of(contract))
    return plan_line(mapping, history=history_of(stream, mapping), operations=sent, rows=rows, contract=contract)


def _remembered(stream: Stream, mapping: SubscriptionMapping, term: Term) -> list[UnitRow]:
    """The line's unit rows as far as they are known without asking: what our writes made of it, and from the first
    day of the last proof on what that proof found.
    """
    proofs = SyncOperation.objects.filter(stream=stream, mapping=mapping, state=State.SUCCEEDED, proof__has_key="rows")
    last = proofs.order_by("-finished_at", "-pk").first()
    found = rows_of(last.proof) if last else ()
    line = _joined(_ours(stream, mapping), found)
    closed = closed_through(found)
    cuts = {*line.breakpoints, *(period.start for period in PeriodGrid.of(term, found).between(term.start, term.end))}
    cuts |= {closed + ONE_DAY} if closed else set()
    stretches = [span for span in spans(term.start, term.end, cuts) if line.at(span[0]).units]
    return [row_of(mapping, line, *span, closed) for span in stretches]


def _ours(stream: Stream, mapping: SubscriptionMapping) -> Timeline:
    writes = Write.objects.filter(stream=stream, line_id=mapping.line_id, state=Write.State.APPLIED).order_by("pk")
    line = Timeline()
    for write in writes:
        if write.kind == Write.Kind.ADOPTED:
            line = Timeline.from_json(write.line_before)
        elif write.kind == Write.Kind.ADJUST:
            line = apply(line, [adjustment_of(write)])
    return line


def _joined(ours: Timeline, found: Sequence[Row]) -> Timeline:
    if not found:
        return ours
    first, shown = min(row.start for row in found), actual_timeline(found)
    earlier = [step for step in ours.steps if step[0] < first]
    return Timeline.from_steps([*earlier, (first, shown.at(first)), *shown.steps])
