"""A line of 10 at 5.00 (cost 4.00) from the 1st of May on, on a monthly contract of 2026, and where it stands."""

from datetime import date
from decimal import Decimal
from typing import Any

from connections.policies import Policies
from syncops.changes import fold
from syncops.operations.base import Fact, Place
from syncops.periods import PeriodGrid
from syncops.timeline import Level, Term, Timeline

GRID = PeriodGrid(Term(date(2026, 1, 1), date(2026, 12, 31)))
FIVE, FOUR, ZERO = Decimal("5.00"), Decimal("4.00"), Decimal(0)
LINE = Timeline.from_steps([(date(2026, 5, 1), Level(10, FIVE, FOUR))])
PLACE = Place("Microsoft 365 (CSP)", "Business Basic")


def may(day: int) -> date:
    return date(2026, 5, day)


def june(day: int) -> date:
    return date(2026, 6, day)


def a_fact(kind: Any, day: date, policies: dict[str, Any] | None = None, **payload: Any) -> Fact:
    return Fact(kind.name, day, payload, policies=Policies.from_json(policies or {}))


def after(*facts: Fact, base: Timeline = LINE, grid: PeriodGrid = GRID) -> Timeline:
    """The line after these facts."""
    return fold(facts, grid=grid, base=base)
