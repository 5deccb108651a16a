"""Operations that stopped, made without a far side: many at once for lists and decisions."""

from datetime import timedelta
from typing import Any

from connections.models import Connection
from mappings.models import SubscriptionMapping
from portal.far_side import Rejected
from syncops import journal
from syncops.models import Stream, SyncOperation
from tests.cast import make_subscription
from tests.syncops.desk import Desk


def an_operation(desk: Desk, **fields: Any) -> SyncOperation:
    """One more operation, of a subscription, a mapping and a stream of its own."""
    row = make_subscription(desk.subscription.customer, desk.subscription.variant)
    connection: Connection = fields.pop("connection", desk.connection)
    mapping = SubscriptionMapping.objects.create(
        connection=connection, subscription=row, company_id=1, service_id=10, contract_id=100,
        contract_name="Microsoft 365 (CSP)", starts_on=desk.today, created_at=desk.clock.now,
    )  # fmt: skip
    defaults = {"kind": "change_quantity", "payload": {"units": 12}, "effective_on": desk.today}
    return SyncOperation.objects.create(
        stream=Stream.objects.create(connection=connection, subscription=row),
        sequence=1,
        mapping=mapping,
        organization=connection.organization,
        connection=connection,
        subscription=row,
        created_at=desk.clock.now,
        **(defaults | fields),
    )


def stop_operations(desk: Desk, count: int, error: Rejected | None = None, **fields: Any) -> list[SyncOperation]:
    """Operations of as many subscriptions that failed, an hour ago, for one reason."""
    error = error or Rejected("The PSA says no.", "Ask a person.", raw="No.")
    made = [an_operation(desk, **fields) for _ in range(count)]
    for operation in made:
        journal.fail(operation, error, kind="rejected", now=desk.clock.now - timedelta(hours=1))
    return made
