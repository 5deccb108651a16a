"""A person moves a subscription to another contract: its units are put there first, and taken from the old line after
the proof, both from one day on.

What was recorded for that day or later and has not been sent goes along. Nothing earlier may be open, and nothing later
may have been sent: the new line begins with what the old one has on that day.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from django.db import transaction
from django.db.models import F

from mappings.actions import AlreadyMapped, hold_mappings, map_subscription
from mappings.models import SubscriptionMapping
from portal.audit import Actor, record
from portal.models import AuditEntry, Subscription
from syncops import journal
from syncops.actions import NotPossible, Refused, locked, locked_stream, plan_operation, take_over
from syncops.models import Stream, SyncOperation
from syncops.move_preview import MoveFacts, MovePreview, carried_over, not_through, preview_move
from syncops.moving import last_day_before
from syncops.operations import end_mapping
from syncops.operations import map_subscription as mapping_kind
from syncops.preview import ChangePreview, MappingChoice
from syncops.waiting import BEYOND_CONTRACT

MOVE = "Move Subscription To Another Contract"
State = SyncOperation.State


def move_mapping(
    mapping: SubscriptionMapping,
    choice: MappingChoice,
    found: MoveFacts,
    *,
    day: date,
    to_zero: bool,
    actor: Actor,
    today: date,
    now: datetime,
) -> SyncOperation:
    """Close the mapping on the eve of `day`, open one on the other contract, and plan what both lines need.

    The same again gives the operation that the first began. Raises Refused or NotPossible; then nothing was written.
    """
    with transaction.atomic():
        subscription = Subscription.objects.select_for_update(of=("self",), no_key=True).get(pk=mapping.subscription_id)
        locked_stream(mapping.connection, subscription)
        hold_mappings(mapping.connection, subscription)
        rows = SubscriptionMapping.objects.open().select_related(
            "connection__organization", "subscription__customer", "subscription__variant__offer"
        )
        row = rows.filter(pk=mapping.pk).first()
        if row is None:
            return _moved_already(mapping, choice)
        seen = preview_move(row, choice, found, day=day, to_zero=to_zero, today=today)
        if not seen.can_be_confirmed:
            _say_no(seen)
        return _move(row, choice, found, seen, to_zero=to_zero, actor=actor, now=now)


def _say_no(seen: MovePreview) -> None:
    if seen.problem:
        raise NotPossible(seen.problem)
    raise Refused(seen.refusals)


def _moved_already(mapping: SubscriptionMapping, choice: MappingChoice) -> SyncOperation:
    begun = SyncOperation.objects.filter(
        kind=mapping_kind.KIND.name,
        subscription=mapping.subscription_id,
        mapping__ends_on__isnull=True,
        mapping__connection_id=choice.connection_id,
        mapping__contract_id=choice.contract_id,
        mapping__pk__gt=mapping.pk,
    ).first()
    if begun is None:
        raise NotPossible("It was moved elsewhere or removed meanwhile. Nothing was changed by this.")
    return begun


def _move(
    old: SubscriptionMapping,
    choice: MappingChoice,
    found: MoveFacts,
    seen: MovePreview,
    *,
    to_zero: bool,
    actor: Actor,
    now: datetime,
) -> SyncOperation:
    there, day = found.there, seen.day
    assert there.company and there.service and there.contract  # noqa: PT018  a preview without refusals saw them
    along = [locked(one) for one in not_through(old)]
    payload = carried_over(old, day)
    old.ends_on = last_day_before(old, day)
    old.save(update_fields=["ends_on"])
    common: dict[str, Any] = {"actor": actor, "correlation_id": uuid.uuid4()}
    try:
        mapped = map_subscription(
            connection=old.connection,
            subscription=old.subscription,
            company=there.company,
            service=there.service,
            contract=there.contract,
            starts_on=day,
            adopt_line_id=choice.adopt_line_id,
            status=AuditEntry.Status.IN_PROGRESS,
            at=now,
            **common,
        )
    except AlreadyMapped as error:
        raise Refused([error.reason]) from error
    _record(old, mapped.mapping, day, to_zero=to_zero, now=now, **common)
    put = plan_operation(
        mapped.mapping,
        mapping_kind.KIND.name,
        effective_on=day,
        payload=payload,
        now=now,
        audit_began=mapped.entry,
        preview=seen.put.as_json() if seen.put else None,
        **common,
    )
    if choice.adopt_line_id is not None:
        take_over(put, choice.adopt_line_id, there, now)
    if seen.taken is not None:
        _plan_leaving(old, put, seen.taken, now=now, **common)
    _take_along(along, mapped.mapping, now)
    return put


def _plan_leaving(
    old: SubscriptionMapping, put: SyncOperation, seen: ChangePreview, *, now: datetime, **common: Any
) -> None:
    taken = plan_operation(
        old,
        end_mapping.KIND.name,
        effective_on=put.effective_on,
        payload={"goes_on": f"{put.mapping.service_name} on {put.mapping.contract_name}"},
        now=now,
        preview=seen.as_json(),
        **common,
    )
    SyncOperation.objects.filter(pk=taken.pk).update(after=put)


def _take_along(operations: Sequence[SyncOperation], mapping: SubscriptionMapping, now: datetime) -> None:
    """What was not sent yet belongs to the new line, behind what begins it. What failed for the end of the old
    contract is tried again; what failed for another reason still waits for a person.
    """
    for one in operations:
        stream = Stream.objects.get(pk=one.stream_id)
        one.mapping, one.sequence = mapping, stream.next_sequence
        one.save(update_fields=["mapping", "sequence"])
        Stream.objects.filter(pk=stream.pk).update(next_sequence=F("next_sequence") + 1, due=now)
        if one.state == State.FAILED and one.error_kind == BEYOND_CONTRACT:
            one.shortfalls.unsettled().delete()
            cleared = dict.fromkeys(("error_kind", "error_group", "error", "advice", "raw_answer"), "")
            journal.move(one, State.QUEUED, attempts=0, **cleared)
            one.audit_began = journal.begin_audit(one, journal.WORKER, now)
            one.save(update_fields=["audit_began"])


def _record(
    old: SubscriptionMapping,
    new: SubscriptionMapping,
    day: date,
    *,
    to_zero: bool,
    now: datetime,
    actor: Actor,
    correlation_id: uuid.UUID,
) -> None:
    record(
        MOVE,
        actor=actor,
        organization=old.connection.organization,
        subject=f"{old.subscription.friendly_name} to {new.contract_name}"[:250],
        subscription=old.subscription,
        connection=old.connection,
        asked={"from": day, "old line": "set to 0" if to_zero else "left as it is"},
        before={"mapping": old.pk, "contract": old.contract_name, "service": old.service_name},
        after={"mapping": new.pk, "contract": new.contract_name, "service": new.service_name},
        correlation_id=correlation_id,
        at=now,
    )
