"""Some seats of a subscription became another subscription's: added to that one's line first, and taken from the old
line after the proof.

Two operations of two streams. The second waits for the first to succeed; where it does not, a person decides, and
nothing was taken away. Both streams are locked in the order of their ids while the two are planned.
"""

from __future__ import annotations

from typing import Any

from mappings.actions import map_subscription
from mappings.models import SubscriptionMapping
from portal.actions.lifecycle import WENT_TO
from portal.audit import Actor
from portal.models import AuditEntry, Subscription, SubscriptionChange
from syncops.actions import locked_stream, mapping_payload, plan_operation
from syncops.models import SyncOperation
from syncops.moving import Place, company_of, place_for
from syncops.operations import map_subscription as mapping_kind
from syncops.operations import receive_upgrade, upgrade

ELSEWHERE = "The upgraded seats are billed on another connection."


def grown_with(change: SubscriptionChange) -> SubscriptionChange:
    """What became of the subscription to which the seats went."""
    changes = SubscriptionChange.objects.filter(correlation_id=change.correlation_id).exclude(pk=change.pk)
    related = ("subscription__customer", "subscription__variant__offer")
    return changes.select_related(*related).get(subscription__external_id=change.after[WENT_TO])


def plan_part_upgrade(
    change: SubscriptionChange,
    grown: SubscriptionChange,
    old: SubscriptionMapping | None,
    new: SubscriptionMapping | None,
    actor: Actor,
) -> None:
    """Plan what both subscriptions need; inside the transaction that records their changes. None: it is not mapped."""
    _lock_streams(grown.subscription, old, new)
    pairs = old is not None and old.connection.policies.upgrade == "pair"
    put, problem = None, ""
    if new is not None:
        put = _add(new, change, grown, old if pairs else None, actor)
    elif old is not None and pairs:
        put, problem = _begin(old, change, grown, actor)
    if old is not None:
        _take(old, change, put, pairs, problem, actor)


def _lock_streams(other: Subscription, old: SubscriptionMapping | None, new: SubscriptionMapping | None) -> None:
    """Hold the streams before the audit log's end, as everywhere; a new one has the highest id."""
    places = [(old.connection, old.subscription), (old.connection, other)] if old else []
    places += [(new.connection, new.subscription)] if new else []
    known = {(connection.pk, subscription.pk): (connection, subscription) for connection, subscription in places}
    for connection, subscription in sorted(known.values(), key=lambda place: _stream_order(*place)):
        locked_stream(connection, subscription)


def _stream_order(connection: Any, subscription: Subscription) -> tuple[bool, int]:
    pk = subscription.streams.filter(connection=connection).values_list("pk", flat=True).first()
    return (pk is None, pk or 0)


def _add(
    new: SubscriptionMapping,
    change: SubscriptionChange,
    grown: SubscriptionChange,
    old: SubscriptionMapping | None,
    actor: Actor,
) -> SyncOperation:
    """More units on the line that the other subscription has; on the first day on which both are billed."""
    days = [change.effective_on, new.starts_on, old.starts_on if old else None]
    return plan_operation(
        new,
        receive_upgrade.KIND.name,
        effective_on=max(day for day in days if day),
        payload={"units": grown.after["quantity"]},
        actor=actor,
        now=change.recorded_at,
        correlation_id=change.correlation_id,
        change=grown,
    )


def _begin(
    old: SubscriptionMapping, change: SubscriptionChange, grown: SubscriptionChange, actor: Actor
) -> tuple[SyncOperation | None, str]:
    """A line for a subscription that this upgrade made, with no more seats than left the other; else why not."""
    other, day = grown.subscription, max(change.effective_on, old.starts_on or change.effective_on)
    moved = change.before["quantity"] - change.after["quantity"]
    if grown.before["quantity"] or grown.after["quantity"] != moved:
        return None, f"{other.friendly_name} is not mapped, and has other seats than those that were upgraded."
    place = place_for(old, other, day)
    if not isinstance(place, Place):
        return None, place
    common: dict[str, Any] = {"actor": actor, "correlation_id": change.correlation_id}
    mapped = map_subscription(
        connection=old.connection,
        subscription=other,
        company=company_of(old),
        service=place.service,
        contract=place.contract,
        starts_on=day,
        status=AuditEntry.Status.IN_PROGRESS,
        at=change.recorded_at,
        **common,
    )
    put = plan_operation(
        mapped.mapping,
        mapping_kind.KIND.name,
        effective_on=day,
        payload=mapping_payload(other, old.connection, day),
        now=change.recorded_at,
        change=grown,
        audit_began=mapped.entry,
        **common,
    )
    return put, ""


def _take(
    old: SubscriptionMapping,
    change: SubscriptionChange,
    put: SyncOperation | None,
    pairs: bool,
    problem: str,
    actor: Actor,
) -> None:
    """Fewer units on the old line, after the proof of the others; a person's work where there is no such proof."""
    here = put is not None and put.connection_id == old.connection_id
    where = f"{put.mapping.service_name} on {put.mapping.contract_name}" if put and here else ""
    payload: dict[str, Any] = {"units": change.after["quantity"], "leaves": False}
    if pairs and here:
        payload["goes_on"] = where
    elif put is not None:
        payload |= {"added_to": where or "their line", "problem": ELSEWHERE if pairs else ""}
    else:
        payload["problem"] = problem
    earliest = max(change.effective_on, old.starts_on or change.effective_on)
    taken = plan_operation(
        old,
        upgrade.KIND.name,
        effective_on=put.effective_on if put and pairs and here else earliest,
        payload=payload,
        actor=actor,
        now=change.recorded_at,
        correlation_id=change.correlation_id,
        change=change,
    )
    if "goes_on" in payload:
        SyncOperation.objects.filter(pk=taken.pk).update(after=put)
