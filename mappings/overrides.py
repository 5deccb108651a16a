"""Which service bills an offer on one contract, where that is another than the one that the offer is mapped to."""

from __future__ import annotations

from datetime import date

from connections.models import Connection
from mappings.models import ServiceOverride


def override_on(connection: Connection, variant_id: int, contract_id: int, day: date) -> ServiceOverride | None:
    """The one that is in force on a day."""
    here = ServiceOverride.objects.on(day).filter(connection=connection, contract_id=contract_id, variant=variant_id)
    return here.order_by("-pk").first()
