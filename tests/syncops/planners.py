"""Planners that are wrong in one way each, with the law that each must break."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

from syncops.plans import Plan, plan
from syncops.timeline import Adjustment, Timeline
from tests.syncops import laws
from tests.syncops.laws import Planner
from tests.syncops.lines import Line

DAY = timedelta(1)


def planned(line: Line) -> Plan:
    """The right one."""
    return plan(line.wanted, line.held, contract=line.contract, currency="EUR", closed_through=line.closed)


def resent(change: Callable[[Line, Plan], tuple]) -> Planner:
    """A planner that sends other batches than the right one."""
    return lambda line: replace(found := planned(line), batches=tuple(filter(None, change(line, found))))


def each(change: Callable[[Line, Adjustment], Adjustment]) -> Planner:
    return resent(lambda line, found: [tuple(change(line, one) for one in batch) for batch in found.batches])


def ordered(key: Callable[[Adjustment], object]) -> Planner:
    return resent(lambda _, found: [tuple(sorted(found.adjustments, key=key))])


def halves(change: Adjustment) -> tuple[Adjustment, Adjustment]:
    return Adjustment(change.effective, change.unit_change), replace(change, unit_change=0)


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


def no_price_where_none_is_known(line: Line, change: Adjustment) -> Adjustment:
    return change if line.held_days[change.effective][0] else Adjustment(change.effective, change.unit_change)


def no_price_on_a_return(line: Line, change: Adjustment) -> Adjustment:
    returns = change.unit_change > 0 and line.wanted_on_open_day_before(change.effective) == 0
    return Adjustment(change.effective, change.unit_change) if returns else change


def whole_periods(line: Line) -> Plan:
    found = planned(line)
    return replace(
        found,
        shortfalls=tuple(replace(short, amount=(short.after.price or 0) * short.units) for short in found.shortfalls),
    )


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
    "oldest first": (laws.never_falls_below_zero_or_both_ends, ordered(lambda change: change.effective)),
    "newest first": (laws.converges, ordered(lambda change: -change.effective.toordinal())),
    "decreases first": (
        laws.never_falls_below_zero_or_both_ends,
        ordered(lambda change: (change.unit_change > 0, change.effective)),
    ),
    "increases first, whatever prices they carry": (
        laws.converges,
        ordered(lambda change: (change.unit_change < 0, change.effective)),
    ),
    "one batch always": (laws.sends_one_per_date, resent(lambda _, found: [found.adjustments])),
    "a batch for each": (laws.keeps_the_order, resent(lambda _, found: [(change,) for change in found.adjustments])),
    "two for one date": (
        laws.sends_one_per_date,
        resent(lambda _, found: [tuple(half for c in b for half in halves(c)) for b in found.batches]),
    ),
    "no compensation at the line's own steps": (laws.converges, resent(only_at_wanted_steps)),
    "the first adjustment only": (laws.converges, resent(lambda _, found: [found.adjustments[:1]])),
    "no price": (laws.converges, each(lambda _, change: replace(change, price=None))),
    "no cost": (laws.converges, each(lambda _, change: replace(change, cost=None))),
    "the first price only": (laws.converges, resent(only_the_first_price)),
    "no price when units return": (laws.sends_prices_again_when_units_return, each(no_price_on_a_return)),
    "price 0 on decreases": (
        laws.sends_prices_only_where_they_change,
        each(lambda _, c: replace(c, price=Decimal(0)) if c.unit_change < 0 else c),
    ),
    "the price on every decrease": (
        laws.sends_prices_only_where_they_change,
        each(lambda line, c: replace(c, price=line.wanted.at(c.effective).price) if c.unit_change < 0 else c),
    ),
    "no price where none is known": (laws.converges, each(no_price_where_none_is_known)),
    "what is not managed is sent": (laws.sends_prices_only_where_they_change, managed),
    "a unit too many": (laws.converges, each(lambda _, change: replace(change, unit_change=change.unit_change + 1))),
    "a day late": (laws.converges, each(lambda _, change: replace(change, effective=change.effective + DAY))),
    "an empty adjustment": (
        laws.sends_nothing_to_a_line_that_is_right,
        resent(lambda line, found: [*found.batches, (Adjustment(line.contract.start, 0),)]),
    ),
    "closed days are open": (laws.leaves_closed_days_alone_and_tells_what_they_lack, closed_from(lambda line: None)),
    "one closed day less": (
        laws.leaves_closed_days_alone_and_tells_what_they_lack,
        closed_from(lambda line: line.closed and line.closed - DAY),
    ),
    "one closed day more": (laws.converges, closed_from(lambda line: line.closed and line.closed + DAY)),
    "no shortfalls": (
        laws.leaves_closed_days_alone_and_tells_what_they_lack,
        lambda line: replace(planned(line), shortfalls=()),
    ),
    "the money of whole periods": (laws.leaves_closed_days_alone_and_tells_what_they_lack, whole_periods),
    "nothing told beyond the contract": (
        laws.stays_inside_the_contract_and_tells_what_lies_beyond,
        lambda line: replace(planned(line), beyond=()),
    ),
    "a longer contract": (laws.stays_inside_the_contract_and_tells_what_lies_beyond, for_another_end),
    "the line is not read": (laws.converges, blind),
    "nothing is ever sent": (laws.converges, lambda line: Plan()),
}
