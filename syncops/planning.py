"""From the stored operations and the rows just read to the plan of one run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from connections.models import MirroredContract
from connections.psa.types import Contract, UnitRow
from mappings.models import SubscriptionMapping
from syncops import journal
from syncops.changes import desired, fold, one_day_later
from syncops.jobs import Job
from syncops.lines import actual_of, closed_of, rows_of, term_of
from syncops.models import Stream, SyncOperation
from syncops.money import share, to_minor_unit
from syncops.operations.base import Fact, NothingToSend, Unsupported
from syncops.periods import PeriodGrid
from syncops.plans import Plan, Shortfall, plan
from syncops.timeline import Term, Timeline, differences, first_open_date


@dataclass(frozen=True, slots=True)
class Planned:
    """One run's plan with what it was made from. `same_date` are days given up because the far side took no second
    adjustment.
    """

    actual: Timeline
    wanted: Timeline
    plan: Plan
    term: Term
    first_open: date
    same_date: tuple[Shortfall, ...] = ()
    refusal: Unsupported | NothingToSend | None = None

    @property
    def needs_contract_end(self) -> bool:
        """True where only a later end of the contract would let everything be sent."""
        return bool(self.plan.beyond)

    def as_json(self, moved: list[str]) -> dict[str, Any]:
        """What is stored with the operation, and shown."""
        return {
            "actual": self.actual.as_json(),
            "wanted": self.wanted.as_json(),
            "adjustments": [
                {name: None if value is None else str(value) for name, value in journal.adjustment_json(one).items()}
                for one in self.plan.adjustments
            ],
            "runs": len(self.plan.batches),
            "beyond": [
                {"effective": str(one.effective), "units": one.level.units, "end_needed": str(one.end_needed)}
                for one in self.plan.beyond
            ],
            "moved": moved,
        }


def plan_job(job: Job) -> Planned:
    """Plan a job from its rows and its contract."""
    operation = job.operation
    assert job.contract is not None
    return plan_line(
        job.mapping,
        stream=operation.stream,
        new=journal.facts_of(job.operations),
        rows=job.rows,
        contract=job.contract,
        moved=[date.fromisoformat(day) for day in operation.plan.get("moved", [])],
    )


def plan_line(
    mapping: SubscriptionMapping,
    *,
    stream: Stream,
    new: Sequence[Fact],
    rows: Sequence[UnitRow],
    contract: Contract | MirroredContract,
    moved: Sequence[date] = (),
) -> Planned:
    """What `new` facts mean for a line that shows `rows`, on top of everything that succeeded before.

    `moved`: days on which the far side takes no further adjustment, so that the next day has to do.
    """
    term, shown, actual = term_of(contract), rows_of(rows), actual_of(rows)
    first = first_open_date(shown, term)
    ours = journal.ours_of(stream, mapping.line_id)
    done = journal.facts_of(
        list(SyncOperation.objects.filter(stream=stream, mapping=mapping, state=SyncOperation.State.SUCCEEDED))
    )
    before = fold(done, base=ours.taken_over)
    after = fold([*done, *new], base=ours.taken_over)
    assert isinstance(before, Timeline)  # what succeeded was supported
    if not isinstance(after, Timeline):
        return Planned(actual, actual, Plan(), term, first, refusal=after)
    wanted = desired(before, after, actual=actual, ours=ours, given_up=journal.given_up_of(stream))
    possible, currency = wanted, mapping.connection.currency
    for day in sorted(moved):
        possible = one_day_later(possible, actual, day)
    made = plan(
        possible,
        actual,
        contract=term,
        currency=currency,
        closed_through=closed_of(rows),
        rows=shown,
        price_change=mapping.connection.policies.price_change,
    )
    grid = PeriodGrid.of(term, shown)
    return Planned(actual, possible, made, term, first, same_date=_given_up(wanted, possible, grid, term, currency))


def _given_up(
    wanted: Timeline, possible: Timeline, grid: PeriodGrid, term: Term, currency: str
) -> tuple[Shortfall, ...]:
    """The days that moving to the next day gives up, with their money."""
    if wanted == possible:
        return ()
    found = []
    for gap in differences(wanted, possible, term.start, term.end):
        part = share((gap.end - gap.start).days + 1, grid.period_of(gap.start).days)

        def money(name: str, gap: Any = gap, part: Any = part) -> Any:
            due, held = getattr(gap.wanted, name), getattr(gap.found, name)
            if (gap.wanted.units and due is None) or (gap.found.units and held is None):
                return None
            return to_minor_unit((gap.wanted.units * (due or 0) - gap.found.units * (held or 0)) * part, currency)

        found.append(Shortfall(gap.start, gap.end, gap.found, gap.wanted, money("price"), money("cost")))
    return tuple(found)
