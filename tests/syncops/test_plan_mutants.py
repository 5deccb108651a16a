"""Planners that are wrong in one way each: the laws must notice every one of them, or they prove nothing."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from hypothesis import Phase, find, settings

from syncops.plans import Plan, plan
from syncops.timeline import Adjustment, Timeline
from tests.syncops.laws import LAWS, Planner
from tests.syncops.lines import Line, lines
from tests.syncops.test_plan_laws import planned

SEARCH = settings(max_examples=2_000, phases=[Phase.generate], derandomize=True, database=None)
DAY = timedelta(1)


def resent(change: Callable[[Line, Plan], tuple]) -> Planner:
    """A planner that sends other batches than the right one."""
    return lambda line: replace(found := planned(line), batches=tuple(filter(None, change(line, found))))


def each(change: Callable[[Line, Adjustment], Adjustment]) -> Planner:
    return resent(lambda line, found: [tuple(change(line, one) for one in batch) for batch in found.batches])


def ordered(key: Callable[[Adjustment], object]) -> Planner:
    return resent(lambda _, found: [tuple(sorted(found.adjustments, key=key))])


def without_units(change: Adjustment) -> Adjustment:
    return replace(change, unit_change=0)


def only_at_wanted_steps(line: Line, found: Plan) -> list:
    return [tuple(c for c in batch if c.effective in line.wanted.breakpoints) for batch in found.batches]


def only_the_first_price(_: Line, found: Plan) -> list:
    first = next((c for c in found.adjustments if c.sets_price), None)
    return [tuple(c if c == first else replace(c, price=None, cost=None) for c in b) for b in found.batches]


def closed_from(closed: Callable[[Line], object]) -> Planner:
    def planner(line: Line) -> Plan:
        found = planned(replace(line, closed=closed(line)))
        return replace(found, shortfalls=planned(line).shortfalls)

    return planner


def no_price_where_nothing_is_known(line: Line, change: Adjustment) -> Adjustment:
    return change if line.held_days[change.effective][0] else replace(change, price=None, cost=None)


def managed(line: Line) -> Plan:
    """Sends the held price where ours is not managed."""
    steps = [
        (day, (units, line.held.at(day).price if price is None else price, cost))
        for day, (units, price, cost) in line.wanted_steps
    ]
    return planned(replace(line, wanted_steps=tuple(steps)))


def for_another_end(line: Line) -> Plan:
    contract = replace(line.contract, end=line.contract.end + 3 * DAY)
    return plan(line.wanted, line.held, contract=contract, currency="EUR", closed_through=line.closed)


def blind(line: Line) -> Plan:
    """Never reads what the line holds."""
    return plan(line.wanted, Timeline(), contract=line.contract, currency="EUR", closed_through=line.closed)


MUTANTS = {
    "oldest first": ordered(lambda change: change.effective),
    "newest first": ordered(lambda change: -change.effective.toordinal()),
    "decreases first": ordered(lambda change: (change.unit_change > 0, change.effective)),
    "increases first, whatever prices they carry": ordered(lambda change: (change.unit_change < 0, change.effective)),
    "one batch always": resent(lambda _, found: [found.adjustments]),
    "a batch for each": resent(lambda _, found: [(change,) for change in found.adjustments]),
    "two for one date": resent(
        lambda _, found: [
            tuple(part for c in b for part in (replace(c, price=None, cost=None), without_units(c)))
            for b in found.batches
        ]
    ),
    "no compensation at the line's own steps": resent(only_at_wanted_steps),
    "the first adjustment only": resent(lambda _, found: [found.adjustments[:1]]),
    "no price": each(lambda _, change: replace(change, price=None)),
    "no cost": each(lambda _, change: replace(change, cost=None)),
    "the first price only": resent(only_the_first_price),
    "no price on increases": each(lambda _, c: replace(c, price=None, cost=None) if c.unit_change > 0 else c),
    "price 0 on decreases": each(lambda _, c: replace(c, price=Decimal(0)) if c.unit_change < 0 else c),
    "the price on every decrease": each(
        lambda line, c: replace(c, price=line.wanted.at(c.effective).price) if c.unit_change < 0 else c
    ),
    "no price where none is known": each(no_price_where_nothing_is_known),
    "what is not managed is sent": managed,
    "a unit too many": each(lambda _, change: replace(change, unit_change=change.unit_change + 1)),
    "a day late": each(lambda _, change: replace(change, effective=change.effective + DAY)),
    "an empty adjustment on the first day": resent(
        lambda line, found: [*found.batches, (Adjustment(line.contract.start, 0),)]
    ),
    "closed days are open": closed_from(lambda line: None),
    "one closed day less": closed_from(lambda line: line.closed and line.closed - DAY),
    "one closed day more": closed_from(lambda line: line.closed and line.closed + DAY),
    "no shortfalls": lambda line: replace(planned(line), shortfalls=()),
    "the money of whole periods": lambda line: replace(
        found := planned(line),
        shortfalls=tuple(replace(s, amount=(s.after.price or 0) * s.units) for s in found.shortfalls),
    ),
    "nothing told beyond the contract": lambda line: replace(planned(line), beyond=()),
    "a longer contract": for_another_end,
    "the line is not read": blind,
    "nothing is ever sent": lambda line: Plan(),
}


def broken(planner: Planner, line: Line) -> bool:
    for law in LAWS:
        try:
            law(line, planner)
        except (AssertionError, KeyError):
            return True
    return False


@pytest.mark.parametrize("planner", MUTANTS.values(), ids=MUTANTS.keys())
def test_a_wrong_planner_breaks_a_law(planner):
    assert find(lines(), lambda line: broken(planner, line), settings=SEARCH)


def test_the_right_planner_is_no_mutant():
    assert planned(find(lines(), lambda line: len(planned(line).batches) == 2, settings=SEARCH)).batches
