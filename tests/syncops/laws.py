"""The laws of planning, each as an assertion over one random line and one planner."""

from collections import Counter
from collections.abc import Callable
from datetime import date, timedelta
from fractions import Fraction
from itertools import chain, permutations

from syncops.plans import Plan
from syncops.timeline import Adjustment
from tests.syncops.lines import Line, agrees, half_up, period_days

Planner = Callable[[Line], Plan]


def converges(line: Line, planner: Planner) -> None:
    final = line.replay(planner(line).adjustments)[-1]
    for day, wanted in line.wanted_days.items():
        assert not line.is_open(day) or agrees(final[day], wanted), day


def sends_nothing_to_a_line_that_is_right(line: Line, planner: Planner) -> None:
    final = line.replay(planner(line).adjustments)[-1]
    again = planner(line.with_held(final))
    assert again.is_empty
    assert again.adjustments == ()


def sends_one_per_date(line: Line, planner: Planner) -> None:
    steps = {day for day, _ in (*line.held.steps, *line.wanted.steps)}
    first_open = next(filter(line.is_open, line.days), None)
    for batch in planner(line).batches:
        assert batch
        assert max(Counter(change.effective for change in batch).values()) == 1
        assert {change.effective for change in batch} <= steps | {first_open}
        assert all(change.unit_change or change.sets_price for change in batch)


def sends_prices_only_where_they_change(line: Line, planner: Planner) -> None:
    """What is not managed is never sent, nothing where no units are wanted, and to a decrease only what changes."""
    sent = planner(line).adjustments
    by_date = line.replay(oldest_first(sent))
    for change, before in zip(oldest_first(sent), by_date, strict=False):
        units, price, cost = line.wanted_days[change.effective]
        assert change.price is None or (units and change.price == price)
        assert change.cost is None or (units and change.cost == cost)
        if change.unit_change <= 0 and len(sent) == len({other.effective for other in sent}):
            assert change.price is None or change.price != before[change.effective][1]
            assert change.cost is None or change.cost != before[change.effective][2]


def sends_prices_again_when_units_return(line: Line, planner: Planner) -> None:
    for change in chain(*planner(line).batches[:1]):
        units, price, cost = line.wanted_days[change.effective]
        yesterday = line.wanted_on_open_day_before(change.effective)
        if change.unit_change > 0 and units and 0 in (yesterday, line.held_days[change.effective][0]):
            assert (change.price, change.cost) == (price, cost)


def leaves_closed_days_alone_and_tells_what_they_lack(line: Line, planner: Planner) -> None:
    found = planner(line)
    assert all(line.is_open(change.effective) for change in found.adjustments)
    lacking = [
        day for day in line.days if not line.is_open(day) and not agrees(line.held_days[day], line.wanted_days[day])
    ]
    told = [day for short in found.shortfalls for day in line.days if short.start <= day <= short.end]
    assert told == lacking
    for short in found.shortfalls:
        assert line.contract.start <= short.start <= short.end <= line.contract.end
        held, wanted = line.held_days[short.start], line.wanted_days[short.start]
        assert short.units == wanted[0] - held[0]
        part = half_up(Fraction((short.end - short.start).days + 1, period_days(line.contract, short.start)), 4)
        for index, money in ((1, short.amount), (2, short.cost_amount)):
            due = held[index] if wanted[index] is None else wanted[index]
            if wanted[0] and due is None:
                assert money is None
            else:
                whole = wanted[0] * Fraction(due or 0) - held[0] * Fraction(held[index] or 0)
                assert Fraction(money) == half_up(whole * part, 2)


def stays_inside_the_contract_and_tells_what_lies_beyond(line: Line, planner: Planner) -> None:
    found = planner(line)
    assert all(line.contract.start <= change.effective <= line.contract.end for change in found.adjustments)
    expected = []
    for day, level in line.wanted.steps:
        before = line.wanted.at(day - timedelta(1))
        now, then = ((at.units, at.price, at.cost) for at in (level, before))
        if day > line.contract.end and not agrees(then, now):
            expected.append((day, level, day))
    assert [(step.effective, step.level, step.end_needed) for step in found.beyond] == expected


def never_falls_below_zero_or_both_ends(line: Line, planner: Planner) -> None:
    for state in line.replay(planner(line).adjustments):
        for day in filter(line.is_open, state):
            assert state[day][0] >= min(line.held_days[day][0], line.wanted_days[day][0]) >= 0, day


def keeps_the_order(line: Line, planner: Planner) -> None:
    """Increases, then decreases, each oldest first; where a priced decrease must go before a priced increase, prices
    oldest first and the others around them; a second batch only where no order is lawful."""
    batches = planner(line).batches
    for batch in batches:
        priced = [change for change in batch if change.sets_price]
        assert priced == oldest_first(priced)
        groups = [c for c in batch if c.unit_change > 0], [c for c in batch if c.unit_change < 0]
        if max(priced_dates(groups[0]), default=date.min) > min(priced_dates(groups[1]), default=date.max):
            groups = [c for c in groups[0] if not c.sets_price], [c for c in groups[1] if not c.sets_price]
        assert all(group == oldest_first(group) for group in groups)
        assert all(batch.index(up) < batch.index(down) for up in groups[0] for down in groups[1])
    assert len(batches) <= 2
    if len(batches) == 2 and len(needed := needed_adjustments(line)) <= 5:
        assert not any(is_lawful(line, order) for order in permutations(needed))


def oldest_first(changes: list[Adjustment]) -> list[Adjustment]:
    return sorted(changes, key=lambda change: change.effective)


def priced_dates(changes: list[Adjustment]) -> list[date]:
    return [change.effective for change in changes if change.sets_price]


def needed_adjustments(line: Line) -> list[Adjustment]:
    """The least that must be sent, found by walking the open days: what differs from what ripples in from before."""
    needed: list[Adjustment] = []
    for day in filter(line.is_open, line.days):
        units, *set_to = line.wanted_days[day]
        found, *known = line.replay(needed)[-1][day]
        returning = units > found and 0 in (line.held_days[day][0], line.wanted_on_open_day_before(day))
        money = [
            want if units and (returning or want != have) else None for want, have in zip(set_to, known, strict=True)
        ]
        if units != found or money != [None, None]:
            needed.append(Adjustment(day, units - found, *money))
    return needed


def is_lawful(line: Line, order: tuple[Adjustment, ...]) -> bool:
    priced = [change.effective for change in order if change.sets_price]
    try:
        assert priced == sorted(priced)
        never_falls_below_zero_or_both_ends(line, lambda _: Plan((order,)))
        converges(line, lambda _: Plan((order,)))
    except AssertionError:
        return False
    return True


LAWS = [
    converges,
    sends_nothing_to_a_line_that_is_right,
    sends_one_per_date,
    sends_prices_only_where_they_change,
    sends_prices_again_when_units_return,
    leaves_closed_days_alone_and_tells_what_they_lack,
    stays_inside_the_contract_and_tells_what_lies_beyond,
    never_falls_below_zero_or_both_ends,
    keeps_the_order,
]
