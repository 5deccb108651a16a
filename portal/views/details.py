"""Stored JSON for a page: one row per value, named by its path, and a table for every list of like things."""

import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.utils import timezone

from portal.templatetags.portal import NO_VALUE as NOTHING
from portal.templatetags.portal import day

DAY = re.compile(r"\d{4}-\d\d-\d\d(?P<time>T[\d:.]+\+00:00)?")


@dataclass(frozen=True, slots=True)
class Changed:
    """A value before and after; None where it was not there."""

    name: str
    before: str | None
    after: str | None

    @property
    def differs(self) -> bool:
        return self.before != self.after


@dataclass(frozen=True, slots=True)
class Table:
    """A list of like things: what the list is called, and each one's names and values; all have the same names."""

    name: str
    rows: tuple[tuple[tuple[str, str], ...], ...]


@dataclass(frozen=True, slots=True)
class Details:
    """{"a": {"b": 1}, "c": [{"d": 2}]} has the row ("a › b", "1") and a table "c". In the stored order."""

    rows: tuple[tuple[str, str], ...]
    tables: tuple[Table, ...]

    @classmethod
    def of(cls, stored: Mapping[str, Any]) -> "Details":
        leaves = list(_leaves(stored, (), tables=True))
        rows = tuple((name, value) for name, value in leaves if isinstance(value, str))
        return cls(rows, tuple(value for _, value in leaves if isinstance(value, Table)))

    def __bool__(self) -> bool:
        return bool(self.rows or self.tables)


def changed_rows(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[Changed]:
    """Every value of either side, those that differ first."""
    old, new = _present(before), _present(after)
    rows = [Changed(name, old.get(name), new.get(name)) for name in {**old, **new}]
    return sorted(rows, key=lambda row: not row.differs)


def _present(stored: Mapping[str, Any]) -> dict[str, str]:
    return {name: str(value) for name, value in _leaves(stored, ()) if value != NOTHING}


def _leaves(value: Any, path: tuple[str, ...], *, tables: bool = False) -> Iterator[tuple[str, str | Table]]:
    if isinstance(value, Mapping) and value:
        for name, inner in value.items():
            yield from _leaves(inner, (*path, _name(name)), tables=tables)
    elif tables and (columns := _shared_names(value)):
        rows = tuple(tuple((_name(name), _words(row[name])) for name in columns) for row in value)
        yield " › ".join(path), Table(" › ".join(path), rows)
    elif isinstance(value, list) and any(isinstance(inner, Mapping | list) for inner in value):
        for number, inner in enumerate(value, start=1):
            yield from _leaves(inner, (*path, str(number)), tables=tables)
    elif path:
        yield " › ".join(path), _words(value)


def _shared_names(value: Any) -> tuple[str, ...]:
    """The names that all things of a list have, and nothing inside them; empty where that is not so."""
    if not isinstance(value, list) or not value or not all(isinstance(row, Mapping) for row in value):
        return ()
    flat = all(not isinstance(inner, Mapping | list) for row in value for inner in row.values())
    return tuple(value[0]) if flat and all(row.keys() == value[0].keys() for row in value) else ()


def _name(name: Any) -> str:
    return str(name).replace("_", " ")


def _words(value: Any) -> str:
    if value is None or value in ({}, []):
        return NOTHING
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, str) and (found := DAY.fullmatch(value)):
        with suppress(ValueError):  # the 31st of a short month is no date, whatever it is
            return _moment(value) if found["time"] else day(date.fromisoformat(value))
    return ", ".join(_words(inner) for inner in value) if isinstance(value, list) else str(value)


def _moment(value: str) -> str:
    """A moment to the second, in the person's time zone."""
    local = timezone.localtime(datetime.fromisoformat(value))
    return f"{day(local.date())}, {local:%H:%M:%S}"
