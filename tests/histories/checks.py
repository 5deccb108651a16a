"""What has to be true when a history is over: lines, bill, charges, and what the product says of itself."""

from __future__ import annotations

from collections import Counter
from datetime import date
from decimal import Decimal
from fractions import Fraction

from portal.audit import breaks
from portal.models import AuditEntry
from syncops.models import Shortfall, Stream, SyncOperation, Write
from tests.histories.oracle import DAY, Expected, Grid, Level, Line, bill, largest, rounding, spans
from tests.histories.others import post_through
from tests.histories.play import BEYOND, History
from tests.histories.world import SERVICES


def all_is_as_told(history: History) -> None:
    world = history.world
    everything_is_over()
    nothing_was_applied_twice(history)
    done = through()
    lines = [(line, line_id) for line in world.lines if (line_id := world.line_id(line))]
    expected = {line_id: expected_of(history, line, done) for line, line_id in lines}
    gaps = {line_id: gaps_of(line_id) for _, line_id in lines}
    for line, line_id in lines:
        every_fact_holds_from_its_day(expected[line_id], done)
        line_shows_what_was_told(history, line, line_id, expected[line_id], gaps[line_id])
    for contract in world.grids:
        post_through(world, contract, world.ends(contract))
    for line, line_id in lines:
        bills_what_was_told(history, line, line_id, expected[line_id], gaps[line_id])
    charges_bill_what_was_missing(history)
    assert list(breaks(world.cast.csp)) == []


def through() -> dict[int, date | None]:
    """The operations that are through and were not taken back, with the first day that each says it holds from."""
    done = SyncOperation.objects.filter(state="succeeded").prefetch_related("undoings")
    return {one.pk: one.holds_from for one in done if not one.is_undone}


def expected_of(history: History, line: Line, done: dict[int, date | None]) -> Expected:
    grid = history.world.grid(line.contract)
    _, _, price, cost = SERVICES[line.service]
    return Expected(line, grid, done, (Decimal(price), Decimal(cost)))


def gaps_of(line_id: int) -> list[Shortfall]:
    return list(Shortfall.objects.given_up().filter(operation__mapping__line_id=line_id))


def every_fact_holds_from_its_day(expected: Expected, done: dict[int, date | None]) -> None:
    for one in expected.held:
        assert done[one.fact.key] == one.since, f"{one.fact} holds from {done[one.fact.key]}, not {one.since}"


def line_shows_what_was_told(
    history: History, line: Line, line_id: int, expected: Expected, gaps: list[Shortfall]
) -> None:
    """Units on every day; price and cost on every open one."""
    put_back = history.world.policies["foreign_change"] == "put_back" and line.people
    for row in history.world.rows(line_id):
        first, last = date.fromisoformat(row["startDate"][:10]), date.fromisoformat(row["endDate"][:10])
        cuts = {day for gap in gaps for day in (gap.starts_on, gap.ends_on + DAY)} | expected.days
        for start, end in spans(first, last, cuts):
            wanted = expected.at(start)
            missing = sum(gap.units for gap in gaps if gap.starts_on <= start <= gap.ends_on)
            if not put_back:
                found = f"{line} shows {row['units']} from {start} to {end}, not {wanted.units} less {missing}"
                assert row["units"] == wanted.units - missing, found
            moved = any(gap.reason == "same_date" and gap.starts_on <= end and gap.ends_on >= start for gap in gaps)
            comparable = row["units"] > wanted.theirs and not row["approveAndPostDate"] and not moved
            if comparable:
                shown = (Decimal(row["unitPrice"]), Decimal(row["unitCost"]))
                said = f"{line} has {shown} from {start} to {end}, not {(wanted.price, wanted.cost)}"
                assert shown == (wanted.price, wanted.cost), said


def bills_what_was_told(history: History, line: Line, line_id: int, expected: Expected, gaps: list[Shortfall]) -> None:
    """Each period's bill, with what is recorded as missing there, is what follows from the changes, but for rounding;
    and every item of days on which nothing is missing is that to the cent.
    """
    if history.world.policies["foreign_change"] == "put_back" and line.people:
        return
    grid = expected.grid
    for first, end in grid.periods():
        last = min(end, grid.end)
        items = [
            one for one in history.world.items if one["line"] == line_id and str(first) <= one["start"] <= str(last)
        ]
        short = [gap for gap in gaps if first <= gap.starts_on <= last]
        assert all(gap.amount is not None for gap in short)
        billed = sum((Fraction(one["amount"]) for one in items), Fraction(0))
        missing = sum((Fraction(gap.amount) for gap in short), Fraction(0))
        due = expected.due(first, last)
        levels = [expected.at(start) for start, _ in spans(first, last, expected.days)]
        levels += [Level(int(one["quantity"]), Decimal(one["unit_price"]), Decimal(0)) for one in items]
        if not all(level.has_a_price for level in levels):
            continue
        room = rounding(largest(levels), len(items) + len(short))
        said = f"{line}, {first} to {last}: {float(billed)} billed, {float(missing)} missing, {float(due)} due"
        said += "".join(f"\n  {one['start']} to {one['end']}: {one['quantity']} x {one['unit_price']}" for one in items)
        said += "".join(f"\n  {gap.reason} {gap} ({gap.units} units, by operation {gap.operation_id})" for gap in short)
        said += "".join(f"\n  due from {since}: {expected.at(since)}" for since, _ in spans(first, last, expected.days))
        if any(gap.reason == "same_date" for gap in short) and line.people:
            continue  # units of others on a day that kept its price are billed at that price
        assert abs(billed + missing - due) <= room, said
        _to_the_cent(line, items, short, expected, grid)


def _to_the_cent(line: Line, items: list[dict], short: list[Shortfall], expected: Expected, grid: Grid) -> None:  # type: ignore[type-arg]
    for one in items:
        first, last = date.fromisoformat(one["start"]), date.fromisoformat(one["end"])
        touched = any(gap.starts_on <= last and gap.ends_on >= first for gap in short)
        if touched or any(first < day <= last for day in expected.days):
            continue
        due = bill(expected.at(first), first, last, grid)
        assert Decimal(str(one["amount"])) == due, f"{line}: {one['amount']} billed from {first} to {last}, {due} due"


def charges_bill_what_was_missing(history: History) -> None:
    """Each charge is there once, bills what it settles, and lies in a period that bills it."""
    rows = history.world.far_side.tenants.get().select("ContractCharges", "1")
    made = {row["internalPurchaseOrderNumber"]: Decimal(row["billableAmount"]) for row in rows}
    assert len(made) == len(rows)
    done = SyncOperation.objects.filter(kind="charge_shortfall", state="succeeded")
    due = {one.payload["key"]: sum(gap.amount for gap in one.settles.all()) for one in done}
    assert made == due
    billed = sum(Decimal(str(one["amount"])) for one in history.world.items if one["kind"] == "charge")
    assert billed == sum(made.values())
    history.world.lived["charge billed"] += len(made)


def nothing_was_applied_twice(history: History) -> None:
    said = set(Write.objects.filter(state="applied", kind="adjust").values_list("pk", flat=True))
    applied = {pk for pk, exchange in history.fates.items() if exchange.applied}
    assert said == applied, (said - applied, applied - said)
    assert len(applied) == history.world.far_side._applied_count()


def everything_is_over() -> None:
    left = SyncOperation.objects.exclude(state__in=SyncOperation.FINAL).exclude(error_kind=BEYOND)
    assert not left, [(one.kind, one.state, one.error) for one in left]
    assert not Write.objects.filter(state__in=Write.UNPROVED)
    assert not Stream.objects.exclude(due=None)
    assert not AuditEntry.objects.filter(status="in_progress", ended_by=None).exclude(name="Update Customer Margins")


def contents_of(history: History) -> Counter[str]:
    """What a history contained, for the count of all of them."""
    world = history.world
    seen = world.lived + Counter(f"kind {kind}" for kind in SyncOperation.objects.values_list("kind", flat=True))
    beyond = SyncOperation.objects.filter(error_kind=BEYOND).exists()
    seen["needs a person: beyond_contract"] += beyond
    seen.update(f"shortfall {reason}" for reason in Shortfall.objects.values_list("reason", flat=True))
    seen.update(f"policy {name} {value}" for name, value in world.policies.items())
    seen[f"same date {world.modes['same_date']}"] += 1
    seen[f"start on {world.grids[70].start.day}"] += 1
    return +seen
