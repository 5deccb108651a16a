"""One subscription as the stand-in holds it: the public document, and what the service knows besides.

A value: rules return a new one. What a reader sees is `shown(now)`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from . import documents, terms

Document = dict[str, Any]

FINAL = ("expired", "disabled", "deleted")


@dataclass(frozen=True, slots=True)
class Pending:
    """A change that was accepted and is not visible yet."""

    due: datetime
    document: Document
    batches: tuple[tuple[int, datetime], ...]


@dataclass(frozen=True, slots=True)
class Subscription:
    """`batches`: seats with the moment until which they may be given back. `activates`: when provisioning is done.

    `visible`: before that nobody finds it. `updates` counts changes, of which the service allows about 1,200.
    """

    customer_id: str
    document: Document
    batches: tuple[tuple[int, datetime], ...] = ()
    visible: datetime | None = None
    activates: datetime | None = None
    pending: Pending | None = None
    updates: int = 0

    @property
    def id(self) -> str:
        return str(self.document["id"])

    @property
    def status(self) -> str:
        return str(self.document["status"])

    @property
    def kind(self) -> str:
        """`legacy`, or the id of its product type."""
        return str(self.document["productType"]["id"]) if "productType" in self.document else "legacy"

    @property
    def is_licence(self) -> bool:
        return self.kind == documents.LICENCE

    @property
    def quantity(self) -> int:
        return int(self.document["quantity"])

    def changed(self, **fields: Any) -> "Subscription":
        """With some fields of the document replaced; None removes a field."""
        document = {name: value for name, value in (self.document | fields).items() if value is not None}
        return replace(self, document=document)

    def refundable_seats(self, now: datetime) -> int:
        return sum(quantity for quantity, until in self.batches if until > now)

    def shown(self, now: datetime) -> Document:
        """The document as answered: refundable seats are null while suspended, absent where none are left."""
        document = dict(self.document)
        if self.status == "suspended" and self.is_licence:
            document["refundableQuantity"] = None
        elif self.status not in FINAL and (left := documents.refundable(self.batches, now)):
            document["refundableQuantity"] = left
        return document

    def as_json(self) -> Document:
        return {
            "customer_id": self.customer_id,
            "document": self.document,
            "batches": _batches_as_json(self.batches),
            "visible": self.visible and terms.iso(self.visible),
            "activates": self.activates and terms.iso(self.activates),
            "pending": self.pending
            and {
                "due": terms.iso(self.pending.due),
                "document": self.pending.document,
                "batches": _batches_as_json(self.pending.batches),
            },
            "updates": self.updates,
        }


def from_json(stored: Mapping[str, Any]) -> Subscription:
    pending = stored["pending"]
    return Subscription(
        customer_id=stored["customer_id"],
        document=stored["document"],
        batches=_batches(stored["batches"]),
        visible=stored["visible"] and terms.moment_of(stored["visible"]),
        activates=stored["activates"] and terms.moment_of(stored["activates"]),
        pending=pending and Pending(terms.moment_of(pending["due"]), pending["document"], _batches(pending["batches"])),
        updates=stored["updates"],
    )


def from_document(customer_id: str, document: Mapping[str, Any]) -> Subscription:
    """A subscription that was bought before the ledger began: its batches are those it shows."""
    details = (document.get("refundableQuantity") or {}).get("details", ())
    return Subscription(
        customer_id=customer_id,
        document={name: value for name, value in document.items() if name != "refundableQuantity"},
        batches=tuple((each["quantity"], terms.moment_of(each["allowedUntilDateTime"])) for each in details),
    )


def _batches(stored: list[Any]) -> tuple[tuple[int, datetime], ...]:
    return tuple((quantity, terms.moment_of(until)) for quantity, until in stored)


def _batches_as_json(batches: tuple[tuple[int, datetime], ...]) -> list[list[Any]]:
    return [[quantity, terms.iso(until)] for quantity, until in batches]
