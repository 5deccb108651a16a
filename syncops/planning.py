"""From the stored operations and the rows just read to the plan of one run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

from connections.models import MirroredContract
from connections.psa.types import Contract, UnitRow
from mappings.models import SubscriptionMapping
from syncops import journal
from syncops.changes import (
    GivenUp,
    Ours,
    as_if_billed,
    desired,
    fold,
    given_up_in_vain,
    one_day_later,
    parted,
    taken_back_by,
    unfold,
)
from syncops.jobs import Job
from syncops.lines import actual_of, closed_of, rows_of, term_of
from syncops.models import Stream, SyncOperation
from syncops.operations import REGISTRY
from syncops.operations.base import Fact
from syncops.periods import PeriodGrid
from syncops.plans import Plan, Shortfall, plan, revalued, shortfalls
from syncops.timeline import Term, Timeline, differences, first_open_date
from syncops.worth import worth_anew


@dataclass(frozen=True, slots=True)
class Planned:
    """One run's plan with what it was made from.

    `same_date` are days given up because the far side took no second adjustment. `in_vain` takes back what was given
    up earlier and is not wanted any more, `revalued` tells what is still missing and worth more or less than it was.
    `days`: the first day that each of the run's operations changes, by id.
    `cut_off`: the contract ends before something that was sent for it, by what is known of the contract.
    """

    actual: Timeline
    wanted: Timeline
    plan: Plan
    term: Term
    first_open: date
    same_date: tuple[Shortfall, ...] = ()
    in_vain: tuple[Shortfall, ...] = ()
    revalued: tuple[Shortfall, ...] = ()
    days: Mapping[int, date] = field(default_factory=dict)
    cut_off: bool = False

    @property
    def needs_contract_end(self) -> bool:
        """True where only a later end of the contract would let everything be sent, or explain what was sent."""
        return bool(self.plan.beyond) or self.cut_off or any(day > self.term.end for day in self.days.values())

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


@dataclass(frozen=True, slots=True)
class History:
    """What became of a line because of us: operations that succeeded, writes that were proved, what was given up."""

    done: Sequence[SyncOperation] = ()
    ours: Ours = field(default_factory=Ours)
    given_up: Sequence[GivenUp] = ()


def history_of(stream: Stream, mapping: SubscriptionMapping) -> History:
    return histories_of([(stream, mapping)])[stream.pk]


def histories_of(lines: Sequence[tuple[Stream, SubscriptionMapping]]) -> dict[int, History]:
    """The history of each stream on the line of its mapping, by the stream's id; three queries for any number."""
    done, ours, given_up = journal.succeeded_of(lines), journal.ours_of(lines), journal.given_up_of(lines)
    return {stream.pk: History(done[stream.pk], ours[stream.pk], given_up[stream.pk]) for stream, _ in lines}


def plan_job(job: Job, history: History) -> Planned:
    """Plan a job from its rows, its contract, and what became of its line before."""
    operation = job.operation
    assert job.contract is not None
    return plan_line(
        job.mapping,
        history=history,
        operations=job.operations,
        rows=job.rows,
        contract=job.contract,
        moved=[date.fromisoformat(day) for day in operation.plan.get("moved", [])],
    )


def plan_line(
    mapping: SubscriptionMapping,
    *,
    history: History,
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
    done, ours, given_up = history.done, history.ours.within(term.end), history.given_up
    grid, facts = PeriodGrid.of(term, shown), [*journal.facts_of([*done, *operations]), *new]
    before = fold(journal.facts_of(done), grid=grid, base=ours.taken_over)
    after, unfolded = unfold(facts, grid=grid, base=ours.taken_over)
    policies, known = mapping.connection.policies, min((row.start for row in shown), default=None)
    put_back_from = max(first, known) if known and policies.foreign_change == "put_back" else None
    undone = taken_back_by([*journal.facts_of(operations), *new])  # what those could not bring about is not wanted now
    settled, given_up = parted((part for part in given_up if part.operation not in undone), closed_of(rows))
    held, ours = as_if_billed(actual, settled), replace(ours, credited=tuple(settled))
    wanted = desired(
        before,
        after,
        actual=held,
        ours=ours,
        given_up=given_up,
        put_back_from=put_back_from,
        priced_from=_priced_from(unfolded, [*journal.facts_of(operations), *new]),
    )
    possible, currency = wanted, mapping.connection.currency
    for day in sorted(moved):
        possible = one_day_later(possible, held, day)
    made = plan(
        possible,
        held,
        contract=term,
        currency=currency,
        closed_through=closed_of(rows),
        rows=shown,
        price_change=policies.price_change,
    )
    moved_days = shortfalls(differences(wanted, possible, term.start, term.end), grid, currency)
    standing = ours.stray.not_sent(actual) if ours.stray else actual
    worth = worth_anew(
        given_up, actual=standing, wanted=wanted, after=after, first=max(first, known or first), last=term.end
    )
    in_vain = shortfalls(given_up_in_vain(after, given_up, term.start, term.end), grid, currency)
    return Planned(
        actual,
        possible,
        made,
        term,
        first,
        same_date=moved_days,
        in_vain=in_vain,
        revalued=revalued(worth, grid, currency),
        days={fact.key: fact.day for fact in unfolded},
        cut_off=ours.applied != history.ours.applied,
    )


def _priced_from(unfolded: Sequence[Fact], run: Sequence[Fact]) -> date | None:
    """The first day from which the run says what the line is priced at, whatever it shows there."""
    keys = {fact.key for fact in run}
    return min((fact.day for fact in unfolded if fact.key in keys and REGISTRY[fact.kind].insists), default=None)
