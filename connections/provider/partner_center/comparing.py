"""Pure: what a subscription at Partner Center differs in from the one that is kept here, as facts with their dates.

The day on which a difference took effect is the first of these that is known: what the fact itself says (a renewal
begins on its new first day; a term that ran out ended on the day after its last one), the day that an audit record or a
notification told, and else the day on which it was found. Days are those of the organization's zone.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

ENDED = frozenset({"expired", "disabled", "deleted"})
RAN_OUT = frozenset({"expired", "disabled"})
BILLED = frozenset({"active", "suspended"})
ONE_DAY = timedelta(days=1)

Prices = tuple[Decimal, Decimal]


@dataclass(frozen=True, slots=True)
class State:
    """A subscription, as it is kept here or as Partner Center shows it.

    `organization_id` is None where Partner Center does not tell who sells it. `offer` is the id of the offer's row.
    `prices` (list price and ERP per unit and billing period): the kept ones, or those of the price sheet on the first
    day of the term; None where no price sheet has any.
    """

    status: str
    quantity: int
    starts_on: date | None
    ends_on: date | None
    auto_renew: bool
    friendly_name: str
    variant_id: int
    offer_id: int
    term: str
    billing: str
    prices: Prices | None = None
    organization_id: int | None = None
    has_seats: bool = True


@dataclass(frozen=True, slots=True)
class Told:
    """What an audit record or a notification said: when something changed, by whom, and the quantity after it."""

    at: datetime
    by: str = ""
    quantity: int | None = None


@dataclass(frozen=True, slots=True)
class Moment:
    """When it is looked at: today, and the days that were told, the last one for whatever is not told by itself."""

    today: date
    told: Sequence[tuple[date, Told]] = ()

    @property
    def day(self) -> date:
        """The day for a difference that says nothing itself; never later than today."""
        return min(self.told[-1][0], self.today) if self.told else self.today

    @property
    def by(self) -> str:
        return self.told[-1][1].by if self.told else ""


@dataclass(frozen=True, slots=True)
class Fact:
    """Something that happened: the verb of `portal.actions.lifecycle` that records it, and what that takes."""

    verb: str
    on: date
    values: Mapping[str, Any] = field(default_factory=dict)
    by: str = ""


def differences(kept: State, seen: State, moment: Moment, *, migrated_to: str = "") -> list[Fact]:
    """The facts that lead from what is kept to what is seen, in the order in which to record them.

    `migrated_to`: the new commerce subscription that took this one over, where there is one.
    """
    if seen.status == "pending" and kept.status != "pending":
        return []  # a status that is not known, or that of a moment: nothing is concluded from it
    return list(_facts(kept, seen, moment, migrated_to))


def is_reverted(facts: Sequence[Fact], before: Mapping[str, Any], after: Mapping[str, Any]) -> bool:
    """Whether one of the facts takes back exactly what the last change did: an old answer looks just like that."""
    return any(
        name in before and name in after and str(value) == str(before[name]) != str(after[name])
        for fact in facts
        for name, value in {**fact.values, **_status_of(fact)}.items()
    )


def _status_of(fact: Fact) -> Mapping[str, str]:
    return {"record_reactivated": {"status": "active"}, "record_suspended": {"status": "suspended"}}.get(fact.verb, {})


def _facts(kept: State, seen: State, moment: Moment, migrated_to: str) -> Iterator[Fact]:
    day, by = moment.day, moment.by
    if kept.status == "pending":
        yield from _first(kept, seen, day, by)
        return
    if seen.status in ENDED:
        yield from _ended(kept, seen, moment, migrated_to)
        return
    if kept.status in ENDED or (kept.status, seen.status) == ("suspended", "active"):
        yield Fact("record_reactivated", day, by=by)
    renewed = _is_renewed(kept, seen)
    if renewed and seen.starts_on and seen.ends_on:
        yield _renewal(kept, seen, by)
    began = seen.starts_on if renewed and seen.starts_on else None
    yield from _offer(kept, seen, began or day, by)
    if seen.has_seats and seen.quantity != kept.quantity:
        yield from _quantities(kept, seen, moment, began)
    yield from _owner(kept, seen, day, by)
    if seen.prices and not renewed and kept.prices == (0, 0) and seen.prices != (0, 0):
        yield Fact("record_price", day, {"list_price": seen.prices[0], "erp": seen.prices[1]})
    yield from _details(kept, seen, moment)
    if not renewed and (kept.starts_on, kept.ends_on) != (seen.starts_on, seen.ends_on):
        yield Fact("record_noted", day, {"starts_on": seen.starts_on, "ends_on": seen.ends_on}, by)


def _first(kept: State, seen: State, day: date, by: str) -> Iterator[Fact]:
    """A pending subscription that came into use, or never did."""
    if seen.status in BILLED:
        shown = {"status": seen.status, "quantity": seen.quantity, "auto_renew": seen.auto_renew}
        shown |= {"starts_on": seen.starts_on, "ends_on": seen.ends_on}
        yield Fact("record_activated", seen.starts_on or day, shown, by)
    elif seen.status in ENDED:
        yield Fact("record_noted", day, {"status": seen.status}, by)


def _ended(kept: State, seen: State, moment: Moment, migrated_to: str) -> Iterator[Fact]:
    """Auto-renew goes with it and is no fact of its own; the quantity of what has ended tells nothing."""
    if kept.status in ENDED:
        if kept.status != seen.status:
            yield Fact("record_noted", moment.day, {"status": seen.status}, moment.by)
        return
    gone = {"auto_renew": seen.auto_renew} if seen.auto_renew != kept.auto_renew else {}
    if migrated_to:
        yield Fact("record_migrated", moment.day, {"to": migrated_to}, moment.by)
        return
    last_day = seen.ends_on or kept.ends_on
    ran_out = seen.status in RAN_OUT and last_day is not None and last_day < moment.today
    on = last_day + ONE_DAY if ran_out and last_day else moment.day
    yield Fact("record_cancelled", on, {"status": seen.status} | gone, moment.by)


def _is_renewed(kept: State, seen: State) -> bool:
    """A new term: it ends later, and begins later, than the one that is kept."""
    if kept.ends_on is None or seen.ends_on is None or kept.starts_on is None or seen.starts_on is None:
        return False
    return seen.ends_on > kept.ends_on and seen.starts_on > kept.starts_on


def _renewal(kept: State, seen: State, by: str) -> Fact:
    assert seen.starts_on
    list_price, erp = (seen.prices if seen.variant_id == kept.variant_id else None) or kept.prices or (0, 0)
    values = {"starts_on": seen.starts_on, "ends_on": seen.ends_on, "list_price": list_price, "erp": erp}
    return Fact("record_renewed", seen.starts_on, values, by)


def _offer(kept: State, seen: State, on: date, by: str) -> Iterator[Fact]:
    """Another variant under the same id: another offer or term is an upgrade, another billing frequency is its own."""
    if seen.variant_id == kept.variant_id:
        return
    list_price, erp = seen.prices or (Decimal(0), Decimal(0))
    values = {"to": seen.variant_id, "list_price": list_price, "erp": erp}
    same = seen.offer_id == kept.offer_id and seen.billing != kept.billing
    yield Fact("record_billing_cycle" if same else "record_upgraded", on, values, by)


def _quantities(kept: State, seen: State, moment: Moment, began: date | None) -> Iterator[Fact]:
    """Each quantity that was told, on its day, and at last the one that is seen.

    What was told before the kept quantity came about is accounted for; so are the portal's own changes among it.
    """
    told = [(day, told) for day, told in moment.told if told.quantity is not None]
    known = [place for place, (_, step) in enumerate(told) if step.quantity == kept.quantity]
    steps = told[known[-1] + 1 :] if known else told
    current = kept.quantity
    for day, step in steps:
        if step.quantity is not None and step.quantity != current:
            current = step.quantity
            yield Fact("record_quantity", min(day, moment.today), {"quantity": current}, step.by)
    if current != seen.quantity:
        told_late = moment.told and began is not None and moment.told[-1][0] >= began
        on = moment.day if told_late or began is None else began
        yield Fact("record_quantity", on, {"quantity": seen.quantity}, moment.by)


def _owner(kept: State, seen: State, day: date, by: str) -> Iterator[Fact]:
    if seen.organization_id is not None and seen.organization_id != kept.organization_id:
        yield Fact("record_reseller", day, {"to": seen.organization_id}, by)


def _details(kept: State, seen: State, moment: Moment) -> Iterator[Fact]:
    """Name and renewal; a suspension turns renewal off itself, so that is told with it."""
    day, by = moment.day, moment.by
    renewal = {"auto_renew": seen.auto_renew} if seen.auto_renew != kept.auto_renew else {}
    name = {"friendly_name": seen.friendly_name} if seen.friendly_name != kept.friendly_name else {}
    if seen.status == "suspended" != kept.status:
        yield Fact("record_suspended", day, renewal, by)
        renewal = {}
    if values := name | renewal:
        yield Fact("record_details", day, values, by)
