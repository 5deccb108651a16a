"""The port to a PSA: what every client offers. Errors are those of `portal.far_side`, and nothing else.

A Rejected whose reason changes what a caller does next names it: `connections.psa.errors.why(error)`.
"""

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from datetime import date, datetime
from typing import Literal, Protocol

from connections.psa.types import (
    AdjustmentRequest,
    BillingCode,
    Capabilities,
    Charge,
    ChargeRequest,
    Company,
    Contract,
    ContractRequest,
    Line,
    ProbeResult,
    Service,
    ServiceRequest,
    Since,
    UnitRow,
)


class Psa(Protocol):
    """One PSA, reached with the credentials of one connection. Reads may raise Unavailable, Unauthorized or Rejected;
    writes OutcomeUnknown as well, and then nothing else may be written before the outcome is proved."""

    capabilities: Capabilities

    @property
    def as_of(self) -> datetime | None:
        """What the PSA's own clock showed with its first answer to this client; None before, or where it tells none."""

    def dated(self) -> frozenset[str]:
        """Which of companies, services and contracts tell here when they were modified, and can be asked for by it."""

    def probe(self) -> Sequence[ProbeResult]:
        """Sign in, and check every right that the product needs, without side effects."""

    def count_requests(self) -> None:
        """Ask how many requests the far side counts of everybody, and note it in the budget that the client has."""

    def currencies(self) -> Sequence[str]:
        """ISO codes of the currencies that the PSA knows, its base currency first; empty where they may not be read."""

    def companies(self, *, after_id: int = -1, since: Since | None = None) -> Iterator[Sequence[Company]]:
        """All companies, or those that `since` names, in pages, by ascending id, beginning behind `after_id`."""

    def services(self, *, after_id: int = -1, since: Since | None = None) -> Iterator[Sequence[Service]]:
        """All services, or those that `since` names, in pages, by ascending id."""

    def contracts(self, *, after_id: int = -1, since: Since | None = None) -> Iterator[Sequence[Contract]]:
        """All contracts, or those that `since` names, in pages, by ascending id."""

    def lines(self, *, after_id: int = -1, since: Since | None = None) -> Iterator[Sequence[Line]]:
        """All contract lines, or new ones and those of the contracts in `since`, in pages, by ascending id.
        At most 400 contracts at once."""

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

    def next_in_line(self) -> AbstractContextManager[None]:
        """Around an `adjust` that waits until others of this process have ended: it goes as soon as one of them has."""

    def extend_contract(self, contract_id: int, end: date) -> None:
        """Move the contract's last day to `end`, later than it is; its lines go on as they are on their last day."""

    def billing_codes(self, *, of_services: bool = False) -> Sequence[BillingCode]:
        """What charges may be booked as, or services: the active ones, by name."""

    def billing_preferences(self) -> Sequence[str]:
        """How the PSA can bill what a contract brings, in its own words; empty where it has no such choice."""

    def missing_right(self, noun: Literal["service", "contract"]) -> str:
        """Where to give the right to create such a row, in words; empty where it is there."""

    def create_service(self, request: ServiceRequest) -> int | None:
        """Put a service into the catalogue; its id, or None where none was named."""

    def find_services(self, *, note: str) -> Sequence[Service]:
        """The services with exactly this description: none, one, or (a fault) more."""

    def create_contract(self, request: ContractRequest) -> int | None:
        """Make a recurring service contract; its id, or None where none was named."""

    def find_contracts(self, company_id: int, *, number: str) -> Sequence[Contract]:
        """The company's contracts with exactly this number: none, one, or (a fault) more."""

    def create_charge(self, request: ChargeRequest) -> int | None:
        """Put a charge on a contract; its id, or None where none was named."""

    def find_charges(self, contract_id: int, *, key: str) -> Sequence[Charge]:
        """The charges of this contract that carry our key: none, one, or (a fault) more."""
