"""What sending the amount of a month would do: to the line as its price, or as one charge on the contract."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

from django.db.models import Exists, OuterRef, Q

from connections.models import Connection, MirroredContract
from connections.psa.base import Psa
from connections.psa.types import BillingCode, UnitRow
from mappings.models import SubscriptionMapping
from portal.far_side import FarSideError
from syncops import plans
from syncops.asking import asking
from syncops.azure.amounts import charge_name, month_after, not_whole, period_of
from syncops.lines import rows_of, term_of
from syncops.models import AzureMonth, Stream, SyncOperation, Write
from syncops.money import to_minor_unit
from syncops.operations import charge_azure_month, set_azure_month
from syncops.operations.base import Fact
from syncops.operations.set_azure_month import RESETS_ON
from syncops.periods import MONTHS
from syncops.planning import history_of, plan_line
from syncops.preview import (
    BillChange,
    PreviewedAdjustment,
    PreviewedShortfall,
    adjustments_of,
    bills_of,
    shortfalls_of,
    stored,
)
from syncops.timeline import ONE_DAY, Term, first_open_date

State = SyncOperation.State


@dataclass(frozen=True, slots=True)
class ChargeOfMonth:
    """One charge, quantity 1, with totals in the connection's currency; a negative price is a credit."""

    name: str
    description: str
    cost: Decimal
    price: Decimal
    purchased_on: date


@dataclass(frozen=True, slots=True)
class MonthPreview:
    """What sending a month would do. `problem`: why it is not sent. `charge` where it goes out as one; else the price
    of the line changes from `period` on, and is 0 again from `resets_on` (None: the contract ends before).
    """

    row: AzureMonth
    mapping: SubscriptionMapping | None = None
    period: date | None = None
    resets_on: date | None = None
    adjustments: tuple[PreviewedAdjustment, ...] = ()
    bills: tuple[BillChange, ...] = ()
    shortfalls: tuple[PreviewedShortfall, ...] = ()
    charge: ChargeOfMonth | None = None
    problem: str = ""
    codes: tuple[BillingCode, ...] = field(default=(), compare=False)

    @property
    def kind(self) -> str:
        return (charge_azure_month if self.charge else set_azure_month).KIND.name

    @property
    def currency(self) -> str:
        return self.row.currency

    @property
    def digest(self) -> str:
        """Differs where what would be sent or billed does."""
        shown = (self.row.pk, self.row.cost, self.row.price, self.period, self.adjustments, self.bills)
        return hashlib.sha256(repr((*shown, self.shortfalls, self.charge, self.problem)).encode()).hexdigest()[:24]

    def as_json(self) -> dict[str, Any]:
        """What is stored with the operation, to be compared with its proof."""
        return {} if self.charge else stored(self.adjustments, self.bills, self.shortfalls)


def sent_as(row: AzureMonth, connection: Connection) -> str:
    """How the month goes out: as it did before, else as the connection's policy says. It is never billed both ways."""
    if charges_of(row).filter(state=State.SUCCEEDED).exists():
        return AzureMonth.SentAs.CHARGE
    return AzureMonth.SentAs.PRICE if price_set_by(row) else connection.policies.azure_billing


def price_set_by(row: AzureMonth) -> SyncOperation | None:
    """The last operation that brought an amount of the month to a line, be it in part; None where none did."""
    kind = set_azure_month.KIND.name
    operations = SyncOperation.objects.filter(
        subscription=row.subscription_id, kind=kind, payload__month=str(row.month)
    )
    applied = Exists(Write.objects.filter(operation=OuterRef("pk"), state=Write.State.APPLIED))
    reached = operations.filter(Q(state=State.SUCCEEDED) | applied, payload__month=str(row.month))
    return next((one for one in reached.select_related("mapping").order_by("-pk") if not one.is_undone), None)


def preview_months(rows: Iterable[AzureMonth], *, today: date) -> list[MonthPreview]:
    """What sending each of these would do, in their order; per connection one read of the lines. What cannot be read
    now is a problem of its rows.
    """
    rows = list(rows)
    open_ones = SubscriptionMapping.objects.open().filter(subscription__in=[row.subscription_id for row in rows])
    mappings = {one.subscription_id: one for one in open_ones.select_related("connection__organization")}
    found: dict[int, MonthPreview] = {}
    ready: dict[Connection, list[tuple[AzureMonth, SubscriptionMapping]]] = defaultdict(list)
    for row in rows:
        mapping = mappings.get(row.subscription_id)
        if mapping is None or (problem := why_not(row, mapping)):
            found[row.pk] = MonthPreview(row, mapping, problem=problem if mapping else NOT_MAPPED)
        else:
            ready[mapping.connection].append((row, mapping))
    for connection, here in ready.items():
        found |= {one.row.pk: one for one in _preview_connection(connection, here, today)}
    return [found[row.pk] for row in rows]


NOT_MAPPED = "The plan is not on a contract, so nothing bills it. Sync it to a connection first."


def why_not(row: AzureMonth, mapping: SubscriptionMapping) -> str:
    """Why a month is not sent, whatever the line shows; empty where it is."""
    connection, State = mapping.connection, AzureMonth.State
    if connection.organization_id != row.organization_id:
        return "The plan is billed by another organization."
    if connection.currency != row.currency:
        return f"The amount is in {row.currency}, and {connection} bills in {connection.currency}."
    if row.differs and not row.is_complete:
        return "The billed reconciliation of the month is not complete yet."
    words = {
        State.ON_ITS_WAY: "It is on its way already.",
        State.NEEDS_A_PERSON: "Its last operation waits for your decision. Open it, and decide there first.",
        State.NOTHING: "There is nothing to bill.",
        State.SET: "It went out already, and nothing was corrected since.",
        State.POSTED: "It went out already, and nothing was corrected since.",
    }
    return words.get(State(row.state), "")


def _preview_connection(
    connection: Connection, months: Sequence[tuple[AzureMonth, SubscriptionMapping]], today: date
) -> list[MonthPreview]:
    """The months of one connection: one request for all lines, and one for billing codes where charges are made."""
    wanted = {mapping.contract_id for _, mapping in months}
    mirrored = MirroredContract.objects.filter(connection=connection, remote_id__in=wanted)
    contracts = {one.remote_id: one for one in mirrored}
    try:
        with asking(connection) as psa:
            shown, codes = _read(psa, connection, months)
    except FarSideError as error:
        return [MonthPreview(row, mapping, problem=f"{error.message} {error.advice}") for row, mapping in months]
    return [
        _preview(row, mapping, contracts.get(mapping.contract_id), shown[mapping.line_id or 0], codes, today)
        for row, mapping in months
    ]


def _read(
    psa: Psa, connection: Connection, months: Sequence[tuple[AzureMonth, SubscriptionMapping]]
) -> tuple[dict[int, list[UnitRow]], tuple[BillingCode, ...]]:
    lines = sorted({mapping.line_id for _, mapping in months if mapping.line_id})
    shown: dict[int, list[UnitRow]] = defaultdict(list)
    for row in psa.unit_rows(lines) if lines else ():
        shown[row.line_id].append(row)
    charges = any(sent_as(row, connection) == AzureMonth.SentAs.CHARGE for row, _ in months)
    return shown, tuple(psa.billing_codes()) if charges else ()


def _preview(
    row: AzureMonth,
    mapping: SubscriptionMapping,
    contract: MirroredContract | None,
    shown: list[UnitRow],
    codes: tuple[BillingCode, ...],
    today: date,
) -> MonthPreview:
    connection, before = mapping.connection, price_set_by(row)
    period = period_of(row.month, connection.policies.azure_period)
    if before is not None and before.effective_on:
        period = before.effective_on  # never on a second period, whatever the policy says by now
        if before.mapping.line_id != mapping.line_id:
            words = f"It was set on {before.mapping.contract_name}, which bills the plan no more. Correct it there."
            return MonthPreview(row, mapping, period, problem=words)
    if contract is None:
        return MonthPreview(row, mapping, period, problem="Its contract is not known here. Refresh the connection.")
    term = term_of(contract)
    if MONTHS[term.period_type] != 1 or term.start.day != 1:
        words = f"{mapping.contract_name} does not bill by calendar months. Map the plan to a contract that does."
        return MonthPreview(row, mapping, period, problem=words)
    if period < term.start:
        words = f"{mapping.contract_name} begins on {term.start}, after the period of {period:%B %Y}."
        return MonthPreview(row, mapping, period, problem=words)
    if sent_as(row, connection) == AzureMonth.SentAs.CHARGE:
        return _preview_charge(row, mapping, period, term, shown, codes)
    return _preview_price(row, mapping, period, contract, shown, today)


def _preview_price(
    row: AzureMonth,
    mapping: SubscriptionMapping,
    period: date,
    contract: MirroredContract,
    shown: list[UnitRow],
    today: date,
) -> MonthPreview:
    stream = Stream.objects.filter(connection=mapping.connection, subscription=mapping.subscription_id).first()
    if stream is None or mapping.line_id is None:
        words = "The plan's line is not on the contract yet. Wait for its mapping to be done."
        return MonthPreview(row, mapping, period, problem=words)
    term, following, currency = term_of(contract), month_after(period), mapping.connection.currency
    resets_on = following if following <= term.end else None
    fact = Fact(set_azure_month.KIND.name, period, price_payload(row, resets_on))
    waiting = list(SyncOperation.objects.filter(stream=stream, mapping=mapping).open())
    history = history_of(stream, mapping)
    planned = plan_line(mapping, history=history, operations=waiting, new=[fact], rows=shown, contract=contract)
    seen = plans.preview(planned.plan, rows_of(shown), term, currency, today)
    first, last = max(period, planned.first_open), min(following - ONE_DAY, term.end)
    problem = not_whole(planned.wanted, first, last) if first <= last else ""
    if period > term.end:
        problem = f"{mapping.contract_name} ends on {term.end}, before {period:%B %Y}. Extend it first."
    return MonthPreview(
        row,
        mapping,
        period,
        resets_on,
        adjustments_of(seen),
        bills_of(seen),
        shortfalls_of(planned.plan, currency),
        problem=problem,
    )


def _preview_charge(
    row: AzureMonth,
    mapping: SubscriptionMapping,
    period: date,
    term: Term,
    shown: list[UnitRow],
    codes: tuple[BillingCode, ...],
) -> MonthPreview:
    """One charge with what is still due, dated into its period, or into the first that can still bill it."""
    cost, price = charged(row)
    correction, first = charges_of(row).exists(), first_open_date(rows_of(shown), term)
    purchased_on = max(month_after(period) - ONE_DAY, first)
    charge = ChargeOfMonth(
        charge_name(row.month, is_correction=correction and bool(cost or price)),
        f"{row.month:%B %Y}, subscription {row.subscription.external_id or row.subscription.key}",
        to_minor_unit(row.cost - cost, row.currency),
        to_minor_unit(row.price - price, row.currency),
        min(purchased_on, term.end),
    )
    problem = ""
    if max(period, first) > term.end:
        problem = f"{mapping.contract_name} ends on {term.end} and bills nothing after it. Extend it first."
    elif not (charge.cost or charge.price):
        problem = (
            "It was charged in whole. If its charge was changed or taken away in Autotask, put that right there; or "
            "enter another amount, and the difference is charged."
        )
    return MonthPreview(row, mapping, period, charge=charge, problem=problem, codes=codes)


def price_payload(row: AzureMonth, resets_on: date | None) -> dict[str, Any]:
    """What the operation carries that makes the month's amount the price of the line."""
    return {
        "month": str(row.month),
        "price": str(to_minor_unit(row.price, row.currency)),
        "cost": str(to_minor_unit(row.cost, row.currency)),
        RESETS_ON: None if resets_on is None else str(resets_on),
    }


def charges_of(row: AzureMonth) -> Any:
    """Every charge of the month that was ever written down, whatever became of it."""
    kind = charge_azure_month.KIND.name
    return SyncOperation.objects.filter(subscription=row.subscription_id, kind=kind, payload__month=str(row.month))


def charged(row: AzureMonth) -> tuple[Decimal, Decimal]:
    """Cost and price of the charges of the month that were made."""
    made = charges_of(row).filter(state=State.SUCCEEDED).values_list("payload__unit_cost", "payload__unit_price")
    pairs = [(Decimal(cost), Decimal(price)) for cost, price in made]
    return sum((cost for cost, _ in pairs), Decimal(0)), sum((price for _, price in pairs), Decimal(0))
