"""The calendar of a subscription: terms, billing cycles, and the seven days after a purchase."""

import calendar
from datetime import UTC, date, datetime, time, timedelta

MONTHS = {"P1M": 1, "P1Y": 12, "P3Y": 36}
CYCLE_MONTHS = {"monthly": 1, "annual": 12, "triennial": 36}
WINDOW = timedelta(days=7)
"""Seats and purchases can be given back for so long; renewals and added seats open a window of their own."""


def add_months(day: date, months: int) -> date:
    """The same day of a later (or earlier) month, or that month's last day where it is shorter."""
    index = day.year * 12 + day.month - 1 + months
    year, month = index // 12, index % 12 + 1
    return date(year, month, min(day.day, calendar.monthrange(year, month)[1]))


def term_start(first: date, term: str, day: date) -> date:
    """The first day of the term that covers `day`, of a subscription that began on `first` and always renewed."""
    months, terms = MONTHS[term], 0
    while add_months(first, (terms + 1) * months) <= day:
        terms += 1
    return add_months(first, terms * months)


def term_end(start: date, term: str) -> date:
    """The last day of a term, inclusive."""
    return add_months(start, MONTHS[term]) - timedelta(days=1)


def cycle_end(start: date, cycle: str, day: date) -> date:
    """The last day of the billing month or year that covers `day`, counted from the start of the term."""
    months, count = CYCLE_MONTHS[cycle], 1
    while add_months(start, count * months) <= day:
        count += 1
    return add_months(start, count * months) - timedelta(days=1)


def periods(term: str, cycle: str) -> int:
    """How often a plan is billed during its term: 12 for a year paid monthly, 1 for what is paid once."""
    if term not in MONTHS or cycle not in CYCLE_MONTHS:
        return 1
    return MONTHS[term] // CYCLE_MONTHS[cycle]


def at_midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)


def iso(moment: datetime) -> str:
    """`2026-01-14T16:57:15.096672Z`."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f") + "Z"


def midnight(day: date) -> str:
    """`2027-01-13T00:00:00Z`."""
    return f"{day.isoformat()}T00:00:00Z"


def last_second(day: date) -> str:
    """`2027-01-13T23:59:59Z`."""
    return f"{day.isoformat()}T23:59:59Z"


def moment_of(text: str) -> datetime:
    """The moment that a stored date string names."""
    return datetime.fromisoformat(text)


def day_of(text: str) -> date:
    """The day of a date or a moment; ValueError where it is none."""
    return date.fromisoformat(text[:10])


def is_month_end(day: date) -> bool:
    return (day + timedelta(days=1)).day == 1
