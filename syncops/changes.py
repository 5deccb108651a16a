"""From facts to the timeline that a line should have, given what it shows and what others did to it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date

from syncops.operations import REGISTRY
from syncops.operations.base import Effect, Fact
from syncops.timeline import ONE_DAY, Adjustment, Difference, Level, Timeline, spans


@dataclass(frozen=True, slots=True)
class GivenUp:
    """Units that an earlier run could not bring about on these days (inclusive): wanted minus shown."""

    start: date
    end: date
    units: int


@dataclass(frozen=True, slots=True)
class Ours:
    """What the line shows because of us: what was taken over when it was adopted, and the applied writes since, in
    sending order.
    """

    taken_over: Timeline = field(default_factory=Timeline)
    applied: tuple[Adjustment, ...] = ()

    def units_at(self, day: date) -> int:
        """Units on a day; below zero where we took away what others had added."""
        return self.taken_over.at(day).units + sum(one.unit_change for one in self.applied if one.effective <= day)

    @property
    def days(self) -> set[date]:
        return {*self.taken_over.breakpoints, *(one.effective for one in self.applied)}


def fold(facts: Iterable[Fact], *, base: Timeline | None = None) -> Effect:
    """The timeline that follows from `base` and the facts alone, oldest first; on one date the last given wins.

    The first fact that has no counterpart in the PSA is returned as what it is.
    """
    timeline = base or Timeline()
    for fact in sorted(facts, key=lambda fact: fact.effective):
        effect = REGISTRY[fact.kind].effect(timeline, fact)
        if not isinstance(effect, Timeline):
            return effect
        timeline = effect
    return timeline


def desired(
    before: Timeline, after: Timeline, *, actual: Timeline, ours: Ours, given_up: Sequence[GivenUp] = ()
) -> Timeline:
    """What the line should show once a run is done.

    `before` and `after` are the folded facts without and with the run's operations. What others added to the line
    stays, and so does what was given up. Where the run changes no price, the price that the line shows stays:
    somebody may have set it on purpose.
    """
    days = {*before.breakpoints, *after.breakpoints, *actual.breakpoints} | ours.days | _edges(given_up)

    def level(day: date) -> Level:
        old, new, shown = before.at(day), after.at(day), actual.at(day)
        foreign = shown.units - ours.units_at(day)
        return Level(
            max(0, max(0, new.units - _missing(given_up, day)) + foreign),
            new.price if new.price != old.price or shown.price is None else shown.price,
            new.cost if new.cost != old.cost or shown.cost is None else shown.cost,
        )

    return Timeline.from_steps((day, level(day)) for day in sorted(days))


def given_up_in_vain(after: Timeline, given_up: Sequence[GivenUp], first: date, last: date) -> tuple[Difference, ...]:
    """Where more was given up than is wanted now: units that are recorded as missing and are not wanted any more."""
    days = {first, *after.breakpoints} | _edges(given_up)

    def surplus(day: date) -> Level:
        level = after.at(day)
        return Level(max(0, _missing(given_up, day) - level.units), level.price, level.cost)

    unwanted = Timeline.from_steps((day, surplus(day)) for day in sorted(days))
    return tuple(
        Difference(start, end, wanted=Level(0), found=unwanted.at(start))
        for start, end in spans(first, last, unwanted.breakpoints)
        if unwanted.at(start).units
    )


def _missing(given_up: Sequence[GivenUp], day: date) -> int:
    return sum(part.units for part in given_up if part.start <= day <= part.end)


def _edges(given_up: Sequence[GivenUp]) -> set[date]:
    return {day for part in given_up for day in (part.start, part.end + ONE_DAY)}


def one_day_later(wanted: Timeline, actual: Timeline, day: date) -> Timeline:
    """`wanted`, with the level of `actual` kept on `day`: what remains when the far side takes no adjustment on that
    date.
    """
    others = [step for step in wanted.steps if step[0] != day]
    later = [] if any(start == day + ONE_DAY for start, _ in others) else [(day + ONE_DAY, wanted.at(day))]
    return Timeline.from_steps([*others, (day, actual.at(day)), *later])
