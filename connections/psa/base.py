"""The port to a PSA: what every client offers. Errors are those of `portal.far_side`, and nothing else.

A Rejected whose reason changes what a caller does next names it: `connections.psa.errors.why(error)`.
"""

from collections.abc import Iterator, Sequence
from datetime import date
from typing import Protocol

from connections.psa.types import (
    AdjustmentRequest,
    Capabilities,
    Company,
    Contract,
    Line,
    ProbeResult,
    Service,
    UnitRow,
)


class Psa(Protocol):
    """One PSA, reached with the credentials of one connection. Reads may raise Unavailable, Unauthorized or Rejected;
    writes OutcomeUnknown as well, and then nothing else may be written before the outcome is proved."""

    capabilities: Capabilities

    def probe(self) -> Sequence[ProbeResult]:
        """Sign in, and check every right that the product needs, without side effects."""

    def companies(self, *, after_id: int = -1) -> Iterator[Sequence[Company]]:
        """All companies in pages, by ascending id, beginning behind `after_id`."""

    def services(self, *, after_id: int = -1) -> Iterator[Sequence[Service]]:
        """All services in pages, by ascending id."""

    def contracts(self, *, after_id: int = -1) -> Iterator[Sequence[Contract]]:
        """All contracts in pages, by ascending id."""

    def lines(self, *, after_id: int = -1) -> Iterator[Sequence[Line]]:
        """All contract lines in pages, by ascending id."""

    def company(self, company_id: int) -> Company | None:
        """One company as it is now, or None."""

    def service(self, service_id: int) -> Service | None:
        """One service as it is now, or None."""

    def contract(self, contract_id: int) -> Contract | None:
        """One contract as it is now, or None."""

    def lines_of(self, contract_id: int) -> Sequence[Line]:
        """The lines of a contract as they are now."""

    def unit_rows(self, line_ids: Sequence[int], *, since: date | None = None) -> Sequence[UnitRow]:
        """The unit rows of the lines, those that end before `since` left out. Any number of lines; read in chunks."""

    def create_line(self, contract_id: int, service_id: int, *, key: str) -> int | None:
        """Put the service on the contract with 0 units and our key; the new line's id, or None where none was named."""

    def find_lines(self, contract_id: int, service_id: int, *, key: str) -> Sequence[Line]:
        """The lines of this contract and service that carry our key: none, one, or (a fault) more."""

    def adjust(self, request: AdjustmentRequest) -> None:
        """Create one adjustment. Returning means that the PSA accepted it, not that it shows."""
