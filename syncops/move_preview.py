"""What moving a subscription to another contract would send to both lines and bill on them, before anything is sent."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from connections.models import MirroredContract
from connections.psa.base import Psa
from connections.psa.types import Contract, UnitRow
from mappings import resolve
from mappings.models import SubscriptionMapping
from mappings.reasons import Reason
from portal.actions.prices import USAGE_BASED
from syncops import journal, plans
from syncops.actions import mapping_payload
from syncops.azure.leaving import why_not_leave
from syncops.changes import Ours, excluded_by, unfold
from syncops.ending import changed_after
from syncops.lines import actual_of, rows_of, term_of
from syncops.models import Stream, SyncOperation, Write
from syncops.operations import end_mapping
from syncops.operations import map_subscription as mapping_kind
from syncops.operations.base import Fact
from syncops.operations.exclude_units import EXCLUDED
from syncops.periods import PeriodGrid
from syncops.planning import Planned, history_of, plan_line
from syncops.preview import (
    ChangePreview,
    ExistingLine,
    Facts,
    MappingChoice,
    adjustments_of,
    bills_of,
    existing_lines,
    line_refusal,
    read_facts,
    shortfalls_of,
)

State = SyncOperation.State
GOES_ALONG = (State.PLANNED, State.QUEUED, State.FAILED, State.HELD)
NOTHING_SENT = (Write.State.REJECTED, Write.State.NOT_SENT, Write.State.NOT_APPLIED)
STAYS_BEHIND = ("charge_shortfall", "extend_contract", "end_mapping", "undo")  # they are about the old contract


@dataclass(frozen=True, slots=True)
class MoveFacts:
    """What the PSA says now: about the new place, and about the line that is left. None: it is not known there."""

    there: Facts
    contract: Contract | None
    rows: tuple[UnitRow, ...]


@dataclass(frozen=True, slots=True)
class MovePreview:
    """Both lines in money, the new one first. `stays`: what the old line goes on billing, where it is left alone."""

    mapping: SubscriptionMapping
    day: date
    refusals: tuple[Reason, ...] = ()
    warnings: tuple[Reason, ...] = ()
    existing_lines: tuple[ExistingLine, ...] = ()
    needs_line_choice: bool = False
    problem: str = ""
    put: ChangePreview | None = None
    taken: ChangePreview | None = None
    units: int = 0
    goes_along: int = 0

    @property
    def can_be_confirmed(self) -> bool:
        return not (self.refusals or self.problem or self.needs_line_choice)


def read_move(mapping: SubscriptionMapping, choice: MappingChoice, psa: Psa) -> MoveFacts:
    """At most seven reads. Raises the errors of `portal.far_side`."""
    there = read_facts(choice, psa)
    contract = psa.contract(mapping.contract_id)
    return MoveFacts(there, contract, tuple(psa.unit_rows([mapping.line_id])) if mapping.line_id else ())


def why_not(mapping: SubscriptionMapping, day: date, today: date) -> str:
    """Why the subscription cannot leave its line on this day, with what to do first; empty where it can."""
    if mapping.line_id is None or mapping.starts_on is None:
        return "The line is not on the contract yet. Wait until it is, or remove the mapping."
    if not mapping.starts_on <= day <= today:
        return "Choose a day from the first one billed here up to today."
    for one in not_through(mapping):
        if not can_go_along(one, day):
            state = one.get_state_display().lower()
            return f"“{one.label}” is {state}. Wait for it, or decide about it in the inbox first."
    return changed_after(mapping, day) or why_not_leave(mapping, day)


def preview_move(
    mapping: SubscriptionMapping, choice: MappingChoice, found: MoveFacts, *, day: date, to_zero: bool, today: date
) -> MovePreview:
    """What the move would send to both lines and bill on them, or why it cannot be."""
    subscription, connection, there = mapping.subscription, mapping.connection, found.there
    refusals = resolve.refusals_of(
        subscription,
        connection,
        company=there.company,
        service=there.service,
        contract=there.contract,
        today=today,
        moved_on=day,
    )
    if refusals or there.contract is None:
        return MovePreview(mapping, day, refusals=refusals)
    if problem := why_not(mapping, day, today):
        return MovePreview(mapping, day, problem=problem)
    existing = existing_lines(choice, there, today, known=known_lines(mapping))
    refused = line_refusal(choice, existing) or _twice(mapping, choice, existing)
    if refused or (existing and choice.adopt_line_id is None and not choice.add_beside):
        return MovePreview(mapping, day, refused, existing_lines=existing, needs_line_choice=not refused)
    payload = carried_over(mapping, day)
    put = _put(mapping, choice, there, payload, day, today)
    taken = _taken(mapping, found, day, today) if to_zero and _reaches(mapping, found.contract, day) else None
    along = [one for one in not_through(mapping) if can_go_along(one, day)]
    return MovePreview(
        mapping,
        day,
        warnings=resolve.warnings_of(subscription, connection, there.contract, today=today),
        existing_lines=existing,
        put=put,
        taken=taken,
        units=without_left_out(payload, day),
        goes_along=len(along),
    )


def without_left_out(payload: dict[str, Any], day: date) -> int:
    """The units that a line which begins with this shows on its first day."""
    out = sum(units for start, units in payload.get(EXCLUDED, ()) if start == day.isoformat())
    return max(0, int(payload["units"]) - out)


def not_through(mapping: SubscriptionMapping) -> list[SyncOperation]:
    states = (*SyncOperation.OPEN, *SyncOperation.NEEDS_A_PERSON)
    return list(SyncOperation.objects.filter(mapping=mapping, state__in=states).chronological())


def can_go_along(operation: SyncOperation, day: date) -> bool:
    """Whether it is about that day or a later one, and nothing of it was ever sent."""
    if operation.state not in GOES_ALONG or operation.kind in STAYS_BEHIND:
        return False
    if operation.effective_on is None or operation.effective_on < day:
        return False
    return not operation.writes.exclude(state__in=NOTHING_SENT).exists()


def carried_over(mapping: SubscriptionMapping, day: date) -> dict[str, Any]:
    """What the old line has on that day because of us: the move changes no price. What the margins give where the line
    has none yet.
    """
    priced = mapping_payload(mapping.subscription, mapping.connection, day)
    if mapping.subscription.variant.offer.category in USAGE_BASED:
        return priced  # what a month was set to is no price of the months after it
    stream = Stream.objects.filter(connection=mapping.connection, subscription=mapping.subscription).first()
    contract = MirroredContract.objects.filter(connection=mapping.connection, remote_id=mapping.contract_id).first()
    if stream is None or contract is None:
        return priced
    history = history_of(stream, mapping)
    grid = PeriodGrid.of(term_of(contract))
    gross, facts = unfold(journal.facts_of(history.done), grid=grid, base=history.ours.taken_over, net=False)
    level = gross.at(day)
    price = priced["price"] if level.price is None else str(level.price)
    cost = priced["cost"] if level.cost is None else str(level.cost)
    excluded = _from(day, excluded_by(facts))
    return {"units": level.units, "price": price, "cost": cost} | ({EXCLUDED: excluded} if excluded else {})


def _from(day: date, steps: Sequence[tuple[date, int]]) -> list[tuple[str, int]]:
    """Steps of what is left out, as they go on on a line that begins on `day`."""
    held = {max(day, start): units for start, units in steps}
    return [(start.isoformat(), units) for start, units in sorted(held.items())]


def _twice(
    mapping: SubscriptionMapping, choice: MappingChoice, existing: tuple[ExistingLine, ...]
) -> tuple[Reason, ...]:
    """A line that carries the subscription's key is its own, whoever copied it: it is not to have another one."""
    keyed = next((line for line in existing if line.key in own_keys(mapping)), None)
    if keyed is None or not choice.add_beside:
        return ()
    words = f"Line {keyed.line_id} carries the key of this subscription, so no other line can be added for it."
    return (Reason("line_is_its_own", words, "Take that line over."),)


def known_lines(mapping: SubscriptionMapping) -> frozenset[int]:
    """The lines that the subscription was billed on here before: found again, and no question is asked about them."""
    here = SubscriptionMapping.objects.filter(connection=mapping.connection, subscription=mapping.subscription_id)
    return frozenset(here.filter(line_id__isnull=False, adopted=False).values_list("line_id", flat=True))


def own_keys(mapping: SubscriptionMapping) -> frozenset[str]:
    """What a line that was made for this subscription holds as its key."""
    subscription = mapping.subscription
    return frozenset(filter(None, (mapping.line_key, subscription.external_id, str(subscription.key))))


def _put(
    old: SubscriptionMapping, choice: MappingChoice, there: Facts, payload: dict[str, Any], day: date, today: date
) -> ChangePreview:
    assert there.contract
    known = known_lines(old)
    own = next((one.id for one in there.lines if one.service_id == choice.service_id and one.id in known), None)
    line_id = choice.adopt_line_id or own
    new = SubscriptionMapping(
        connection=old.connection,
        subscription=old.subscription,
        contract_id=choice.contract_id,
        contract_name=there.contract.name,
        service_id=choice.service_id,
        line_id=line_id,
        adopted=choice.adopt_line_id is not None,
        starts_on=day,
    )
    rows = [row for row in there.rows if row.line_id == line_id]
    stream = Stream.objects.get(connection=old.connection, subscription=old.subscription)
    history = history_of(stream, new)
    if choice.adopt_line_id is not None:
        history = replace(history, done=(), ours=Ours(taken_over=actual_of(rows)), given_up=())
    fact = Fact(mapping_kind.KIND.name, day, payload)
    planned = plan_line(new, history=history, rows=rows, contract=there.contract, new=[fact])
    return _shown(new, planned, rows, today)


def _taken(old: SubscriptionMapping, found: MoveFacts, day: date, today: date) -> ChangePreview:
    assert found.contract
    stream = Stream.objects.get(connection=old.connection, subscription=old.subscription)
    fact = Fact(end_mapping.KIND.name, day)
    planned = plan_line(old, history=history_of(stream, old), rows=found.rows, contract=found.contract, new=[fact])
    return _shown(old, planned, found.rows, today)


def _shown(mapping: SubscriptionMapping, planned: Planned, rows: Sequence[UnitRow], today: date) -> ChangePreview:
    currency = mapping.connection.currency
    seen = plans.preview(planned.plan, rows_of(rows), planned.term, currency, today)
    return ChangePreview(mapping, adjustments_of(seen), bills_of(seen), shortfalls_of(planned.plan, currency))


def _reaches(mapping: SubscriptionMapping, contract: Contract | None, day: date) -> bool:
    """Whether the old contract still bills that day: one that ended before has nothing to take away."""
    return contract is not None and day <= contract.ends_on
