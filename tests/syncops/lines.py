"""Random lines, and an oracle that knows a line as one dictionary entry per day: nothing of the code under test."""

import os
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from math import floor

from hypothesis import settings
from hypothesis import strategies as st

from syncops.timeline import Adjustment, Level, Term, Timeline

settings.register_profile("laws", max_examples=125, deadline=None, derandomize=True, database=None)
settings.register_profile("laws-thorough", max_examples=3_000, deadline=None, database=None)
PROFILE = settings.get_profile(os.environ.get("LAWS_PROFILE", "laws"))
BRIEF = settings(PROFILE, max_examples=PROFILE.max_examples // 3)  # for what is no law of its own

Day = tuple[int, Decimal | None, Decimal | None]
EMPTY: Day = (0, None, None)
STARTS = [date(2026, 5, 1), date(2026, 5, 15), date(2026, 1, 31), date(2027, 12, 30), date(2028, 2, 29)]


def days(first: date, last: date) -> list[date]:
    return [first + timedelta(n) for n in range((last - first).days + 1)]


def daily(steps: Iterable[tuple[date, Day]], over: list[date]) -> dict[date, Day]:
    """The step function written out; of two steps on one date the last holds."""
    by_date = dict(steps)
    return {day: by_date[max(past)] if (past := [d for d in by_date if d <= day]) else EMPTY for day in over}


@dataclass(frozen=True)
class Line:
    """A contract, what the line holds, what it should hold, and the last closed day."""

    contract: Term
    held_steps: tuple[tuple[date, Day], ...]
    wanted_steps: tuple[tuple[date, Day], ...]
    closed: date | None

    held = property(lambda self: Timeline.from_steps((day, Level(*level)) for day, level in self.held_steps))
    wanted = property(lambda self: Timeline.from_steps((day, Level(*level)) for day, level in self.wanted_steps))
    days = property(lambda self: days(self.contract.start, self.contract.end))
    held_days = property(lambda self: daily(self.held_steps, self.days))
    wanted_days = property(lambda self: daily(self.wanted_steps, self.days))

    def is_open(self, day: date) -> bool:
        return self.closed is None or day > self.closed

    def wanted_on_open_day_before(self, day: date) -> int | None:
        yesterday = day - timedelta(1)
        return self.wanted_days[yesterday][0] if yesterday in self.wanted_days and self.is_open(yesterday) else None

    def replay(self, sent: Iterable[Adjustment]) -> list[dict[date, Day]]:
        """What every day holds before the first adjustment and after each, as Autotask applies them."""
        states = [self.held_days]
        for change in sent:
            after = dict(states[-1])
            for day in (day for day in after if day >= change.effective):
                units, price, cost = after[day]
                after[day] = (
                    units + change.unit_change,
                    price if change.price is None else change.price,
                    cost if change.cost is None else change.cost,
                )
            states.append(after)
        return states

    def with_held(self, state: dict[date, Day]) -> "Line":
        """The line as unit rows would show it: no price where there are no units."""
        read = tuple((day, level if level[0] else EMPTY) for day, level in state.items())
        return Line(self.contract, read, self.wanted_steps, self.closed)


def agrees(found: Day, wanted: Day) -> bool:
    if found[0] != wanted[0]:
        return False
    return wanted[0] == 0 or all(want in (None, have) for want, have in zip(wanted[1:], found[1:], strict=True))


def half_up(value: Fraction, places: int) -> Fraction:
    """Half-up, and away from zero on a tie of negative values."""
    scaled = floor(abs(value) * 10**places + Fraction(1, 2))
    return Fraction(scaled, 10**places) * (1 if value >= 0 else -1)


def period_days(contract: Term, day: date) -> int:
    """Days of the month-long period that a day lies in, by walking from the contract's start."""
    bounds, month = [contract.start], contract.start.replace(day=1)
    while bounds[-1] <= day:
        month = (month + timedelta(32)).replace(day=1)
        last = (month + timedelta(32)).replace(day=1) - timedelta(1)
        bounds.append(min(last, month + timedelta(contract.start.day - 1)))
    return (bounds[-1] - bounds[-2]).days


PRICES = st.sampled_from([Decimal("5"), Decimal("6"), Decimal("7.35")])
COSTS = st.sampled_from([Decimal("3"), Decimal("3"), Decimal("4")])
UNITS = st.sampled_from([2, 3, 4, 1, 0])
HELD = st.tuples(UNITS, PRICES, COSTS)
MANAGED = st.tuples(UNITS, PRICES, COSTS)
LOOSE = st.tuples(UNITS, st.none() | PRICES, st.none() | COSTS)


@st.composite
def lines(draw: st.DrawFn) -> Line:
    """Lines on which dates collide and prices repeat: few dates, few units, two or three prices."""
    start = draw(st.sampled_from(STARTS))
    length = draw(st.sampled_from([5, 12, 40, 70, 1, 0]))
    inside, around = st.integers(0, length), st.integers(-4, length + 6)
    pool = draw(st.lists(inside | inside | around, min_size=min(3, length), max_size=5, unique=True))
    dates = [start + timedelta(n) for n in pool]
    held = [(day, draw(HELD)) for day in dates if draw(st.integers(0, 2)) == 0]
    wanted = list(held) if draw(st.integers(0, 3)) == 0 else []
    wanted += [(day, draw(MANAGED | MANAGED | LOOSE)) for day in dates if draw(st.integers(0, 2))]
    closed = draw(st.sampled_from([None, None, None, -3, 0, 2, 31, length]))
    return Line(
        contract=Term(start, start + timedelta(length)),
        held_steps=tuple((day, level if level[0] else EMPTY) for day, level in held),
        wanted_steps=tuple(wanted),
        closed=None if closed is None else start + timedelta(closed),
    )
