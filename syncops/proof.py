"""What unit rows prove about writes: the only evidence there is, because adjustments themselves cannot be read."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import product
from typing import Literal

from syncops.changes import Ours
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


def judge(
    before: Timeline,
    sent: Sequence[Adjustment],
    found: Timeline,
    *,
    first: date,
    last: date,
    in_doubt: Collection[int] | None = None,
) -> Verdict:
    """Compare what the rows show between two days with what they would show after all, none, or some of the writes.

    `in_doubt`: which of the writes it is about, all of them without it; the others were proved before. A write that
    leaves no trace by itself (a price where units are 0) counts as applied.
    """
    if same(apply(before, sent), found, first, last):
        return Verdict("applied")
    doubted = tuple(range(len(sent)) if in_doubt is None else sorted(in_doubt))
    if same(apply(before, _without(sent, doubted)), found, first, last):
        return Verdict("missing", doubted)
    if len(doubted) <= MOST_SUBSETS:
        for shown in sorted(product((True, False), repeat=len(doubted)), key=sum, reverse=True):
            missing = tuple(index for index, seen in zip(doubted, shown, strict=True) if not seen)
            part = _without(sent, missing)
            if _possible(before, part) and same(apply(before, part), found, first, last):
                return Verdict("missing", missing)
    return Verdict("foreign", _left_no_trace(before, sent, found, doubted))


def _without(sent: Sequence[Adjustment], missing: Collection[int]) -> list[Adjustment]:
    return [one for index, one in enumerate(sent) if index not in missing]


def shown_twice(ours: Ours, found: Timeline, sent: Sequence[Adjustment]) -> tuple[int, ...]:
    """Which of these writes the line shows as if each had been applied twice: on its date exactly its units begin in
    addition to what begins there because of us. Of several on one date at most one. A price set twice shows nothing.

    `ours` counts every write once; `found` is known from the day before the first of `sent` on.
    """
    suspects: dict[date, int] = {}
    for index, one in enumerate(sent):
        day = one.effective
        once = ours.units_at(day) - ours.units_at(day - ONE_DAY)
        if one.unit_change and _step(found, day) - once == one.unit_change:
            suspects[day] = index
    return tuple(sorted(suspects.values()))


def _left_no_trace(
    before: Timeline, sent: Sequence[Adjustment], found: Timeline, doubted: Sequence[int]
) -> tuple[int, ...]:
    """Those of the writes without which the units that begin on their date are explained, and with which they are not.

    What others do on other dates adds up there, and changes no step of this one. Where others wrote to the same date,
    nothing explains it, and the writes count as shown; so does one without units.
    """
    missing: list[int] = []
    for day in dict.fromkeys(sent[index].effective for index in doubted):
        here = [index for index in doubted if sent[index].effective == day]
        seen = _step(found, day) - _step(before, day)
        certain = sum(one.unit_change for index, one in enumerate(sent) if one.effective == day and index not in here)
        for shown in sorted(product((True, False), repeat=min(len(here), MOST_SUBSETS)), key=sum, reverse=True):
            there = [index for index, is_shown in zip(here, shown, strict=False) if is_shown] + here[MOST_SUBSETS:]
            if certain + sum(sent[index].unit_change for index in there) == seen:
                missing += [index for index in here if index not in there]
                break
    return tuple(sorted(missing))


def _step(timeline: Timeline, day: date) -> int:
    """Units that begin on a day."""
    return timeline.at(day).units - timeline.at(day - ONE_DAY).units


def _possible(before: Timeline, sent: Sequence[Adjustment]) -> bool:
    """Whether these writes alone keep every day at zero units or more; a line never shows less."""
    days = {*before.breakpoints, *(one.effective for one in sent)}
    return all(before.at(day).units + sum(one.unit_change for one in sent if one.effective <= day) >= 0 for day in days)
