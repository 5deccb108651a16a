"""From facts to the timeline that a line should have, given what it shows and what others did to it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from math import inf

from syncops.operations import REGISTRY, exclude_units, undo
from syncops.operations.base import Fact
from syncops.periods import PeriodGrid
from syncops.timeline import ONE_DAY, Adjustment, Difference, Level, Timeline, apply, spans


@dataclass(frozen=True, slots=True)
class GivenUp:
    """Units that a run of an `operation` could not bring about on these days (inclusive): wanted minus shown; and the
    unit price that was wanted there, where it is known.
    """

    start: date
    end: date
    units: int
    operation: int = 0
    price: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Stray:
    """Writes that took effect and whose operation has not succeeded, as where a run was stopped between two of its own.

    `before`: what the line showed before the first of them. `sent`: all our applied writes since; `kept`: those among
    them whose operations succeeded.
    """

    before: Timeline
    sent: tuple[Adjustment, ...]
    kept: tuple[Adjustment, ...] = ()

    def taken_out(self, shown: Timeline) -> Timeline:
        """The line with the prices that it would show without them; those that somebody else has set since stay."""
        first, last = min(one.effective for one in self.sent), self._priced(self.sent)
        without = self._priced(self.kept)

        def level(day: date) -> Level:
            found, ours, then = shown.at(day), last.at(day), without.at(day)
            if day < first:
                return found
            price = then.price if found.price == ours.price else found.price
            return replace(found, price=price, cost=then.cost if found.cost == ours.cost else found.cost)

        days = {*shown.breakpoints, *last.breakpoints, *without.breakpoints}
        return Timeline.from_steps((day, level(day)) for day in sorted(days))

    def not_sent(self, shown: Timeline) -> Timeline:
        """The line as it would be without them, units and all."""
        priced, without = self.taken_out(shown), self._priced(self.kept)

        def level(day: date) -> Level:
            sent, kept = (
                sum(one.unit_change for one in each if one.effective <= day) for each in (self.sent, self.kept)
            )
            found = priced.at(day) if shown.at(day).units else without.at(day)
            return replace(found, units=max(0, shown.at(day).units - sent + kept))

        days = {*priced.breakpoints, *without.breakpoints, *(one.effective for one in self.sent)}
        return Timeline.from_steps((day, level(day)) for day in sorted(days))

    def _priced(self, writes: Sequence[Adjustment]) -> Timeline:
        """What the line showed before, with their prices; units stay, which others may have changed in between."""
        return apply(self.before, [replace(one, unit_change=0) for one in writes])


@dataclass(frozen=True, slots=True)
class Ours:
    """What the line shows because of us: what was taken over when it was adopted, and the applied writes since, in
    sending order; `stray` are those of operations that have not succeeded.
    """

    taken_over: Timeline = field(default_factory=Timeline)
    applied: tuple[Adjustment, ...] = ()
    credited: tuple[GivenUp, ...] = ()
    stray: Stray | None = None

    def units_at(self, day: date) -> int:
        """Units on a day; below zero where we took away what others had added."""
        sent = sum(one.unit_change for one in self.applied if one.effective <= day)
        return self.taken_over.at(day).units + sent + _missing(self.credited, day)

    def within(self, end: date) -> "Ours":
        """Without what was sent for later days: a contract that is ended earlier loses it, whoever ended it."""
        return replace(self, applied=tuple(one for one in self.applied if one.effective <= end))

    @property
    def days(self) -> set[date]:
        return {*self.taken_over.breakpoints, *(one.effective for one in self.applied)} | _edges(self.credited)


def taken_back_by(facts: Iterable[Fact]) -> set[int]:
    """The keys of the facts that undos among these take back. An undo that is taken back itself takes nothing back."""
    undos = [fact for fact in facts if fact.kind == undo.KIND.name]
    found: set[int] = set()
    for fact in sorted(undos, key=lambda fact: fact.key or inf, reverse=True):  # one that is not stored is the youngest
        if fact.key not in found:
            found.add(int(fact.payload[undo.UNDOES]))
    return found


def holding(facts: Iterable[Fact]) -> list[Fact]:
    """The facts without those that were taken back."""
    facts = list(facts)
    taken_back = taken_back_by(facts)
    return [fact for fact in facts if not fact.key or fact.key not in taken_back]


def fold(facts: Iterable[Fact], *, grid: PeriodGrid, base: Timeline | None = None) -> Timeline:
    """The timeline that follows from `base` and the facts alone, oldest first; on one date the last given wins."""
    return unfold(facts, grid=grid, base=base)[0]


def unfold(
    facts: Iterable[Fact], *, grid: PeriodGrid, base: Timeline | None = None, net: bool = True
) -> tuple[Timeline, tuple[Fact, ...]]:
    """The timeline that follows from `base` and the facts that hold, and those in their order, each with the first day
    of the line that it changes. None reaches back before the day on which the subscription was put on the line.
    Units that are left out are taken off at the end, because they are left out of every later change; not where `net`
    is false.
    """
    timeline, begun, found = base or Timeline(), date.min, []
    unpaused = timeline  # without what pauses it
    for fact in sorted(holding(facts), key=lambda fact: fact.effective):
        kind = REGISTRY[fact.kind]
        day = fact.holds_from or max(kind.starts(timeline, fact, grid), begun)
        begun = day if kind.begins_line else begun
        found.append(replace(fact, holds_from=day))
        timeline = _with_units_of(unpaused, timeline, day) if kind.resumes else timeline
        timeline = kind.effect(timeline, found[-1])
        unpaused = unpaused if kind.pauses else kind.effect(unpaused, found[-1])
    return without_excluded(timeline, excluded_by(found)) if net else timeline, tuple(found)


def excluded_by(facts: Iterable[Fact]) -> tuple[tuple[date, int], ...]:
    """How many units are left out, as steps of (first day, units): of what is said twice, what was recorded last holds,
    from its first day on.
    """
    steps: list[tuple[date, int]] = []
    for fact in sorted(facts, key=lambda fact: fact.key or inf):
        own = [
            (max(date.fromisoformat(day), fact.day), int(units))
            for day, units in fact.payload.get(exclude_units.EXCLUDED, ())
        ]
        steps = [step for step in steps if step[0] < own[0][0]] + own if own else steps
    return tuple(steps)


def without_excluded(timeline: Timeline, steps: Sequence[tuple[date, int]]) -> Timeline:
    """The timeline with so many units fewer, never fewer than none; prices as they are."""
    if not steps:
        return timeline

    def level(day: date) -> Level:
        held, out = timeline.at(day), next((units for start, units in reversed(steps) if start <= day), 0)
        return replace(held, units=max(0, held.units - out))

    return Timeline.from_steps((day, level(day)) for day in {*timeline.breakpoints, *(start for start, _ in steps)})


def _with_units_of(other: Timeline, timeline: Timeline, day: date) -> Timeline:
    """From that day on the units of another timeline; prices stay as they are."""
    for since in (day, *(each for each in other.breakpoints if each > day)):
        timeline = timeline.with_units(since, other.at(since).units)
    return timeline


def desired(
    before: Timeline,
    after: Timeline,
    *,
    actual: Timeline,
    ours: Ours,
    given_up: Sequence[GivenUp] = (),
    put_back_from: date | None = None,
    priced_from: date | None = None,
) -> Timeline:
    """What the line should show once a run is done.

    `before` and `after` are the folded facts without and with the run's operations. What others added to the line
    stays, and so does what was given up. Where the run changes no price, the price that the line shows stays:
    somebody may have set it on purpose; but not where a stray write of ours set it. From `put_back_from` on, where it
    is given, the line is put back instead; from `priced_from` on its price alone.
    """
    standing = ours.stray.taken_out(actual) if ours.stray else actual
    days = {*before.breakpoints, *after.breakpoints, *actual.breakpoints, *standing.breakpoints}
    days |= ours.days | _edges(given_up) | {each for each in (put_back_from, priced_from) if each}

    def level(day: date) -> Level:
        old, new, shown = before.at(day), after.at(day), standing.at(day)
        units = max(0, new.units - _missing(given_up, day))
        if put_back_from and day >= put_back_from:
            price = shown.price if new.price is None else new.price
            return Level(units, price, shown.cost if new.cost is None else new.cost)
        if priced_from and day >= priced_from:
            old = replace(old, price=None, cost=None)
        return Level(
            max(0, units + shown.units - ours.units_at(day)),
            new.price if new.price != old.price or shown.price is None else shown.price,
            new.cost if new.cost != old.cost or shown.cost is None else shown.cost,
        )

    return Timeline.from_steps((day, level(day)) for day in sorted(days))


def parted(given_up: Iterable[GivenUp], closed: date | None) -> tuple[list[GivenUp], list[GivenUp]]:
    """What was given up on days up to `closed`, and on later ones."""
    if closed is None:
        return [], list(given_up)
    parts = list(given_up)
    return (
        [replace(part, end=min(part.end, closed)) for part in parts if part.start <= closed],
        [replace(part, start=max(part.start, closed + ONE_DAY)) for part in parts if part.end > closed],
    )


def as_if_billed(actual: Timeline, given_up: Sequence[GivenUp]) -> Timeline:
    """What the line shows, as if all that was given up on these days had been brought about, at the price that was
    wanted there last: whatever changes them now is short of that, and of no more.
    """

    def level(day: date) -> Level:
        shown, parts = actual.at(day), [part for part in given_up if part.start <= day <= part.end]
        price = next((part.price for part in reversed(parts) if part.price is not None), shown.price)
        return replace(shown, units=max(0, shown.units + sum(part.units for part in parts)), price=price)

    return Timeline.from_steps((day, level(day)) for day in {*actual.breakpoints} | _edges(given_up))


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
    """`wanted`, as far as it can be had while the far side takes no adjustment on `day`: that day keeps the step that
    `actual` takes there, on top of what is changed before it, and a price that is set before it holds on it as well.
    """
    eve, others = day - ONE_DAY, [step for step in wanted.steps if step[0] != day]
    later = [] if any(start == day + ONE_DAY for start, _ in others) else [(day + ONE_DAY, wanted.at(day))]
    level = actual.at(day)
    level = replace(level, units=max(0, level.units + wanted.at(eve).units - actual.at(eve).units))
    before = {start for start, _ in (*wanted.steps, *actual.steps) if start < day}
    if any(replace(actual.at(one), units=0) != _priced(wanted.at(one), actual.at(one)) for one in before):
        level = replace(_priced(wanted.at(eve), level), units=level.units)
    return Timeline.from_steps([*others, (day, level), *later])


def _priced(wanted: Level, shown: Level) -> Level:
    """No units, at the price and cost that are wanted; those that are shown where none is managed."""
    price = shown.price if wanted.price is None else wanted.price
    return Level(0, price, shown.cost if wanted.cost is None else wanted.cost)
