"""What unit rows prove about writes: the only evidence there is, because adjustments themselves cannot be read."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from itertools import product
from typing import Literal

from syncops.timeline import ONE_DAY, Adjustment, Timeline, apply, differences

MOST_SUBSETS = 8


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the rows say about the writes sent since `before`.

    `applied`: all show. `missing`: the line is as if those in `not_shown` had never been sent. `foreign`: neither,
    somebody else wrote to the line; then `not_shown` are those on whose date no units changed at all.
    """

    kind: Literal["applied", "missing", "foreign"]
    not_shown: tuple[int, ...] = ()


def same(expected: Timeline, found: Timeline, first: date, last: date) -> bool:
    """True where the rows show what was expected on every day between two dates, both inclusive."""
    return not differences(expected, found, first, last)


def judge(before: Timeline, sent: Sequence[Adjustment], found: Timeline, *, first: date, last: date) -> Verdict:
    """Compare what the rows show between two days with what they would show after all, none, or some of the writes.

    A write that leaves no trace by itself (a price where units are 0) counts as applied.
    """
    if same(apply(before, sent), found, first, last):
        return Verdict("applied")
    everything = tuple(range(len(sent)))
    if same(before, found, first, last):
        return Verdict("missing", everything)
    if len(sent) <= MOST_SUBSETS:
        for shown in sorted(product((True, False), repeat=len(sent)), key=sum, reverse=True):
            part = [one for one, seen in zip(sent, shown, strict=True) if seen]
            if _possible(before, part) and same(apply(before, part), found, first, last):
                return Verdict("missing", tuple(index for index in everything if not shown[index]))
    return Verdict("foreign", tuple(index for index in everything if not _left_a_trace(before, sent, found, index)))


def _left_a_trace(before: Timeline, sent: Sequence[Adjustment], found: Timeline, index: int) -> bool:
    """Whether units changed on the date of a write. What others do on other dates adds up there, and changes no step
    of this one; a write without units is not told apart.
    """
    day = sent[index].effective
    return not sum(one.unit_change for one in sent if one.effective == day) or _step(found, day) != _step(before, day)


def _step(timeline: Timeline, day: date) -> int:
    """Units that begin on a day."""
    return timeline.at(day).units - timeline.at(day - ONE_DAY).units


def _possible(before: Timeline, sent: Sequence[Adjustment]) -> bool:
    """Whether these writes alone keep every day at zero units or more; a line never shows less."""
    days = {*before.breakpoints, *(one.effective for one in sent)}
    return all(before.at(day).units + sum(one.unit_change for one in sent if one.effective <= day) >= 0 for day in days)
