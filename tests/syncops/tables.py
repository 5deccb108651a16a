"""Short words for timelines and adjustments, so that an example reads like a row of a table."""

from collections.abc import Iterable
from datetime import date
from decimal import Decimal

from syncops.timeline import Adjustment, Level, Row, Term, Timeline

YEAR = Term(date(2026, 5, 1), date(2026, 12, 31))


def day(text: str) -> date:
    """ "05-10" is 10 May 2026; a year may stand before it."""
    return date.fromisoformat(text if len(text) > 5 else f"2026-{text}")


def level(text: str) -> Level:
    """ "10", "10@5.00" or "10@5.00/4.00": units, unit price, unit cost."""
    units, _, money = text.partition("@")
    price, _, cost = money.partition("/")
    return Level(int(units), Decimal(price) if price else None, Decimal(cost) if cost else None)


def line(steps: dict[str, str]) -> Timeline:
    return Timeline.from_steps((day(when), level(what)) for when, what in steps.items())


def row(start: str, end: str, what: str, *, posted: bool = False) -> Row:
    """A unit row as Autotask shows it: `what` is per unit, the row has totals."""
    held = level(what)
    price, cost = (None if money is None else held.units * money for money in (held.price, held.cost))
    return Row(day(start), day(end), held.units, price, cost, posted)


def words(adjustments: Iterable[Adjustment]) -> list[str]:
    """ "05-10 +2 @5.50 /4.00": date, unit change, price and cost where they are sent."""
    return [
        f"{change.effective:%m-%d} {change.unit_change:+d}"
        + (f" @{change.price}" if change.price is not None else "")
        + (f" /{change.cost}" if change.cost is not None else "")
        for change in adjustments
    ]
