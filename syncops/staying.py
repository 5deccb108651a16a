"""What Autotask goes on billing when a connection retires, by what was read back last."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from django.db.models import OuterRef, QuerySet, Subquery

from connections.models import Connection, MirroredContract
from mappings.models import SubscriptionMapping
from syncops.models import SyncOperation
from syncops.money import to_minor_unit
from syncops.timeline import Timeline


@dataclass(frozen=True, slots=True)
class Staying:
    """Money per billing period of the contract (monthly, yearly, …) in the connection's currency.

    `unproved`: mapped subscriptions whose line or price was never read back; their money is not in it. `waiting`:
    operations that are not through, and then never are.
    """

    subscriptions: int
    amounts: Mapping[str, Decimal]
    unproved: int
    waiting: int


def staying(connection: Connection, *, today: date) -> Staying:
    """Four queries, whatever the number of mappings."""
    mapped = SubscriptionMapping.objects.open().filter(connection=connection)
    contracts = MirroredContract.objects.filter(connection=connection, remote_id__in=mapped.values("contract_id"))
    periods = dict(contracts.values_list("remote_id", "period"))
    amounts: defaultdict[str, Decimal] = defaultdict(Decimal)
    proved = 0
    for proof, contract_id in _last_proofs(mapped).iterator(chunk_size=500):
        level = Timeline.from_json(proof.get("found", [])).at(today)
        if level.units and level.price is None:
            continue
        proved += 1
        if level.units and level.price:
            amounts[periods.get(contract_id, "")] += to_minor_unit(level.units * level.price, connection.currency)
    count = mapped.count()
    not_through = (*SyncOperation.OPEN, *SyncOperation.NEEDS_A_PERSON)
    waiting = SyncOperation.objects.filter(connection=connection, state__in=not_through).count()
    return Staying(count, dict(amounts), count - proved, waiting)


def _last_proofs(mapped: QuerySet[SubscriptionMapping]) -> QuerySet[SyncOperation, tuple[Any, int]]:
    """(proof, contract) of the operation of each mapping that was proved last."""
    proved = SyncOperation.objects.filter(mapping=OuterRef("pk"), state=SyncOperation.State.SUCCEEDED)
    last = Subquery(proved.order_by("-finished_at", "-pk").values("pk")[:1])
    operations = SyncOperation.objects.filter(pk__in=mapped.annotate(last=last).values("last"))
    return operations.order_by().values_list("proof", "mapping__contract_id")
