"""What a file of many rows may be about. Each kind says which columns it asks for, what a row would do, and does it;
the higher apps add theirs in their AppConfig.ready. Reading, the dry run, progress, pages and reports are the same for
all.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from portal.audit import Actor
from portal.models import ImportRow, SheetImport
from portal.sheet_reading import Column, SheetRow

Effect = ImportRow.Effect
Why = tuple[str, str]  # what is wrong, and what to do about it


@dataclass(frozen=True, slots=True)
class Place:
    """What the rows of a file belong to. `url`: the page that the person came from."""

    id: int
    name: str
    organization_id: int
    url: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """What one row would do, or why it cannot.

    `ours_key`, `theirs_key`: what it lays claim to. `target`: what it would do, in values that JSON keeps; a row does
    the same as before as long as it says the same. `money`: (label, amount, currency) that bills would grow by.
    """

    effect: str
    ours: str = ""
    words: str = ""
    reasons: tuple[Why, ...] = ()
    warnings: tuple[Why, ...] = ()
    ours_key: str = ""
    theirs_key: str = ""
    target: Mapping[str, Any] = field(default_factory=dict)
    money: tuple[tuple[str, Decimal, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Choice:
    """A choice for all rows of a file: its values with their words; the first is the usual one."""

    name: str
    label: str
    values: tuple[tuple[str, str], ...]
    help: str = ""


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of import.

    `place`: what the file belongs to, by the ids of the organization and of the thing itself; None where that
    organization has none. `judge`: what some rows would do, in their order; a worker calls it. `apply`: does what
    a row would do in a transaction of its own, and gives the reasons where it cannot any more; it may be called again
    for a row that is done. It may raise the errors of `portal.far_side`. `audit_name`: of the import's own entry.
    """

    name: str
    title: str
    lead: str
    permission: str
    audit_name: str
    columns: tuple[Column, ...]
    place: Callable[[int, int], Place | None]
    judge: Callable[[SheetImport, Sequence[SheetRow]], Sequence[Verdict]]
    apply: Callable[[SheetImport, ImportRow, Actor, datetime], Sequence[Why]]
    choices: tuple[Choice, ...] = ()


KINDS: dict[str, Kind] = {}


def add_kind(kind: Kind) -> None:
    KINDS[kind.name] = kind


def refused(ours: str, *reasons: Why, **keys: Any) -> Verdict:
    return Verdict(Effect.REFUSE, ours, reasons=reasons, **keys)


Claim = tuple[int, str, str]  # a row's number, and what it lays claim to of ours and of theirs


def contradictions(claims: Iterable[Claim]) -> dict[int, Why]:
    """Rows of one file that cannot all be meant, by their numbers: two say different things of one of ours, or give one
    of theirs to two of ours. None of them counts: nobody guesses. Rows that say the same twice are no contradiction.
    """
    found: dict[int, Why] = {}
    claims = list(claims)
    for mine, other in ((1, 2), (2, 1)):
        groups: defaultdict[Any, list[Claim]] = defaultdict(list)
        for claim in claims:
            if claim[mine]:
                groups[claim[mine]].append(claim)
        for group in groups.values():
            if len({claim[other] for claim in group}) > 1:
                found |= {claim[0]: _against(claim, group, other) for claim in group if claim[0] not in found}
    return found


def _against(claim: Claim, group: Sequence[Claim], other: int) -> Why:
    rows = [str(one[0]) for one in group if one[other] != claim[other]]
    shown = ", ".join(rows[:5]) + (" and others" if len(rows) > 5 else "")
    return (f"The file contradicts itself: see row {shown}.", "Keep the row that is right.")


def repeated(claims: Iterable[Claim]) -> dict[int, int]:
    """Rows that say what an earlier one says, with that one's number."""
    first: dict[tuple[str, str], int] = {}
    return {
        number: first[ours, theirs]
        for number, ours, theirs in claims
        if first.setdefault((ours, theirs), number) != number
    }


def summed(rows: Iterable[Sequence[Sequence[str]]]) -> list[list[str]]:
    """The money of many rows by label and currency, in the order in which the labels came; amounts as text."""
    sums: Counter[tuple[str, str]] = Counter()
    for row in rows:
        for label, amount, currency in row:
            sums[label, currency] += Decimal(amount)  # type: ignore[assignment]
    return [[label, str(amount), currency] for (label, currency), amount in sums.items()]
