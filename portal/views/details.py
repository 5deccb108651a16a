"""Stored JSON as rows for a page: one row per value, named by its path."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Changed:
    """A value before and after; None where it was not there."""

    name: str
    before: str | None
    after: str | None

    @property
    def differs(self) -> bool:
        return self.before != self.after


def detail_rows(stored: Mapping[str, Any]) -> list[tuple[str, str]]:
    """{"a": {"b": 1}} as [("a › b", "1")], in the stored order."""
    return list(_leaves(stored, ()))


def changed_rows(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[Changed]:
    """Every value of either side, those that differ first."""
    old, new = dict(_leaves(before, ())), dict(_leaves(after, ()))
    rows = [Changed(name, old.get(name), new.get(name)) for name in {**old, **new}]
    return sorted(rows, key=lambda row: not row.differs)


def _leaves(value: Any, path: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    if isinstance(value, Mapping) and value:
        for name, inner in value.items():
            yield from _leaves(inner, (*path, str(name).replace("_", " ")))
    elif isinstance(value, list) and any(isinstance(inner, Mapping | list) for inner in value):
        for number, inner in enumerate(value, start=1):
            yield from _leaves(inner, (*path, str(number)))
    elif path:
        yield " › ".join(path), _words(value)


def _words(value: Any) -> str:
    if value is None or value in ({}, []):
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return ", ".join(_words(inner) for inner in value) if isinstance(value, list) else str(value)
