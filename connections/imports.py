"""What pages show of importing: how a connection's import stands, and the look at one subscription."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from connections import provider_tasks
from connections.models import Connection, Hint, ProviderCustomer, ProviderImport, Registration
from connections.provider.partner_center.reach import READS
from portal.models import Customer, Subscription

STAGES = {
    "resellers": "reading resellers",
    "associations": "reading whose customers they are",
    "customers": "reading customers",
    "subscriptions": "comparing subscriptions",
}
COUNTED = (
    ("prices", "Prices stored"),
    ("customers_read", "Customers compared"),
    ("subscriptions", "Subscriptions compared"),
    ("new", "New"),
    ("changed", "Changed"),
    ("to look at again", "Looked at again later"),
    ("gone", "No longer shown by Microsoft"),
)


@dataclass(frozen=True, slots=True)
class Running:
    """A running import: what it does, and how many of the customers are through."""

    stage: str
    done: int
    total: int


def import_context(connection: Connection, now: datetime) -> dict[str, Any]:
    """`last` (the latest full import), `held`, `changes` (the latest of audit records), `running`, `next` (a moment, or
    None where it is not read), `counts` (label, number) `registration`
    (or None) and `waiting` hints.
    """
    readings = ProviderImport.objects.filter(connection=connection)
    last = readings.full().first()
    is_read = connection.state in READS and connection.organization.parent_id is None
    return {
        "connection": connection,
        "last": last,
        "held": readings.undecided().first(),
        "changes": readings.of_changes().first(),
        "running": _running(last) if last and last.state == ProviderImport.State.RUNNING else None,
        "next": provider_tasks.next_night(connection, now) if is_read else None,
        "counts": [(label, last.counts[name]) for name, label in COUNTED if last and last.counts.get(name)],
        "registration": Registration.objects.filter(connection=connection).first(),
        "waiting": Hint.objects.waiting().filter(connection=connection).count(),
    }


def _running(row: ProviderImport) -> Running:
    seen = ProviderCustomer.objects.filter(connection=row.connection_id, seen_at=row.started_at).count()
    stage = STAGES.get(str(row.cursor.get("stage", "resellers")), "beginning")
    return Running(stage, row.counts.get("customers_read", 0), seen)


def connection_for(customer: Customer) -> Connection | None:
    """The connection that reads a customer: the one that saw it, else the first of the tenant that is read."""
    of_tenant = Connection.objects.filter(
        organization=customer.organization.root_id, kind=Connection.Kind.PARTNER_CENTER, state__in=READS
    ).select_related("organization")
    seen = ProviderCustomer.objects.filter(external_id=customer.external_id.lower()).values("connection")
    return of_tenant.filter(pk__in=seen).first() or of_tenant.first()


def look_of(subscription: Subscription) -> Hint | None:
    """The latest look that a person asked for at this subscription."""
    hints = Hint.objects.filter(
        source=Hint.Source.PERSON,
        customer_external_id=subscription.customer.external_id.lower(),
        subscription_external_id=subscription.external_id.lower(),
        connection__organization__in=(subscription.organization_id, subscription.organization.root_id),
    )
    return hints.order_by("-pk").first()
