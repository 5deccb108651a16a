"""What the PSA says about a renewed contract, read once for many of its subscriptions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.utils import timezone

from connections.models import Connection, MirroredCompany, MirroredService
from connections.psa.base import Psa
from connections.psa.types import Contract, Line, UnitRow
from mappings.models import CustomerMapping, OfferMapping, SubscriptionMapping
from mappings.overrides import override_on
from mappings.resolve import company_of, service_of
from syncops.models import Succession
from syncops.move_preview import MoveFacts
from syncops.preview import Facts, MappingChoice


@dataclass(frozen=True, slots=True)
class Renewal:
    """Both contracts with the lines of the new one, and the unit rows of the lines that matter. None: not there."""

    connection: Connection
    old: Contract | None
    new: Contract | None
    lines: tuple[Line, ...]
    rows: tuple[UnitRow, ...]

    def facts_for(self, mapping: SubscriptionMapping, choice: MappingChoice) -> MoveFacts:
        """The part of it that one subscription's move needs; company and service as the mirror has them."""
        here = {"connection": self.connection}
        company = MirroredCompany.objects.filter(**here, remote_id=choice.company_id).first()
        service = MirroredService.objects.filter(**here, remote_id=choice.service_id).first()
        lines = tuple(line for line in self.lines if line.service_id == choice.service_id)
        named = {line.id for line in lines}
        there = Facts(
            company=company_of(company) if company else None,
            service=service_of(service) if service else None,
            contract=self.new,
            lines=lines,
            rows=tuple(row for row in self.rows if row.line_id in named),
        )
        return MoveFacts(there, self.old, tuple(row for row in self.rows if row.line_id == mapping.line_id))


def read_renewal(row: Succession, mappings: Sequence[SubscriptionMapping], psa: Psa) -> Renewal:
    """At most four reads and one per 500 lines. Raises the errors of `portal.far_side`."""
    new, old = psa.contract(row.new_contract_id), psa.contract(row.old_contract_id)
    lines = tuple(psa.lines_of(row.new_contract_id)) if new else ()
    wanted = {line.id for line in lines} | {one.line_id for one in mappings if one.line_id}
    rows = tuple(psa.unit_rows(sorted(wanted))) if wanted else ()
    return Renewal(row.connection, old, new, lines, rows)


def choice_for(mapping: SubscriptionMapping, contract_id: int, **line: Any) -> MappingChoice | str:
    """Where a subscription goes on by what its customer and offer are mapped to now; or why it cannot be told."""
    here = {"connection": mapping.connection}
    customer = CustomerMapping.objects.filter(**here, customer=mapping.subscription.customer_id).first()
    offer = OfferMapping.objects.filter(**here, variant=mapping.subscription.variant_id).first()
    if customer is None or offer is None:
        what = "customer is not mapped to a company" if customer is None else "offer is not mapped to a service"
        return f"Its {what} any more. Map that first."
    today = timezone.localdate(timezone=mapping.connection.organization.zone)
    return MappingChoice(
        connection_id=mapping.connection_id,
        subscription_id=mapping.subscription_id,
        company_id=customer.company_id,
        service_id=(override_on(mapping.connection, offer.variant_id, contract_id, today) or offer).service_id,
        contract_id=contract_id,
        **line,
    )
