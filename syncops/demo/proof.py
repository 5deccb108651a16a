"""The main job from the order to the proof, through the actions that the pages use, judged by Autotask's own ledger."""

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import date
from decimal import Decimal
from typing import Any

from django.core.exceptions import ValidationError
from django.utils import timezone

from connections.models import Connection, MirroredContract
from connections.registry import psa_for
from connections.sandbox.remote import Addresses, NotRunning, Refused, control, row_words
from mappings.actions import MAP_CUSTOMER, MAP_OFFER, MAP_SUBSCRIPTION
from portal import audit
from portal.actions.carts import add_to_cart, quote
from portal.actions.order_endings import CREATE_ORDER
from portal.actions.orders import submit_order
from portal.actions.prices import priced
from portal.actions.subscriptions import CHANGE_QUANTITY, request_quantity
from portal.far_side import FarSideError
from portal.models import AuditEntry, Customer, OfferVariant, Order, Subscription, SubscriptionRequest
from portal.supervisor import work_until_idle
from syncops import actions
from syncops.demo.seed import obvious_choice
from syncops.demo.tenant import FAVOURED_CUSTOMER, Tenant
from syncops.models import SyncOperation, Write
from syncops.operations import REGISTRY
from syncops.preview import preview_mapping, read_facts

CUSTOMER, OFFER, TERM = FAVOURED_CUSTOMER, "Microsoft Defender for Business", "P1Y"
ORDERED, CHANGED = 12, 15
PATIENCE_S, LONGEST_S = 15.0, 60.0


class NotProved(Exception):
    """The job did not come to its proof; the words say where and why."""


@dataclass(frozen=True, slots=True)
class Step:
    """What was done, what was found, and how long it took."""

    name: str
    found: str
    seconds: float


@dataclass
class Report:
    """What came of a check. `rows`: the line's unit rows from the first billed day on, as Autotask shows them."""

    steps: list[Step] = field(default_factory=list)
    rows: list[dict[str, Any]] = field(default_factory=list)
    reason: str = ""

    @property
    def proved(self) -> bool:
        return not self.reason

    def as_json(self) -> dict[str, Any]:
        return {
            "proved": self.proved,
            "reason": self.reason,
            "steps": [asdict(step) for step in self.steps],
            "rows": self.rows,
        }


class Proof:
    """One walk through the main job. The sandbox is asked on its control endpoints, where the product never looks."""

    def __init__(self, tenant: Tenant, addresses: Addresses, *, say: Callable[[str], None]) -> None:
        self.addresses = addresses
        self.say = say
        self.report = Report()
        self.csp, self.person = tenant.csp, tenant.administrator
        self.connection = Connection.objects.get(organization=tenant.csp, kind=Connection.Kind.AUTOTASK)
        self.effective: date | None = None
        self.price = Decimal(0)
        self.cost = Decimal(0)

    def run(self) -> Report:
        steps: tuple[tuple[str, Callable[[], str]], ...] = (
            ("Order", self.order),
            ("Preview", self.preview),
            ("Sync to Connection", self.sync),
            ("Autotask's ledger", lambda: self.compare(ORDERED)),
            ("Change of quantity", self.change),
            ("Autotask's ledger", lambda: self.compare(CHANGED)),
            ("Audit log", self.audit_log),
        )
        for name, step in steps:
            began = time.monotonic()
            try:
                found = step()
            except (NotProved, FarSideError, ValidationError, actions.Refused, NotRunning, Refused) as error:
                self.report.reason = f"{name}: {_words(error)}"
                self.show_rows()
                return self.report
            seconds = round(time.monotonic() - began, 1)
            self.report.steps.append(Step(name, found, seconds))
            self.say(f"{len(self.report.steps)}. {name}: {found} ({seconds} s)")
        self.show_rows()
        return self.report

    # The steps

    def order(self) -> str:
        """Cart, checkout, provisioning."""
        now, customer = timezone.now(), Customer.objects.get(organization=self.csp, name=CUSTOMER)
        variants = OfferVariant.objects.filter(offer__owner=self.csp, offer__title=OFFER, term=TERM, billing="monthly")
        line = add_to_cart(customer, variants.get(), quantity=ORDERED, user=self.person, today=self.today)
        seen = quote(line.order, self.today).fingerprint
        submit_order(line.order, seen=seen, actor=self.person, now=now)
        work()
        order = Order.objects.get(pk=line.order_id)
        if order.state != Order.State.COMPLETED:
            raise NotProved(f"{order} is {order.get_state_display().lower()}. {order.error} {order.advice}".strip())
        self.subscription = Subscription.objects.select_related("customer", "variant__offer", "organization").get(
            order_line__order=order
        )
        return f"{order.number}, {ORDERED} x {OFFER} for {customer}, provisioned as {self.subscription.external_id}"

    def preview(self) -> str:
        """What a person sees before they confirm."""
        choice = obvious_choice(self.subscription, self.connection, self.today)
        if choice is None:
            raise NotProved(f"no company, service and contract fit {self.subscription}")
        self.choice, self.facts = choice, read_facts(choice, psa_for(self.connection))
        preview = preview_mapping(self.choice, self.facts, today=self.today)
        if preview.needs_line_choice:  # an earlier check of the same sandbox left its line there
            self.choice = replace(choice, add_beside=True)
            preview = preview_mapping(self.choice, self.facts, today=self.today)
        if not preview.can_be_confirmed:
            raise NotProved("; ".join(map(str, preview.refusals)))
        price = priced(self.subscription, today=self.today)
        self.price, self.cost, self.effective = price.unit_price, price.unit_cost, preview.effective
        planned = ", ".join(f"{one.effective} {one.unit_change:+d} at {one.price}" for one in preview.adjustments)
        bills = "; ".join(
            f"{bill.label.lower()} {bill.before} -> {bill.after} {bill.currency}" for bill in preview.bills
        )
        return f"{planned} on {self.facts.contract.name if self.facts.contract else ''}; {bills}"

    def sync(self) -> str:
        """Confirm, and let the worker do it."""
        operation = actions.sync_to_connection(
            self.choice, self.facts, actor=self.person, today=self.today, now=timezone.now()
        )
        work()
        return self.succeeded(operation)

    def change(self) -> str:
        """A new quantity at Microsoft, which follows to Autotask by itself."""
        request = request_quantity(self.subscription, quantity=CHANGED, actor=self.person, now=timezone.now())
        work()
        request.refresh_from_db()
        if request.state != SubscriptionRequest.State.SUCCEEDED:
            raise NotProved(f"Partner Center: {request.get_state_display().lower()}. {request.error} {request.advice}")
        held = control(self.addresses.partner_center, "GET", f"subscriptions/{self.subscription.external_id}")
        if held["shown"]["quantity"] != CHANGED:
            raise NotProved(f"Partner Center holds {held['shown']['quantity']}, not {CHANGED}")
        operations = SyncOperation.objects.filter(subscription=self.subscription, change__kind="quantity_changed")
        if (operation := operations.last()) is None:
            raise NotProved("the change made no operation")
        return self.succeeded(operation)

    def compare(self, units: int) -> str:
        """Every unit row of the line against what was bought, and every adjustment against what we know of."""
        line = self.line()
        rows, journal = line["rows"], control(self.addresses.autotask, "GET", "journal", line=line["id"])
        assert self.effective
        contract = MirroredContract.objects.get(connection=self.connection, remote_id=self.choice.contract_id)
        if problem := _difference(rows, units, self.price, self.cost, self.effective, contract.ends_on):
            raise NotProved(problem)
        applied = sum(entry["times"] for entry in journal["applied"])
        known = Write.objects.filter(
            stream__subscription=self.subscription, kind=Write.Kind.ADJUST, state=Write.State.APPLIED
        ).count()
        if applied != known:
            raise NotProved(f"Autotask applied {applied} adjustments, and we know of {known}")
        days = f"from {self.effective} to {contract.ends_on}"
        return f"{units} units at {self.price} {days}; adjustments: {applied}, all ours"

    def audit_log(self) -> str:
        if broken := list(audit.breaks(self.csp)):
            raise NotProved(f"entry {broken[0].sequence} {broken[0].problem}")
        updated = REGISTRY["change_quantity"].audit_name
        done = AuditEntry.objects.filter(tenant=self.csp, status=AuditEntry.Status.SUCCEEDED)
        for name in (CREATE_ORDER, MAP_CUSTOMER, MAP_OFFER, MAP_SUBSCRIPTION, CHANGE_QUANTITY, updated):
            if not done.filter(name=name).exists():
                raise NotProved(f"there is no entry {name!r} that succeeded")
        return f"{AuditEntry.objects.filter(tenant=self.csp).count()} entries, the chain holds"

    # What they share

    @property
    def today(self) -> date:
        return timezone.now().astimezone(self.csp.zone).date()

    def line(self) -> dict[str, Any]:
        """The one line that carries our key, as the sandbox itself holds it."""
        key = self.subscription.external_id
        lines: list[dict[str, Any]] = control(self.addresses.autotask, "GET", "ledger", key=key)["lines"]
        if len(lines) != 1:
            raise NotProved(f"{len(lines)} lines carry the key {key}")
        return lines[0]

    def succeeded(self, operation: SyncOperation) -> str:
        operation.refresh_from_db()
        if operation.state != SyncOperation.State.SUCCEEDED:
            said = operation.error or f"waits for {operation.waiting_for}"
            raise NotProved(f"{operation.get_state_display().lower()}. {said} {operation.advice}".strip())
        return f"{operation.label}, proved on {operation.mapping.contract_name}"

    def show_rows(self) -> None:
        """The final unit rows, also where nothing was proved."""
        if not hasattr(self, "subscription"):
            return
        try:
            rows = self.line()["rows"]
        except (NotProved, NotRunning, Refused):
            return
        self.report.rows = [row for row in rows if self.effective is None or row["end"] >= self.effective.isoformat()]
        self.say("\n".join(["Unit rows in Autotask:", *row_words(self.report.rows)]))


def work() -> None:
    """Do what the worker does, until nothing is due."""
    work_until_idle(patience=PATIENCE_S, at_most=LONGEST_S)


def _difference(
    rows: Iterable[Mapping[str, Any]], units: int, price: Decimal, cost: Decimal, first: date, last: date
) -> str:
    """The first row that is not as it should be, in words; empty where all are."""
    reached = ""
    for row in rows:
        wanted = units if row["start"] >= first.isoformat() else 0
        place = f"{row['start']} to {row['end']}"
        if row["units"] != wanted:
            return f"{place} shows {row['units']} units, not {wanted}"
        if wanted and (Decimal(row["unit_price"]), Decimal(row["unit_cost"])) != (price, cost):
            return f"{place} shows price {row['unit_price']} and cost {row['unit_cost']}, not {price} and {cost}"
        reached = row["end"]
    return "" if reached == last.isoformat() else f"the rows end on {reached or 'no day'}, the contract on {last}"


def _words(error: Exception) -> str:
    return " ".join(error.messages) if isinstance(error, ValidationError) else str(error)
