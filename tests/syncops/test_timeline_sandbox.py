"""Two engines that share no code, the product's simulation and the sandbox's ledger of rows, agree on every day."""

from dataclasses import replace
from decimal import Decimal

from hypothesis import given

from connections.sandbox.autotask import money as ledger_money
from connections.sandbox.autotask import periods as ledger
from connections.sandbox.autotask.picklists import MONTHLY
from syncops.bills import billed
from syncops.periods import PeriodGrid
from syncops.plans import plan
from syncops.timeline import Row, Timeline, actual_timeline, apply, closed_through, differences, first_open_date
from tests.syncops.lines import BRIEF, PROFILE, Line, lines


def ledger_of(line: Line) -> list[ledger.Row]:
    """The line as the ledger comes to it: a fresh line, then one adjustment for each of its steps."""
    contract = line.contract
    rows = ledger.fresh_rows(contract.start, contract.end, MONTHLY, Decimal(99), Decimal(98))
    before = 0
    for day in line.days:
        units, price, cost = line.held_days[day]
        if day == contract.start or day in line.held.breakpoints:
            rows = ledger.adjusted(rows, day, units - before, price, cost)
            before = units
    return [row if line.is_open(row.end) else replace(row, posted=True) for row in rows]


def read(rows: list[ledger.Row]) -> tuple[Row, ...]:
    return tuple(
        Row(row.start, row.end, row.units, row.units * row.price, row.units * row.cost, row.posted) for row in rows
    )


def agree(expected: Timeline, found: Timeline, line: Line) -> bool:
    return not differences(expected, found, line.contract.start, line.contract.end)


@PROFILE
@given(line=lines())
def test_after_every_adjustment_of_a_plan_the_ledger_shows_what_was_simulated(line):
    rows = ledger_of(line)
    actual, closed = actual_timeline(read(rows)), closed_through(read(rows))
    assert agree(line.held, actual, line)
    found = plan(line.wanted, actual, contract=line.contract, currency="EUR", closed_through=closed, rows=read(rows))
    for count, change in enumerate(found.adjustments, start=1):
        rows = ledger.adjusted(rows, change.effective, change.unit_change, change.price, change.cost)
        assert agree(apply(actual, found.adjustments[:count]), actual_timeline(read(rows)), line)
    first = first_open_date(read(rows), line.contract)
    assert not differences(line.wanted, actual_timeline(read(rows)), first, line.contract.end)


@BRIEF
@given(line=lines())
def test_a_bill_is_what_the_ledger_would_bill(line):
    rows = ledger_of(line)
    contract = line.contract
    grid = PeriodGrid.of(contract, read(rows))
    for period in ledger.periods(contract.start, contract.end, MONTHLY):
        of_period = [row for row in rows if period.start <= row.start <= period.end]
        amounts = [
            ledger_money.amount(row.units, row.price, ledger_money.share(row, period), "EUR") for row in of_period
        ]
        told = grid.period_of(period.start)
        assert (told.start, told.end) == (period.start, period.end)
        starts = [row.start for row in rows]
        assert billed(actual_timeline(read(rows)), [told], contract, "EUR", starts) == sum(amounts)
