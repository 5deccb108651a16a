"""From what a PSA says about a line to the values of the rules."""

from collections.abc import Iterable
from datetime import date
from typing import cast

from connections.models import MirroredContract
from connections.psa.types import Contract, UnitRow
from syncops.timeline import PeriodType, Row, Term, Timeline, actual_timeline, closed_through


def rows_of(rows: Iterable[UnitRow]) -> tuple[Row, ...]:
    return tuple(Row(row.starts_on, row.ends_on, row.units, row.price, row.cost, row.posted) for row in rows)


def actual_of(rows: Iterable[UnitRow]) -> Timeline:
    """The timeline that a line's unit rows show."""
    return actual_timeline(rows_of(rows))


def closed_of(rows: Iterable[UnitRow]) -> date | None:
    return closed_through(rows_of(rows))


def term_of(contract: Contract | MirroredContract) -> Term:
    """A contract's days and period type. Raises ValueError for a period that the product does not bill by."""
    if contract.period not in ("monthly", "quarterly", "semi_annual", "yearly"):
        raise ValueError(f"contract {contract} has no known period type")
    return Term(contract.starts_on, contract.ends_on, cast(PeriodType, contract.period))
