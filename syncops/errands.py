"""What a run does on the contract itself: an end that moves out, a charge. Looked for, then written, then looked for.

Both can be read back, so the proof is what the far side holds, and a lost answer is settled by looking.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any, Protocol

from connections.models import MirroredContract
from connections.psa.base import Psa
from connections.psa.types import ChargeRequest, Contract
from portal.far_side import Rejected
from syncops import journal, settling, waiting
from syncops.claim import held
from syncops.clock import Moment
from syncops.jobs import Job
from syncops.models import Write
from syncops.operations import charge_azure_month, charge_shortfall, extend_contract

EXTEND_TO = "extend_to"
CHARGES = (charge_shortfall.KIND.name, charge_azure_month.KIND.name)


class Errand(Protocol):
    """One thing to do on the contract."""

    @property
    def kind(self) -> str:
        """What its write is journaled as."""

    def look(self, psa: Psa) -> Any | None:
        """What the far side holds where it is done already, else None."""

    def send(self, psa: Psa) -> Any:
        """The write."""

    def settle(self, found: Any, moment: Moment, write: Write | None) -> None:
        """It is done, by this `write` or before it. Takes the lease itself."""


def errand_of(job: Job) -> Errand | None:
    """What the job's operations ask of the contract; None for most."""
    if job.operation.kind in CHARGES:
        return ChargeErrand(job, request_of(job.operation.payload))
    ends = [date.fromisoformat(one.payload[EXTEND_TO]) for one in job.operations if EXTEND_TO in one.payload]
    return ExtensionErrand(job, max(ends)) if ends else None


def request_of(payload: Mapping[str, Any]) -> ChargeRequest:
    """The charge that an operation carries."""
    return ChargeRequest(
        contract_id=int(payload["contract_id"]),
        billing_code_id=int(payload["billing_code_id"]),
        name=str(payload["name"]),
        description=str(payload["description"]),
        quantity=Decimal(payload["quantity"]),
        unit_price=Decimal(payload["unit_price"]),
        unit_cost=Decimal(payload["unit_cost"]),
        purchased_on=date.fromisoformat(payload["purchased_on"]),
        key=str(payload["key"]),
    )


@dataclass(frozen=True, slots=True)
class ChargeErrand:
    """One charge on the contract, known by its key."""

    job: Job
    request: ChargeRequest
    kind: str = Write.Kind.CHARGE

    def look(self, psa: Psa) -> dict[str, Any] | None:
        wanted = self.request
        found = psa.find_charges(wanted.contract_id, key=wanted.key)
        if len(found) > 1:
            raise Rejected(
                f"{len(found)} charges of this contract carry the purchase order number {wanted.key}.",
                "In Autotask delete all but one of them, then retry.",
            )
        if not found:
            self._never_again()
            return None
        [charge] = found
        if charge.canceled:
            raise Rejected(
                f"The charge {wanted.key} is canceled in Autotask, so it is never billed.",
                "Dismiss this, and it can be charged anew; or set its status back there, then retry.",
            )
        return {
            "matched": charge.amount == wanted.quantity * wanted.unit_price,
            "charge": {
                "id": charge.id,
                "amount": str(charge.amount),
                "purchased_on": str(charge.purchased_on or ""),
                "billed": charge.billed,
            },
        }

    def _never_again(self) -> None:
        """A charge that was there once and is gone was taken away by somebody: it is not made again."""
        if Write.objects.filter(operation=self.job.operation, kind=self.kind, state=Write.State.APPLIED).exists():
            raise Rejected(
                f"The charge {self.request.key} was made, and it is not on the contract any more.",
                "Somebody deleted it in Autotask. Dismiss this, and it can be charged anew.",
            )

    def send(self, psa: Psa) -> int | None:
        return psa.create_charge(self.request)

    def settle(self, found: dict[str, Any], moment: Moment, write: Write | None) -> None:
        with held(self.job.claim):
            if write is not None:
                journal.settle_write(write, Write.State.APPLIED, moment)
            settling.mended(self.job, found, moment)


@dataclass(frozen=True, slots=True)
class ExtensionErrand:
    """The contract's last day on `end` or later. What waited for that goes on, and so does the run, with its line."""

    job: Job
    end: date
    kind: str = Write.Kind.EXTEND

    def look(self, psa: Psa) -> Contract | None:
        contract = psa.contract(self.job.mapping.contract_id)
        if contract is None:
            raise Rejected(
                f"The contract {self.job.mapping.contract_name} is not in Autotask any more.",
                "Refresh the connection, then map the subscription to another contract.",
            )
        return contract if contract.ends_on >= self.end else None

    def send(self, psa: Psa) -> None:
        psa.extend_contract(self.job.mapping.contract_id, self.end)

    def settle(self, found: Contract, moment: Moment, write: Write | None) -> None:
        job = self.job
        with held(job.claim) as stream:
            if write is not None:
                journal.settle_write(write, Write.State.APPLIED, moment)
                job.unproved = [one for one in job.unproved if one.pk != write.pk]
            mirrored = MirroredContract.objects.filter(connection=job.connection, remote_id=found.id)
            mirrored.update(ends_on=found.ends_on)
            waiting.take_up(stream, found.id, found.ends_on, moment.now)
            if job.operation.kind == extend_contract.KIND.name and not job.mapping.line_id:
                settling.mended(job, {"matched": True, "contract_ends": str(found.ends_on)}, moment)
        job.contract = found
