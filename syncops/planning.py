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
from syncops.changes import desired, fold, given_up_in_vain, one_day_later
from syncops.jobs import Job
from syncops.lines import actual_of, closed_of, rows_of, term_of
from syncops.models import Stream, SyncOperation
from syncops.operations.base import Fact, NothingToSend, Unsupported
from syncops.periods import PeriodGrid
from syncops.plans import Plan, Shortfall, plan, shortfalls
from syncops.timeline import Term, Timeline, differences, first_open_date


@dataclass(frozen=True, slots=True)
class Planned:
    """One run's plan with what it was made from.

    `same_date` are days given up because the far side took no second adjustment. `in_vain` takes back what was given
    up earlier and is not wanted any more.
    """

    actual: Timeline
    wanted: Timeline
    plan: Plan
    term: Term
    first_open: date
    same_date: tuple[Shortfall, ...] = ()
    in_vain: tuple[Shortfall, ...] = ()
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
        operations=job.operations,
        rows=job.rows,
        contract=job.contract,
        moved=[date.fromisoformat(day) for day in operation.plan.get("moved", [])],
    )


def plan_line(
    mapping: SubscriptionMapping,
    *,
    stream: Stream,
    operations: Sequence[SyncOperation] = (),
    rows: Sequence[UnitRow],
    contract: Contract | MirroredContract,
    new: Sequence[Fact] = (),
    moved: Sequence[date] = (),
) -> Planned:
    """What `operations` mean for a line that shows `rows`, together with everything that succeeded before; and after
    them `new` facts.

    `moved`: days on which the far side takes no further adjustment, so that the next day has to do.
    """
    term, shown, actual = term_of(contract), rows_of(rows), actual_of(rows)
    first = first_open_date(shown, term)
    ours = journal.ours_of(stream, mapping.line_id)
    done = list(SyncOperation.objects.filter(stream=stream, mapping=mapping, state=SyncOperation.State.SUCCEEDED))
    before = fold(journal.facts_of(done), base=ours.taken_over)
    after = fold([*journal.facts_of([*done, *operations]), *new], base=ours.taken_over)
    assert isinstance(before, Timeline)  # what succeeded was supported
    if not isinstance(after, Timeline):
        return Planned(actual, actual, Plan(), term, first, refusal=after)
    given_up = journal.given_up_of(stream, mapping)
    wanted = desired(before, after, actual=actual, ours=ours, given_up=given_up)
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
    moved_days = shortfalls(differences(wanted, possible, term.start, term.end), grid, currency)
    in_vain = shortfalls(given_up_in_vain(after, given_up, term.start, term.end), grid, currency)
    return Planned(actual, possible, made, term, first, same_date=moved_days, in_vain=in_vain)
