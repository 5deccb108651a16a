"""A subscription as it was told, never as the product stored it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from portal.models import OfferVariant, Subscription
from tests.histories.oracle import Line


@dataclass(eq=False)
class Sub:
    """What was told of a subscription. `line` bills it now, from `since` on; `rule` is a margin of its own.

    `billed`: lines that billed it before, each with its first day, the day on which it left, and whether it was ended.
    """

    row: Subscription
    quantity: int
    variant: OfferVariant
    list_price: Decimal
    erp: Decimal
    ends_on: date
    promotion: Decimal | None = None
    rule: tuple[str, Decimal] | None = None
    status: str = "active"
    is_azure: bool = False
    is_ours: bool = True
    line: Line | None = None
    since: date = date.min
    left: bool = False
    zeroed: bool = False
    quantities: list[date] = field(default_factory=list)
    billed: list[tuple[Line, date, date, bool]] = field(default_factory=list)

    @property
    def name(self) -> str:
        return self.row.external_id

    def line_on(self, day: date) -> tuple[Line, date] | None:
        """The line that billed it on a day, and that line's first day; of a day before all lines, the one it is on."""
        if self.line is not None and self.since <= day:
            return self.line, self.since
        for line, first, gone, ended in reversed(self.billed):
            if first <= day < gone and (ended or self.line is not None):
                return line, first
        return (self.line, self.since) if self.line is not None else None

    def leaves(self, day: date, *, ended: bool = True) -> None:
        """Its line bills it up to the eve of `day`; it is set to 0 then where it is `ended`, else left alone."""
        assert self.line is not None
        self.billed.append((self.line, self.since, day, ended))
        self.line = None

    def lines_after(self, day: date) -> list[tuple[Line, date]]:
        """The lines that billed it from later days on, each with its first day."""
        found = [(line, first) for line, first, gone, _ in self.billed if day < first < gone]
        return found + ([(self.line, self.since)] if self.line and self.since > day else [])

    def goes_on(self, line: Line, day: date) -> None:
        self.line, self.since = line, day
