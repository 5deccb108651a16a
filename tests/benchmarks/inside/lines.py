"""Subscriptions that are mapped to lines already."""

from datetime import date
from decimal import Decimal

from django.db import transaction
from django.utils import timezone

from connections.models import Connection, MirroredContract
from mappings.models import SubscriptionMapping
from portal.folding import folded
from portal.models import Customer, OfferVariant, Organization, Subscription
from syncops.models import Stream, SyncOperation, Write
from syncops.operations import map_subscription
from tests.benchmarks import far_side
from tests.cast import make_variant

STARTED = date.fromisoformat(far_side.STARTED)
PRICE, COST = Decimal("5.0000"), Decimal("4.0000")


def map_lines(count: str) -> int:
    """`count` subscriptions of 10, each on a line of its own whose mapping was proved long ago."""
    connection = Connection.objects.select_related("organization").get()
    variants = [make_variant(connection.organization, f"Plan {n}") for n in range(far_side.LINES_PER_CONTRACT)]
    contracts = list(MirroredContract.objects.order_by("remote_id"))
    with transaction.atomic():
        customers = Customer.objects.bulk_create(_customer(connection, contract) for contract in contracts)
        subscriptions = Subscription.objects.bulk_create(
            _subscription(n, customers[n // far_side.LINES_PER_CONTRACT], variants[n % len(variants)])
            for n in range(int(count))
        )
        mappings = SubscriptionMapping.objects.bulk_create(
            _mapping(n, connection, row, contracts[n // far_side.LINES_PER_CONTRACT])
            for n, row in enumerate(subscriptions)
        )
        streams = Stream.objects.bulk_create(
            Stream(connection=connection, subscription=row, next_sequence=2) for row in subscriptions
        )
        done = SyncOperation.objects.bulk_create(
            _mapped(stream, mapping) for stream, mapping in zip(streams, mappings, strict=True)
        )
        Write.objects.bulk_create(_applied(operation) for operation in done)
    return len(done)


def _customer(connection: Connection, contract: MirroredContract) -> Customer:
    name = f"Customer {contract.company_remote_id}"
    return Customer(
        organization=connection.organization,
        external_id=f"tenant-{contract.company_remote_id}",
        name=name,
        search_text=folded(name),
    )


def _subscription(number: int, customer: Customer, variant: OfferVariant) -> Subscription:
    organization: Organization = customer.organization
    return Subscription(
        organization=organization,
        customer=customer,
        variant=variant,
        external_id=f"SUB-{number}",
        friendly_name=variant.offer.title,
        quantity=far_side.UNITS,
        status=Subscription.Status.ACTIVE,
        currency=organization.currency,
        list_price=COST,
        erp=PRICE,
        created_on=STARTED,
        starts_on=STARTED,
        ends_on=date(2026, 12, 31),
        search_text=variant.search_text,
    )


def _mapping(number: int, connection: Connection, row: Subscription, contract: MirroredContract) -> SubscriptionMapping:
    return SubscriptionMapping(
        connection=connection,
        subscription=row,
        company_id=contract.company_remote_id,
        company_name=row.customer.name,
        service_id=far_side.service_of(number),
        service_name=row.friendly_name,
        contract_id=contract.remote_id,
        contract_name=contract.name,
        line_id=far_side.FIRST_LINE + number,
        line_key=row.external_id,
        starts_on=STARTED,
        created_at=timezone.now(),
    )


def _mapped(stream: Stream, mapping: SubscriptionMapping) -> SyncOperation:
    now = timezone.now()
    return SyncOperation(
        stream=stream,
        sequence=1,
        mapping=mapping,
        organization=stream.subscription.organization,
        connection=stream.connection,
        subscription=stream.subscription,
        kind=map_subscription.KIND.name,
        effective_on=STARTED,
        payload={"units": far_side.UNITS, "price": str(PRICE), "cost": str(COST)},
        state=SyncOperation.State.SUCCEEDED,
        created_at=now,
        started_at=now,
        finished_at=now,
    )


def _applied(operation: SyncOperation) -> Write:
    return Write(
        stream=operation.stream,
        operation=operation,
        kind=Write.Kind.ADJUST,
        state=Write.State.APPLIED,
        contract_id=operation.mapping.contract_id,
        service_id=operation.mapping.service_id,
        line_id=operation.mapping.line_id,
        effective_on=STARTED,
        unit_change=far_side.UNITS,
        price=PRICE,
        cost=COST,
        sent_at=operation.created_at,
        sent_boot=0,
    )
