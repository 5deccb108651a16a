"""A contract that was renewed in Autotask: found in the mirror, proposed once, and all its subscriptions moved to the
contract after it, in the background.

The renewal has copied the lines with their units, so each subscription takes over a line; a choice that is not certain
is left to a person.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import date, datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.utils import timezone

from connections.actions import mark_unauthorized
from connections.models import Connection, MirroredContract
from connections.psa.base import Psa
from connections.registry import psa_for
from mappings.models import SubscriptionMapping
from portal import leases
from portal.audit import Actor, record
from portal.far_side import FarSideError, Unauthorized
from portal.models import User
from portal.queue import enqueue
from syncops.actions import NotPossible, Refused
from syncops.models import Succession
from syncops.move_preview import MoveFacts, MovePreview, carried_over, own_keys, preview_move, without_left_out
from syncops.preview import ExistingLine, MappingChoice
from syncops.remapping import move_mapping
from syncops.succession_facts import Renewal, choice_for, read_renewal

RUN_TASK = "syncops.mapping_tasks.run_succession"
ACCEPT, REJECT = "Move Subscriptions To Renewed Contract", "Reject Renewed Contract"
BUDGET_S = 60.0
BATCH = 20
KEPT_PROBLEMS = 200
State = Succession.State


def find_successions(now: datetime) -> int:
    """Propose what the mirrors show and nobody has been asked about yet; how many. A renewal names the other contract
    on either of the two: the newer one is the one that starts later.
    """
    found = 0
    for old, new in _renewals():
        where = {"connection_id": old.connection_id, "old_contract_id": old.remote_id, "new_contract_id": new.remote_id}
        names = {"old_contract_name": old.name, "new_contract_name": new.name, "day": new.starts_on, "found_at": now}
        found += Succession.objects.get_or_create(**where, defaults=names)[1]
    return found


def _renewals() -> Iterator[tuple[MirroredContract, MirroredContract]]:
    """Pairs of a contract that subscriptions are billed on, and the one that it was renewed as."""
    connection = Q(connection__state__in=Connection.TAKES_WORK)
    rows = list(MirroredContract.objects.filter(connection, renewed_contract_id__isnull=False))
    for row in rows:
        here = MirroredContract.objects.filter(connection=row.connection_id, company_remote_id=row.company_remote_id)
        other = here.filter(remote_id=row.renewed_contract_id or -1).first()
        if other is None:
            continue
        old, new = sorted((row, other), key=lambda one: (one.starts_on, one.remote_id))
        fits = new.starts_on > old.starts_on and new.period == old.period and new.is_active
        if fits and mappings_on(row.connection_id, old.remote_id).exists():
            yield old, new


def mappings_on(connection_id: int, contract_id: int) -> QuerySet[SubscriptionMapping]:
    """The subscriptions that are billed on a contract, in the order in which they are moved."""
    rows = SubscriptionMapping.objects.open().filter(connection=connection_id, contract_id=contract_id)
    return rows.order_by("pk").select_related(
        "connection__organization",
        "subscription__customer",
        "subscription__variant__offer",
        "subscription__organization",
        "subscription__promotion",
    )


def waiting(user: Any) -> QuerySet[Succession]:
    """What waits for a person: proposals, and those that stopped or left a subscription where it was."""
    here = SubscriptionMapping.objects.open().filter(
        connection=OuterRef("connection"), contract_id=OuterRef("old_contract_id")
    )
    rows = Succession.objects.for_user(user).filter(Exists(here), state__in=Succession.NEEDS_A_PERSON)
    return rows.select_related("connection")


def accept_succession(row: Succession, *, actor: User, now: datetime) -> Succession:
    """Move all its subscriptions, on the day from which the new contract bills. The same again changes nothing.

    Raises NotPossible where it was rejected meanwhile.
    """
    today = now.astimezone(row.connection.organization.zone).date()
    starts = now if row.day <= today else _midnight(row, row.day)
    return _decide(row, State.ACCEPTED, ACCEPT, actor=actor, now=now, due_at=starts)


def reject_succession(row: Succession, *, actor: User, now: datetime) -> Succession:
    """Leave its subscriptions where they are, for good. Raises NotPossible where it was accepted meanwhile."""
    return _decide(row, State.REJECTED, REJECT, actor=actor, now=now, due_at=None)


def _decide(
    row: Succession, state: str, name: str, *, actor: User, now: datetime, due_at: datetime | None
) -> Succession:
    with transaction.atomic():
        held = Succession.objects.select_for_update(of=("self",), no_key=True)
        row = held.select_related("connection__organization").get(pk=row.pk)
        left = mappings_on(row.connection_id, row.old_contract_id).count()
        again = state == State.ACCEPTED and (row.state == State.STOPPED or (row.state == State.DONE and left))
        taken_back = state == State.REJECTED and row.can_be_taken_back
        if row.state != State.PROPOSED and not again and not taken_back:
            if row.state == state or (state == State.ACCEPTED and row.state == State.DONE):
                return row
            raise NotPossible(f"It is {row.get_state_display().lower()} already. Nothing was changed by this.")
        row.total = left
        row.state, row.decided_by, row.decided_at, row.due_at = state, actor, now, due_at
        row.cursor = row.attempts = row.moved = row.refused = 0
        row.problems, row.message, row.finished_at = [], "", None
        row.save()
        record(
            name,
            actor=Actor.user(actor),
            organization=row.connection.organization,
            subject=str(row)[:250],
            connection=row.connection,
            asked={"from": row.old_contract_id, "to": row.new_contract_id, "day": row.day, "subscriptions": row.total},
            at=now,
        )
        if due_at is not None and due_at <= now:
            enqueue(RUN_TASK, row.pk)
    return row


def _midnight(row: Succession, day: date) -> datetime:
    return datetime.combine(day, datetime.min.time(), tzinfo=row.connection.organization.zone)


def run_succession(
    succession_id: int,
    *,
    clock: Callable[[], datetime],
    budget_s: float = BUDGET_S,
    psa: Callable[..., Psa] = psa_for,
) -> Succession:
    """Go on for at most `budget_s`; what was not through then, or found the PSA away, goes on later."""
    now = clock()
    claimed = leases.claim(Succession.objects.accepted(), succession_id, now)
    row = Succession.objects.select_related("connection__organization", "decided_by").get(pk=succession_id)
    if not claimed:
        return row
    try:
        if leases.exhausted(row.attempts):
            raise NotPossible("Workers ended under it again and again. Look at the worker's log, then go on.")
        _go_on(row, psa, clock, now + timedelta(seconds=budget_s))
    except Unauthorized as error:
        mark_unauthorized(row.connection, error, now=clock())
        leases.settle(row, state=State.STOPPED, message=str(error), finished_at=clock(), due_at=None)
    except NotPossible as error:  # raised here alone: what stands against one subscription is noted with it
        leases.settle(row, state=State.STOPPED, message=str(error), finished_at=clock(), due_at=None)
    except FarSideError as error:
        again = leases.try_after(error, row.attempts, clock())
        ended: dict[str, Any] = {} if again else {"state": State.STOPPED, "finished_at": clock()}
        leases.settle(row, due_at=again, message=str(error), **ended)
    row.refresh_from_db()
    return row


def _go_on(row: Succession, psa: Callable[..., Psa], clock: Callable[[], datetime], until: datetime) -> None:
    today = timezone.localdate(clock(), timezone=row.connection.organization.zone)
    while batch := list(mappings_on(row.connection_id, row.old_contract_id).filter(pk__gt=row.cursor)[:BATCH]):
        renewal = read_renewal(row, batch, psa(row.connection, bulk=True))
        for mapping in batch:
            problem = _move(row, mapping, renewal, today=today, now=clock())
            if not _note(row, mapping, problem, clock()):
                return  # somebody else has it now
        if clock() >= until:
            leases.settle(row, due_at=clock())
            enqueue(RUN_TASK, row.pk)
            return
    leases.settle(row, state=State.DONE, message="", finished_at=clock(), due_at=None)


def _move(row: Succession, mapping: SubscriptionMapping, renewal: Renewal, *, today: date, now: datetime) -> str:
    """Move one; why it was not, in words, empty where it was."""
    actor = Actor.user(row.decided_by) if row.decided_by else Actor.system("renewal")
    judged = judge(row, mapping, renewal, today=today)
    if isinstance(judged, str):
        return judged
    choice, found, seen = judged
    try:
        move_mapping(mapping, choice, found, day=seen.day, to_zero=True, actor=actor, today=today, now=now)
    except (NotPossible, Refused) as error:
        return str(error)
    return ""


def judge(
    row: Succession, mapping: SubscriptionMapping, renewal: Renewal, *, today: date
) -> tuple[MappingChoice, MoveFacts, MovePreview] | str:
    """How a subscription would be moved, with both lines in money; or why it cannot be without a person, in words."""
    day = max(row.day, mapping.starts_on or row.day)
    choice = choice_for(mapping, row.new_contract_id)
    if isinstance(choice, str):
        return choice
    found = renewal.facts_for(mapping, choice)
    how: dict[str, Any] = {"day": day, "to_zero": True, "today": max(today, day)}
    seen = preview_move(mapping, choice, found, **how)
    if seen.needs_line_choice:
        line = line_for(mapping, seen.existing_lines, units=without_left_out(carried_over(mapping, day), day))
        if line is None:
            count = len(seen.existing_lines)
            return f"{row.new_contract_name} holds {count} lines that it could be. Move it on its own page."
        choice = choice_for(mapping, row.new_contract_id, adopt_line_id=line.line_id)
        assert isinstance(choice, MappingChoice)
        seen = preview_move(mapping, choice, found, **how)
    if not seen.can_be_confirmed:
        return seen.problem or " ".join(map(str, seen.refusals)) or "It is not certain which line it takes over."
    return choice, found, seen


def line_for(mapping: SubscriptionMapping, lines: Sequence[ExistingLine], *, units: int) -> ExistingLine | None:
    """The line that was made for it in the renewal: the one with its key; else the only one, where no other
    subscription of the service waits for it; else one with the units that the old line has, all of one price. None
    where that is not certain.
    """
    keyed = [line for line in lines if line.key in own_keys(mapping)]
    if keyed:
        return keyed[0] if len(keyed) == 1 else None
    free = [line for line in lines if not line.key]
    here = mappings_on(mapping.connection_id, mapping.contract_id)
    alone = not here.filter(service_id=mapping.service_id).exclude(pk=mapping.pk).exists()
    if len(free) == 1 and alone:
        return free[0]
    same = [line for line in free if line.units == units]
    return same[0] if same and len({line.unit_price for line in same}) == 1 else None


def _note(row: Succession, mapping: SubscriptionMapping, problem: str, now: datetime) -> bool:
    """Write how far it came and hold it for longer; False where another worker has it."""
    row.cursor = mapping.pk
    if problem:
        row.problems = [*row.problems, [str(mapping.subscription), problem]][:KEPT_PROBLEMS]
    counts = {"refused": F("refused") + 1} if problem else {"moved": F("moved") + 1}
    until = now + timedelta(seconds=settings.EXECUTOR["lease_s"])
    held = Succession.objects.accepted().filter(pk=row.pk, fence=row.fence)
    values = {"cursor": row.cursor, "problems": row.problems, "lease_until": until, "attempts": 0, "message": ""}
    return held.update(**values, **counts) == 1
