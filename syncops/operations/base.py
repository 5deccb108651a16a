"""What a kind of operation is: a rule from a fact to a change of the line's desired timeline."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

from syncops.timeline import Timeline


@dataclass(frozen=True, slots=True)
class Fact:
    """One operation as the rules see it: its kind, the date it takes effect, and what it carries.

    Money in a payload is text, so that no digit is lost on the way through JSON.
    """

    kind: str
    effective: date
    payload: Mapping[str, Any] = field(default_factory=dict)

    def money(self, name: str) -> Decimal | None:
        value = self.payload.get(name)
        return None if value is None else Decimal(str(value))


@dataclass(frozen=True, slots=True)
class Unsupported:
    """The change has no counterpart in the PSA under the connection's policies: a person acts there by hand."""

    reason: str
    advice: str


@dataclass(frozen=True, slots=True)
class NothingToSend:
    """The change is right as it is: it alters nothing in the PSA."""

    reason: str


Effect = Timeline | Unsupported | NothingToSend


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of operation.

    `audit_name`: the entry's name on screen. `needs`: names of capabilities that the PSA must have.
    `last_wins`: of several on one date that were not sent yet, only the last is.
    `begins_line`: it puts the subscription on a line with its price; the other kinds only change what is there.
    `effect`: the timeline so far and the fact, to the timeline after it.
    """

    name: str
    label: str
    audit_name: str
    effect: Callable[[Timeline, Fact], Effect]
    needs: frozenset[str] = frozenset()
    last_wins: bool = False
    begins_line: bool = False
