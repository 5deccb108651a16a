"""What is missing on days that are still open, and worth more or less than when it was recorded: the price that is
wanted there changed, was set at last, or other units run there now.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from syncops.changes import GivenUp, as_if_billed
from syncops.timeline import ONE_DAY, Level, Timeline, spans


@dataclass(frozen=True, slots=True)
class Worth:
    """Days (inclusive) on which what is missing became worth so much more `money` per whole period; `due` is wanted."""

    start: date
    end: date
    money: Decimal
    due: Level


def worth_anew(
    given_up: Sequence[GivenUp], *, actual: Timeline, wanted: Timeline, after: Timeline, first: date, last: date
) -> tuple[Worth, ...]:
    """What a run changes about the money of what was `given_up` before it, between two days.

    `actual`: the line before the run; `wanted`: after it, without what stays given up; `after`: what the facts ask for.
    """
    then, days = as_if_billed(actual, given_up), {part.start for part in given_up}
    days |= {part.end + ONE_DAY for part in given_up}
    found: list[Worth] = []
    for start, end in spans(
        first, last, {*actual.breakpoints, *wanted.breakpoints, *after.breakpoints, *then.breakpoints, *days}
    ):
        here = [part for part in given_up if part.start <= start <= part.end]
        if not here:
            continue
        price = then.at(start).price if after.at(start).price is None else after.at(start).price
        due = Level(max(0, wanted.at(start).units + sum(part.units for part in here)), price)
        lacking = _lacking(due, wanted.at(start)), _lacking(then.at(start), actual.at(start))
        if None not in lacking and lacking[0] != lacking[1]:
            found.append(Worth(start, end, lacking[0] - lacking[1], due))  # type: ignore[operator]
    return tuple(found)


def _lacking(due: Level, held: Level) -> Decimal | None:
    """Money of a whole period; None where no price is known to tell it by."""
    if (due.units and due.price is None) or (held.units and held.price is None):
        return None
    return due.units * (due.price or Decimal(0)) - held.units * (held.price or Decimal(0))
