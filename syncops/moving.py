"""A subscription goes on on another line: its units are put there first, and taken from the old one after the proof.

Two operations of one stream, so one worker at a time is at both lines. The second waits for the first to succeed; where
it does not, a person decides, and nothing was taken away.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date

from connections.models import MirroredContract
from connections.psa.types import Company, Contract, Service
from mappings import eligibility
from mappings.actions import map_subscription
from mappings.models import OfferMapping, SubscriptionMapping
from mappings.overrides import override_on
from mappings.resolve import contract_of, facts_of
from portal.audit import Actor
from portal.models import AuditEntry, Subscription, SubscriptionChange
from syncops.actions import locked_stream, mapping_payload, plan_operation
from syncops.models import SyncOperation
from syncops.operations import map_subscription as mapping_kind
from syncops.timeline import ONE_DAY


@dataclass(frozen=True, slots=True)
class Place:
    """Where a subscription goes on: a service of the connection, on a contract of its company."""

    service: Service
    contract: Contract


def place_for(mapping: SubscriptionMapping, subscription: Subscription, day: date) -> Place | str:
    """Where the offer that the subscription has now is billed from `day` on; else why that cannot be told, in words.

    The same contract where its billing period fits, else the company's only one that does.
    """
    offer = OfferMapping.objects.filter(connection=mapping.connection, variant=subscription.variant).first()
    if offer is None:
        return f"The offer {subscription.variant} is not mapped to a service yet."
    facts = replace(facts_of(subscription, mapping.connection, today=day), remapped_on=day)
    contracts = MirroredContract.objects.filter(connection=mapping.connection, company_remote_id=mapping.company_id)
    fitting = [
        contract
        for contract in map(contract_of, contracts)
        if not eligibility.contract_reasons(contract, facts, company=company_of(mapping))
    ]
    same = [contract for contract in fitting if contract.id == mapping.contract_id]
    if not same and len(fitting) != 1:
        return f"{mapping.company_name} has {len(fitting) or 'no'} contracts that it could be billed on."
    contract = (same or fitting)[0]
    held = override_on(mapping.connection, subscription.variant_id, contract.id, day) or offer
    service = Service(held.service_id, held.service_name, "", True, subscription.list_price, None)
    return Place(service, contract)


def plan_move(mapping: SubscriptionMapping, place: Place, change: SubscriptionChange, kind: str, actor: Actor) -> None:
    """Close the mapping, open one at `place`, and plan both operations; inside the transaction that records the change.

    A late change is replayed on the mapping that was valid on its date.
    """
    connection, subscription = mapping.connection, mapping.subscription
    day = max(change.effective_on, mapping.starts_on or change.effective_on)
    locked_stream(connection, subscription)  # before the audit log's end, as everywhere
    mapping.ends_on = last_day_before(mapping, day)
    mapping.save(update_fields=["ends_on"])
    common = {"actor": actor, "correlation_id": change.correlation_id}
    mapped = map_subscription(
        connection=connection,
        subscription=subscription,
        company=company_of(mapping),
        service=place.service,
        contract=place.contract,
        starts_on=day,
        status=AuditEntry.Status.IN_PROGRESS,
        at=change.recorded_at,
        **common,  # type: ignore[arg-type]
    )
    put = plan_operation(
        mapped.mapping,
        mapping_kind.KIND.name,
        effective_on=day,
        payload=mapping_payload(subscription, connection, day),
        now=change.recorded_at,
        audit_began=mapped.entry,
        **common,  # type: ignore[arg-type]
    )
    taken = plan_operation(
        mapping,
        kind,
        effective_on=day,
        payload={"units": 0, "goes_on": f"{place.service.name} on {place.contract.name}"},
        now=change.recorded_at,
        change=change,
        **common,  # type: ignore[arg-type]
    )
    SyncOperation.objects.filter(pk=taken.pk).update(after=put)


def company_of(mapping: SubscriptionMapping) -> Company:
    """The company that a mapping bills."""
    return Company(mapping.company_id, mapping.company_name, "Customer", True, mapping.connection.currency)


def last_day_before(mapping: SubscriptionMapping, day: date) -> date:
    """The last day billed on a mapping that ends on the eve of `day`; never before it began."""
    return max(day - ONE_DAY, mapping.starts_on or day)
