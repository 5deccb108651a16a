"""What putting a subscription on a contract would write and bill, before anything is sent."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import Any, Literal

from django.core import signing

from connections.models import Connection, MirroredContract
from connections.psa.base import Psa
from connections.psa.types import Company, Contract, Line, Service, UnitRow
from connections.registry import psa_for
from mappings import resolve
from mappings.exclusions import excluded_steps
from mappings.models import CustomerMapping, OfferMapping, ServiceOverride, SubscriptionMapping
from mappings.reasons import Reason
from portal.actions.prices import USAGE_BASED, priced
from portal.far_side import FarSideError
from portal.models import Subscription
from syncops import plans
from syncops.bills import difference
from syncops.changes import Ours, desired, fold
from syncops.jobs import reach_of
from syncops.lines import actual_of, closed_of, rows_of, term_of
from syncops.models import Stream, SyncOperation
from syncops.operations import change_quantity, exclude_units, map_subscription
from syncops.operations.base import Fact
from syncops.periods import PeriodGrid
from syncops.planning import history_of, plan_line

Since = Literal["today", "open_period", "term"]


@dataclass(frozen=True, slots=True)
class MappingChoice:
    """What a person chose for a subscription. Of the last two, one must be given where the contract already holds
    such a line. `since`: from when an existing subscription is billed.
    """

    connection_id: int
    subscription_id: int
    company_id: int
    service_id: int
    contract_id: int
    adopt_line_id: int | None = None
    add_beside: bool = False
    since: Since = "today"


def there(choice: MappingChoice, variant_id: int, day: date) -> MappingChoice:
    """The choice with the service that bills the offer on that contract, where it has one of its own."""
    held = ServiceOverride.objects.on(day).filter(connection=choice.connection_id, contract_id=choice.contract_id)
    one = held.filter(variant=variant_id).order_by("-pk").first()
    return replace(choice, service_id=one.service_id) if one else choice


@dataclass(frozen=True, slots=True)
class Facts:
    """What the PSA says now about a choice; None where it knows no such row."""

    company: Company | None
    service: Service | None
    contract: Contract | None
    lines: tuple[Line, ...]
    rows: tuple[UnitRow, ...]


@dataclass(frozen=True, slots=True)
class ExistingLine:
    """A line of the chosen service that is on the contract already. Money per unit and period."""

    line_id: int
    units: int
    unit_price: Decimal | None
    ours: bool
    key: str = ""


@dataclass(frozen=True, slots=True)
class PreviewedAdjustment:
    """One adjustment as it would be sent; `lands_in` is open, posted, next or future."""

    effective: date
    unit_change: int
    price: Decimal | None
    cost: Decimal | None
    lands_in: str


@dataclass(frozen=True, slots=True)
class BillChange:
    """What a period's bill of this line is before and after; None where a price is not known. Days inclusive."""

    label: str
    start: date
    end: date
    before: Decimal | None
    after: Decimal | None
    currency: str

    @property
    def change(self) -> Decimal | None:
        return difference(self.before, self.after)


@dataclass(frozen=True, slots=True)
class PreviewedShortfall:
    """What could not be brought about any more: days inclusive, units wanted minus shown, money."""

    start: date
    end: date
    units: int
    amount: Decimal | None
    currency: str


@dataclass(frozen=True, slots=True)
class MappingPreview:
    """Everything that a person sees before they confirm."""

    refusals: tuple[Reason, ...] = ()
    warnings: tuple[Reason, ...] = ()
    existing_lines: tuple[ExistingLine, ...] = ()
    needs_line_choice: bool = False
    effective: date | None = None
    units: int = 0
    unit_price: Decimal | None = None
    unit_cost: Decimal | None = None
    currency: str = ""
    adjustments: tuple[PreviewedAdjustment, ...] = ()
    bills: tuple[BillChange, ...] = ()
    shortfalls: tuple[PreviewedShortfall, ...] = ()
    creates: tuple[str, ...] = ()

    @property
    def can_be_confirmed(self) -> bool:
        return not self.refusals and not self.needs_line_choice

    def as_json(self) -> dict[str, Any]:
        """What is stored with the operation, to be compared with the proof."""
        effective = str(self.effective) if self.effective else None
        return {"effective": effective} | stored(self.adjustments, self.bills, self.shortfalls)


def read_facts(choice: MappingChoice, psa: Psa) -> Facts:
    """Read what the choice names, as it is now: at most five requests. Raises the errors of `portal.far_side`."""
    contract = psa.contract(choice.contract_id)
    lines = tuple(psa.lines_of(choice.contract_id)) if contract else ()
    same_service = [line.id for line in lines if line.service_id == choice.service_id]
    return Facts(
        company=psa.company(choice.company_id),
        service=psa.service(choice.service_id),
        contract=contract,
        lines=lines,
        rows=tuple(psa.unit_rows(same_service)) if same_service else (),
    )


def preview_mapping(choice: MappingChoice, facts: Facts, *, today: date) -> MappingPreview:
    """What confirming `choice` would do on `today` (the organization's date), or why it cannot be."""
    subscription = Subscription.objects.select_related("customer", "variant__offer", "organization").get(
        pk=choice.subscription_id
    )
    connection = Connection.objects.get(pk=choice.connection_id)
    refusals = resolve.refusals_of(
        subscription, connection, company=facts.company, service=facts.service, contract=facts.contract, today=today
    )
    if refusals or not (facts.contract and facts.service and facts.company):
        return MappingPreview(refusals=refusals)
    existing = existing_lines(choice, facts, today)
    line_choice = line_refusal(choice, existing)
    price = priced(subscription, today=today)
    effective = first_day_billed(subscription, facts.contract, today, choice.since)
    rows = [row for row in facts.rows if row.line_id == choice.adopt_line_id] if choice.adopt_line_id else []
    term, currency = term_of(facts.contract), connection.currency
    actual = actual_of(rows)
    out = excluded_steps(subscription, effective)
    fact = mapping_fact(subscription.quantity, price.unit_price, price.unit_cost, effective, out)
    after = fold([fact], grid=PeriodGrid.of(term, rows_of(rows)), base=actual)
    plan = plans.plan(
        desired(actual, after, actual=actual, ours=Ours(taken_over=actual)),
        actual,
        contract=term,
        currency=currency,
        closed_through=closed_of(rows),
        rows=rows_of(rows),
        price_change=connection.policies.price_change,
    )
    seen = plans.preview(plan, rows_of(rows), term, currency, today)
    return MappingPreview(
        refusals=line_choice,
        warnings=resolve.warnings_of(subscription, connection, facts.contract, today=today),
        existing_lines=existing,
        needs_line_choice=bool(existing) and choice.adopt_line_id is None and not choice.add_beside,
        effective=effective,
        units=after.at(effective).units,
        unit_price=price.unit_price,
        unit_cost=price.unit_cost,
        currency=currency,
        adjustments=adjustments_of(seen),
        bills=bills_of(seen),
        shortfalls=shortfalls_of(plan, currency),
        creates=_creates(choice, facts, subscription, connection),
    )


@dataclass(frozen=True, slots=True)
class ChangePreview:
    """What a change of a mapped subscription would do to its line. `problem`: why that cannot be told now."""

    mapping: SubscriptionMapping
    adjustments: tuple[PreviewedAdjustment, ...] = ()
    bills: tuple[BillChange, ...] = ()
    shortfalls: tuple[PreviewedShortfall, ...] = ()
    problem: str = ""

    def as_json(self) -> dict[str, Any]:
        """What is stored with the operation, to be compared with the proof."""
        return stored(self.adjustments, self.bills, self.shortfalls)


def sealed(preview: ChangePreview, quantity: int) -> str:
    """A preview as text that travels through a form: nobody can alter it, or use it for another change."""
    if preview.problem:
        return ""
    return signing.dumps(preview.as_json(), salt=_seal(preview.mapping, quantity), compress=True)


def opened(shown: str, mapping: SubscriptionMapping, quantity: int) -> dict[str, Any]:
    """The preview that was sealed; empty where it is none, or of another change."""
    try:
        preview: dict[str, Any] = signing.loads(shown, salt=_seal(mapping, quantity))
    except signing.BadSignature:
        return {}
    return preview


def _seal(mapping: SubscriptionMapping, quantity: int) -> str:
    return f"syncops.preview.{mapping.pk}.{quantity}"


def preview_quantity(subscription: Subscription, quantity: int, *, today: date) -> ChangePreview | None:
    """What changing the quantity today would send and bill: one read of the line. None where it is not mapped."""
    mapping = SubscriptionMapping.objects.open().select_related("connection").filter(subscription=subscription).first()
    if mapping is None:
        return None
    effective = max(today, mapping.starts_on or today)
    return preview_change(mapping, Fact(change_quantity.KIND.name, effective, {"units": quantity}), today=today)


def preview_change(mapping: SubscriptionMapping, fact: Fact, *, today: date) -> ChangePreview:
    """What a fact would send to the line of a mapping and bill on it, behind what waits there: one read of the line."""
    subscription, effective = mapping.subscription, fact.effective
    stream = Stream.objects.filter(connection=mapping.connection, subscription=subscription).first()
    contract = MirroredContract.objects.filter(connection=mapping.connection, remote_id=mapping.contract_id).first()
    if stream is None or contract is None or mapping.line_id is None or mapping.starts_on is None:
        return ChangePreview(mapping, problem="The line is not on the contract yet; the change goes out with it.")
    waiting = list(SyncOperation.objects.filter(stream=stream, mapping=mapping).open())
    try:
        since = min([effective, *(day for one in waiting if (day := reach_of(one, contract)))])
        rows = psa_for(mapping.connection).unit_rows([mapping.line_id], since=since)
    except FarSideError as error:
        return ChangePreview(mapping, problem=f"The line cannot be read now: {error.message}")
    history = history_of(stream, mapping)
    planned = plan_line(mapping, history=history, operations=waiting, new=[fact], rows=rows, contract=contract)
    currency = mapping.connection.currency
    seen = plans.preview(planned.plan, rows_of(rows), planned.term, currency, today)
    return ChangePreview(mapping, adjustments_of(seen), bills_of(seen), shortfalls_of(planned.plan, currency))


def mapping_fact(
    units: int, price: Decimal, cost: Decimal | None, effective: date, excluded: Sequence[tuple[str, int]] = ()
) -> Fact:
    """The fact that a mapping states; `excluded` are steps of what is left out of the units."""
    payload: dict[str, Any] = {"units": units, "price": str(price), "cost": None if cost is None else str(cost)}
    payload |= {exclude_units.EXCLUDED: list(excluded)} if excluded else {}
    return Fact(map_subscription.KIND.name, effective, payload)


def first_day_billed(subscription: Subscription, contract: Contract, today: date, since: Since = "today") -> date:
    """A subscription of today's order is billed from its start; an older one from today, the start of the contract's
    open period (not before it was bought), or the start of its term, as chosen. Never outside the contract. An Azure
    plan from the first of that month: the amount of a month is billed whole, and until there is one the price is 0.
    """
    start = subscription.starts_on
    if start is None or subscription.created_on >= today or subscription.status == "pending":
        wanted = start or today
    elif since == "term":
        wanted = start
    elif since == "open_period" and contract.starts_on <= today <= contract.ends_on:
        wanted = max(PeriodGrid.of(term_of(contract)).period_of(today).start, subscription.created_on)
    else:
        wanted = today
    return max(whole_month(subscription, wanted), contract.starts_on)


def whole_month(subscription: Subscription, day: date) -> date:
    """The day itself; for an Azure plan the first of its month."""
    return day.replace(day=1) if subscription.variant.offer.category in USAGE_BASED else day


def adjustments_of(seen: plans.Preview) -> tuple[PreviewedAdjustment, ...]:
    """The adjustments of a preview with the periods that they land in."""
    return tuple(
        PreviewedAdjustment(
            line.adjustment.effective,
            line.adjustment.unit_change,
            line.adjustment.price,
            line.adjustment.cost,
            line.landing,
        )
        for line in seen.lines
    )


def shortfalls_of(plan: plans.Plan, currency: str) -> tuple[PreviewedShortfall, ...]:
    """What the plan cannot bring about any more, in money."""
    return tuple(PreviewedShortfall(gap.start, gap.end, gap.units, gap.amount, currency) for gap in plan.shortfalls)


def bills_of(seen: plans.Preview) -> tuple[BillChange, ...]:
    """The bills that a preview changes, oldest first, with the words for them."""
    named = (("Earlier periods", seen.earlier), ("This period", seen.this_period), ("Next period", seen.next_period))
    return tuple(
        BillChange(label, bill.start, bill.end, bill.before, bill.after, seen.currency)
        for label, bill in named
        if bill is not None
    )


def existing_lines(
    choice: MappingChoice, facts: Facts, today: date, *, known: frozenset[int] = frozenset()
) -> tuple[ExistingLine, ...]:
    """The free lines of the chosen service on the contract, but for `known` ones: those that it had before."""
    ours = set(
        SubscriptionMapping.objects.open()
        .filter(connection_id=choice.connection_id, contract_id=choice.contract_id, line_id__isnull=False)
        .values_list("line_id", flat=True)
    )
    found = []
    for line in facts.lines:
        if line.service_id == choice.service_id and line.id not in known:
            level = actual_of([row for row in facts.rows if row.line_id == line.id]).at(today)
            found.append(ExistingLine(line.id, level.units, level.price, ours=line.id in ours, key=line.key))
    return tuple(line for line in found if not line.ours)


def line_refusal(choice: MappingChoice, existing: tuple[ExistingLine, ...]) -> tuple[Reason, ...]:
    """Why the line that was chosen cannot be taken over."""
    if choice.adopt_line_id is None or any(line.line_id == choice.adopt_line_id for line in existing):
        return ()
    return (
        Reason(
            "line_not_adoptable",
            f"Line {choice.adopt_line_id} is not a free line of this service on the contract.",
            "Choose one of the lines shown, or add a line beside them.",
        ),
    )


def _creates(
    choice: MappingChoice, facts: Facts, subscription: Subscription, connection: Connection
) -> tuple[str, ...]:
    assert facts.company
    assert facts.service
    assert facts.contract
    words = []
    if not CustomerMapping.objects.filter(connection=connection, customer=subscription.customer).exists():
        words.append(f"Customer mapping: {subscription.customer} is {facts.company.name}")
    if not OfferMapping.objects.filter(connection=connection, variant=subscription.variant).exists():
        words.append(f"Offer mapping: {subscription.variant} is {facts.service.name}")
    if choice.adopt_line_id:
        words.append(f"Subscription mapping, taking over line {choice.adopt_line_id} of {facts.contract.name}")
    else:
        words.append(f"Contract line: {facts.service.name} on {facts.contract.name}")
    return tuple(words)


def stored(
    adjustments: Iterable[PreviewedAdjustment], bills: Iterable[BillChange], shortfalls: Iterable[PreviewedShortfall]
) -> dict[str, Any]:
    """A preview as it is kept with its operation; money and dates as text."""
    return {
        "adjustments": [_plain(one, PreviewedAdjustment) for one in adjustments],
        "bills": [_plain(one, BillChange) for one in bills],
        "shortfalls": [_plain(one, PreviewedShortfall) for one in shortfalls],
    }


@dataclass(frozen=True, slots=True)
class Shown:
    """A stored preview, ready for a page."""

    adjustments: tuple[PreviewedAdjustment, ...]
    bills: tuple[BillChange, ...]
    shortfalls: tuple[PreviewedShortfall, ...]


def shown_of(preview: Mapping[str, Any]) -> Shown:
    """What `stored` made of a preview, read back."""
    return Shown(
        tuple(
            PreviewedAdjustment(
                date.fromisoformat(one["effective"]),
                int(one["unit_change"]),
                _money(one["price"]),
                _money(one["cost"]),
                one["lands_in"],
            )
            for one in preview.get("adjustments", [])
        ),
        tuple(
            BillChange(one["label"], *_days(one), _money(one["before"]), _money(one["after"]), one["currency"])
            for one in preview.get("bills", [])
        ),
        tuple(
            PreviewedShortfall(*_days(one), int(one["units"]), _money(one["amount"]), one["currency"])
            for one in preview.get("shortfalls", [])
        ),
    )


def _days(one: Mapping[str, Any]) -> tuple[date, date]:
    return date.fromisoformat(one["start"]), date.fromisoformat(one["end"])


def _money(text: str | None) -> Decimal | None:
    return None if text is None else Decimal(text)


def _plain(value: Any, kind: type) -> dict[str, Any]:
    def text(inner: Any) -> Any:
        return str(inner) if isinstance(inner, date | Decimal) else inner

    return {name: text(getattr(value, name)) for name in kind.__slots__}  # type: ignore[attr-defined]
