"""What a kind of operation is: a rule from a fact to a change of the line's desired timeline."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

from connections.policies import Policies
from syncops.periods import PeriodGrid
from syncops.timeline import Timeline


@dataclass(frozen=True, slots=True)
class Fact:
    """One operation as the rules see it: its kind, the date it takes effect, and what it carries.

    `policies` are those of the connection when the change was recorded: what was decided once stays decided. `day` is
    the first day of the line that the fact changes, known once `Kind.starts` was asked; the date it takes effect else.
    `key` is the operation's id, 0 where it is not stored. Money in a payload is text, so that no digit is lost on the
    way through JSON.
    """

    kind: str
    effective: date
    payload: Mapping[str, Any] = field(default_factory=dict)
    policies: Policies = field(default_factory=Policies)
    holds_from: date | None = None
    key: int = 0

    @property
    def day(self) -> date:
        return self.holds_from or self.effective

    def money(self, name: str) -> Decimal | None:
        value = self.payload.get(name)
        return None if value is None else Decimal(str(value))


@dataclass(frozen=True, slots=True)
class Place:
    """Where a subscription is billed, in the words that a person finds it by in the PSA."""

    contract: str
    service: str

    def __str__(self) -> str:
        return f"{self.service} on the contract {self.contract}"


@dataclass(frozen=True, slots=True)
class Unsupported:
    """The change has no counterpart in the PSA under the connection's policies: a person acts there by hand."""

    reason: str
    advice: str


@dataclass(frozen=True, slots=True)
class NothingToSend:
    """The change is right as it is: it alters nothing in the PSA. The advice warns of what stays as it is."""

    reason: str
    advice: str = ""


Refusal = Unsupported | NothingToSend


def on_its_date(timeline: Timeline, fact: Fact, grid: PeriodGrid) -> date:
    """The line changes on the date on which the change took effect."""
    return fact.effective


def next_period(timeline: Timeline, fact: Fact, grid: PeriodGrid) -> date:
    """The line changes with the billing period after the one in which the change took effect."""
    return grid.start_after(fact.effective)


def never(fact: Fact, place: Place) -> Refusal | None:
    """The change always has a counterpart in the PSA."""
    return None


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of operation.

    `audit_name`: the entry's name on screen. `needs`: names of capabilities that the PSA must have.
    `effect`: the timeline so far and the fact, to the timeline after it; from `fact.day` on.
    `starts`: the first day of the line that the fact changes; `reaches_back` where that may lie before its own date.
    `refuses`: why nothing is sent, asked when the change is recorded; no effect is asked for then.
    `policies`: names of the connection's policies that decide about it.
    `last_wins`: of several on one date that were not sent yet, only the last is.
    `begins_line`: it puts the subscription on a line with its price; the other kinds only change what is there.
    `alone`: it never shares a run with other operations of its date.
    `beside_line`: it can be done where no line was begun: it writes to the contract.
    `insists`: from its day on the line has the price that follows from the facts, also where somebody set another one.
    `pauses`: it takes units away that a kind which `resumes` brings back: what all other facts say holds again then.
    """

    name: str
    label: str
    audit_name: str
    effect: Callable[[Timeline, Fact], Timeline]
    starts: Callable[[Timeline, Fact, PeriodGrid], date] = on_its_date
    refuses: Callable[[Fact, Place], Refusal | None] = never
    policies: frozenset[str] = frozenset()
    needs: frozenset[str] = frozenset()
    reaches_back: bool = False
    last_wins: bool = False
    begins_line: bool = False
    alone: bool = False
    beside_line: bool = False
    insists: bool = False
    pauses: bool = False
    resumes: bool = False
