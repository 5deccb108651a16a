"""A PSA in memory: it remembers, it bills by periods, and it fails where a test tells it to.

    psa = FakePsa(companies=[a_company()], services=[a_service()], contracts=[a_contract()])
    line = psa.add_line(100, 10, units=10, since=date(2026, 5, 1), key="sub-1")
    psa.fail_next("adjust", "drop_after")        # applied, and the answer is lost
    psa.edit(line, date(2026, 5, 20), 11)        # a person in the PSA
    psa.post_through(100, date(2026, 5, 31))     # every row that ends by then is posted
    psa.units_on(line, date(2026, 5, 20))

`calls` holds every call as (verb, argument), in order; `applied` every adjustment that took effect. Faults, by call:

    drop_before     nothing happens and no answer comes       OutcomeUnknown for a write, Unavailable for a read
    drop_after      it happens and no answer comes            the same
    reject, unavailable, unauthorized                         the error of that name, nothing happens
    swallow         a write is accepted and forgotten
    nameless        a create works and names no id
    stale           a read shows what was there before the last write

Its own refusals carry `context["why"]` as a real client's do. Plug it in with
`monkeypatch.setitem(connections.registry.PSAS, "autotask", lambda connection, **how: psa)`.
"""

import calendar
import threading
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from connections.psa.errors import Why
from connections.psa.types import (
    AdjustmentRequest,
    BillingCode,
    Capabilities,
    Charge,
    ChargeRequest,
    Company,
    Contract,
    ContractRequest,
    Line,
    ProbeResult,
    Service,
    ServiceRequest,
    Since,
    UnitRow,
)
from portal.far_side import OutcomeUnknown, Rejected, Unauthorized, Unavailable

MONTHS = {"monthly": 1, "quarterly": 3, "semi_annual": 6, "yearly": 12}
WRITES = ("adjust", "create_line", "create_charge", "extend_contract", "create_service", "create_contract")
FAULTS = ("drop_before", "drop_after", "reject", "unavailable", "unauthorized", "swallow", "nameless", "stale")
DAY = timedelta(days=1)


def a_company(id: int = 1, name: str = "Contoso", **fields: Any) -> Company:
    return Company(id, name, **({"type_label": "Customer", "is_active": True, "currency": "EUR"} | fields))


def a_service(id: int = 10, name: str = "Microsoft 365 Business Basic", **fields: Any) -> Service:
    defaults = {"period": "monthly", "is_active": True, "unit_price": Decimal("5.00"), "unit_cost": Decimal("4.00")}
    return Service(id, name, **(defaults | fields))


def a_contract(id: int = 100, name: str = "Microsoft 365 (CSP)", **fields: Any) -> Contract:
    defaults = {
        "company_id": 1,
        "number": "",
        "type_label": "Recurring Service",
        "period": "monthly",
        "is_active": True,
        "starts_on": date(2026, 1, 1),
        "ends_on": date(2027, 12, 31),
    }
    return Contract(id=id, name=name, **(defaults | fields))


@dataclass
class _Line:
    line: Line
    units: list[tuple[date, int]] = field(default_factory=list)
    prices: list[tuple[date, Decimal]] = field(default_factory=list)
    costs: list[tuple[date, Decimal]] = field(default_factory=list)

    def units_on(self, day: date) -> int:
        return sum(change for since, change in self.units if since <= day)

    def lowest_from(self, day: date) -> int:
        return min(self.units_on(when) for when in {day, *(since for since, _ in self.units if since > day)})


class FakePsa:
    """Implements connections.psa.base.Psa. Safe to call from several threads."""

    capabilities = Capabilities()

    def __init__(
        self,
        *,
        companies: Sequence[Company] = (),
        services: Sequence[Service] = (),
        contracts: Sequence[Contract] = (),
        same_date: str = "merge",
        page: int = 500,
    ) -> None:
        """`same_date`: merge, or duplicate (a second adjustment of a line and date is refused)."""
        self._companies = {company.id: company for company in companies}
        self._services = {service.id: service for service in services}
        self._contracts = {contract.id: contract for contract in contracts}
        self._lines: dict[int, _Line] = {}
        self._posted: dict[int, date] = {}
        self._faults: dict[str, list[str]] = defaultdict(list)
        self._meanwhile: dict[str, list[Callable[[], Any]]] = defaultdict(list)
        self._before: dict[int, tuple[UnitRow, ...]] = {}
        self._lock = threading.RLock()
        self._page = page
        self.same_date = same_date
        self.charges: list[Charge] = []
        self.codes, self.service_codes = [BillingCode(21, "Material")], [BillingCode(20, "Recurring")]
        self.notes: dict[int, str] = {}
        self.as_of: datetime | None = datetime(2026, 5, 15, 12, tzinfo=UTC)
        self.keeps_no_dates_of: tuple[str, ...] = ()
        self.missing_rights: tuple[str, ...] = ()
        self.calls: list[tuple[str, Any]] = []
        self.applied: list[AdjustmentRequest] = []

    # What a test does to it

    def add_line(
        self,
        contract_id: int,
        service_id: int,
        *,
        units: int = 0,
        since: date | None = None,
        price: Decimal | None = None,
        cost: Decimal | None = None,
        key: str = "",
        line_id: int | None = None,
    ) -> int:
        """A line that is there already; its prices are the service's unless given. Returns its id."""
        service, contract = self._services[service_id], self._contracts[contract_id]
        line_id = line_id or max([*self._lines, 1000]) + 1
        price = service.unit_price if price is None else price
        cost = service.unit_cost if cost is None else cost
        entry = _Line(Line(line_id, contract_id, service_id, key, price, cost))
        entry.prices.append((contract.starts_on, price))
        entry.costs.append((contract.starts_on, cost or Decimal(0)))
        if units:
            entry.units.append((since or contract.starts_on, units))
        self._lines[line_id] = entry
        return line_id

    def fail_next(self, verb: str, fault: str, *, times: int = 1, after: int = 0) -> None:
        """Let the next `times` calls of `verb` fail, once `after` of them went well."""
        assert fault in FAULTS, f"{fault} is no fault; known are {', '.join(FAULTS)}"
        assert hasattr(self, verb), f"{verb} is no call of a PSA"
        self._faults[verb] += [""] * after + [fault] * times

    def meanwhile(self, verb: str, action: Callable[[], Any]) -> None:
        """Run `action` once, directly after the next call of `verb` took effect."""
        self._meanwhile[verb].append(action)

    def edit(self, line_id: int, day: date, units: int, *, price: Decimal | None = None) -> None:
        """A person in the PSA sets the line to `units` from `day` on, later changes rippling along."""
        entry = self._lines[line_id]
        self._take(entry, AdjustmentRequest(line_id, day, units - entry.units_on(day), price))

    def post_through(self, contract_id: int, day: date) -> None:
        """Approve and post every row of the contract that ends by `day`."""
        self._posted[contract_id] = day

    def bill_charges(self, contract_id: int, day: date) -> None:
        """Approve and post the charges of the contract that were bought by `day`."""
        for index, one in enumerate(self.charges):
            if one.contract_id == contract_id and one.purchased_on and one.purchased_on <= day:
                self.charges[index] = replace(one, billed=True)

    def put_contract(self, contract: Contract) -> None:
        """Change a contract (its dates, its name, …), or add one. What an earlier end cuts off does not come back."""
        self._contracts[contract.id] = contract
        for entry in self._lines.values():
            if entry.line.contract_id == contract.id:
                for steps in (entry.units, entry.prices, entry.costs):
                    steps[:] = [step for step in steps if step[0] <= contract.ends_on]

    def put_company(self, company: Company) -> None:
        self._companies[company.id] = company

    def put_service(self, service: Service) -> None:
        self._services[service.id] = service

    def units_on(self, line_id: int, day: date) -> int:
        return self._lines[line_id].units_on(day)

    def rows(self, line_id: int) -> tuple[UnitRow, ...]:
        """What the line's unit rows are, whatever a reader is shown."""
        return tuple(self._rows_of(self._lines[line_id]))

    # The port

    def count_requests(self) -> None:
        """Nothing is limited here."""

    def probe(self) -> Sequence[ProbeResult]:
        with self._call("probe", None):
            needs = ("Read companies", "Read contracts", "Create contract service adjustments")
            return [ProbeResult(need, need not in self.missing_rights, "Tick it.") for need in needs]

    def currencies(self) -> Sequence[str]:
        return ["EUR", "USD"]

    def dated(self) -> frozenset[str]:
        return frozenset({"companies", "services", "contracts"} - {*self.keeps_no_dates_of})

    def companies(self, *, after_id: int = -1, since: Since | None = None) -> Iterator[Sequence[Company]]:
        return self._pages("companies", list(self._companies.values()), after_id, since)

    def services(self, *, after_id: int = -1, since: Since | None = None) -> Iterator[Sequence[Service]]:
        return self._pages("services", list(self._services.values()), after_id, since)

    def contracts(self, *, after_id: int = -1, since: Since | None = None) -> Iterator[Sequence[Contract]]:
        return self._pages("contracts", list(self._contracts.values()), after_id, since)

    def lines(self, *, after_id: int = -1, since: Since | None = None) -> Iterator[Sequence[Line]]:
        return self._pages("lines", [entry.line for entry in self._lines.values()], after_id, since)

    def company(self, company_id: int) -> Company | None:
        with self._call("company", company_id):
            return self._companies.get(company_id)

    def service(self, service_id: int) -> Service | None:
        with self._call("service", service_id):
            return self._services.get(service_id)

    def contract(self, contract_id: int) -> Contract | None:
        with self._call("contract", contract_id):
            return self._contracts.get(contract_id)

    def lines_of(self, contract_id: int) -> Sequence[Line]:
        with self._call("lines_of", contract_id):
            return [entry.line for entry in self._lines.values() if entry.line.contract_id == contract_id]

    def unit_rows(self, line_ids: Sequence[int], *, since: date | None = None) -> Sequence[UnitRow]:
        with self._call("unit_rows", tuple(line_ids)) as fault:
            found: list[UnitRow] = []
            for line_id in line_ids:
                if fault == "stale" and line_id in self._before:
                    found += self._before[line_id]
                elif line_id in self._lines:
                    found += self._rows_of(self._lines[line_id])
            return [row for row in found if since is None or row.ends_on >= since]

    def create_line(self, contract_id: int, service_id: int, *, key: str) -> int | None:
        with self._call("create_line", (contract_id, service_id, key)) as fault:
            contract, service = self._contracts.get(contract_id), self._services.get(service_id)
            if contract is None or service is None:
                raise _no(Why.MISSING_REFERENCE, "Reference value does not exist.")
            if fault == "swallow":
                return None
            line_id = self.add_line(contract_id, service_id, key=key)
            return None if fault == "nameless" else line_id

    def find_lines(self, contract_id: int, service_id: int, *, key: str) -> Sequence[Line]:
        with self._call("find_lines", (contract_id, service_id, key)):
            wanted = (contract_id, service_id, key)
            lines = [entry.line for entry in self._lines.values()]
            return [line for line in lines if (line.contract_id, line.service_id, line.key) == wanted]

    def adjust(self, request: AdjustmentRequest) -> None:
        with self._call("adjust", request) as fault:
            entry = self._lines.get(request.line_id)
            if entry is None:
                raise _no(Why.MISSING_REFERENCE, "Reference value on field: contractServiceID does not exist.")
            self._refuse(entry, request)
            if fault != "swallow":
                self._take(entry, request)
                self.applied.append(request)

    def next_in_line(self) -> AbstractContextManager[None]:
        return nullcontext()

    def extend_contract(self, contract_id: int, end: date) -> None:
        with self._call("extend_contract", (contract_id, end)) as fault:
            contract = self._contracts.get(contract_id)
            if contract is None:
                raise _no(Why.MISSING_REFERENCE, "No matching records found.")
            if end < self._posted.get(contract_id, date.min):
                raise _no(Why.POSTED_PERIOD, "deletion/modification of an already approved and posted contract period")
            if fault != "swallow":
                self._contracts[contract_id] = replace(contract, ends_on=end)

    def billing_codes(self, *, of_services: bool = False) -> Sequence[BillingCode]:
        with self._call("billing_codes", of_services):
            return list(self.service_codes if of_services else self.codes)

    def billing_preferences(self) -> Sequence[str]:
        with self._call("billing_preferences", None):
            return ["Immediately without review", "Manually"]

    def missing_right(self, noun: str) -> str:
        with self._call("missing_right", noun):
            return f"Allow it to create {noun}s." if f"Create {noun}s" in self.missing_rights else ""

    def create_service(self, request: ServiceRequest) -> int | None:
        with self._call("create_service", request) as fault:
            if request.billing_code_id not in {one.id for one in self.service_codes}:
                raise _no(Why.MISSING_REFERENCE, "Reference value does not exist.")
            if fault == "swallow":
                return None
            made = a_service(max([*self._services, 900]) + 1, request.name, period=request.period)
            made = replace(made, unit_price=request.unit_price, unit_cost=request.unit_cost)
            self._services[made.id], self.notes[made.id] = made, request.note
            return None if fault == "nameless" else made.id

    def find_services(self, *, note: str) -> Sequence[Service]:
        with self._call("find_services", note):
            return [self._services[pk] for pk, known in self.notes.items() if known == note]

    def create_contract(self, request: ContractRequest) -> int | None:
        with self._call("create_contract", request) as fault:
            if request.company_id not in self._companies:
                raise _no(Why.MISSING_REFERENCE, "Reference value does not exist.")
            if fault == "swallow":
                return None
            dates = {"starts_on": request.starts_on, "ends_on": request.ends_on, "number": request.number}
            where = {"company_id": request.company_id, "period": request.period}
            made = a_contract(max([*self._contracts, 900]) + 1, request.name, **where, **dates)
            self._contracts[made.id] = made
            return None if fault == "nameless" else made.id

    def find_contracts(self, company_id: int, *, number: str) -> Sequence[Contract]:
        with self._call("find_contracts", (company_id, number)):
            return [one for one in self._contracts.values() if (one.company_id, one.number) == (company_id, number)]

    def create_charge(self, request: ChargeRequest) -> int | None:
        with self._call("create_charge", request) as fault:
            known = request.contract_id in self._contracts and request.billing_code_id in {one.id for one in self.codes}
            if not known:
                raise _no(Why.MISSING_REFERENCE, "Reference value does not exist.")
            if fault == "swallow":
                return None
            charge = Charge(
                id=500 + len(self.charges),
                contract_id=request.contract_id,
                name=request.name,
                quantity=request.quantity,
                unit_price=request.unit_price,
                unit_cost=request.unit_cost,
                purchased_on=request.purchased_on,
                key=request.key,
                billed=False,
            )
            self.charges.append(charge)
            return None if fault == "nameless" else charge.id

    def find_charges(self, contract_id: int, *, key: str) -> Sequence[Charge]:
        with self._call("find_charges", (contract_id, key)):
            return [one for one in self.charges if (one.contract_id, one.key) == (contract_id, key)]

    # How it works

    def _call(self, verb: str, argument: Any) -> "_Call":
        return _Call(self, verb, argument)

    def _pages(self, verb: str, values: list[Any], after_id: int, since: Since | None) -> Iterator[Sequence[Any]]:
        wanted = sorted((value for value in values if value.id > after_id), key=lambda value: value.id)
        if since is not None:
            wanted = [value for value in wanted if self._is_new(verb, value, since)]
        for start in range(0, max(len(wanted), 1), self._page):
            with self._call(verb, after_id):
                page = wanted[start : start + self._page]
            yield page

    def _is_new(self, verb: str, value: Any, since: Since) -> bool:
        modified = getattr(value, "modified_at", None) if verb in self.dated() else None
        in_contract = getattr(value, "contract_id", None) in since.contract_ids
        return value.id > since.last_id or in_contract or (modified is not None and modified >= since.modified)

    def _refuse(self, entry: _Line, request: AdjustmentRequest) -> None:
        contract, day = self._contracts[entry.line.contract_id], request.effective
        if not contract.starts_on <= day <= contract.ends_on:
            raise _no(Why.OUTSIDE_CONTRACT, "effectiveDate must be between the start date and end date of the Contract")
        if any(row.posted and row.ends_on >= day for row in self._rows_of(entry)):
            raise _no(Why.POSTED_PERIOD, "deletion/modification of an already approved and posted contract period")
        taken = {change.effective for change in self.applied if change.line_id == entry.line.id}
        if self.same_date == "duplicate" and day in taken:
            raise _no(Why.DUPLICATE_DATE, "Attempt to insert duplicate data into contract_service_period")
        if entry.lowest_from(day) + request.unit_change < 0:
            raise _no(Why.BELOW_ZERO, "The resulting units cannot be less than zero.")

    def _take(self, entry: _Line, request: AdjustmentRequest) -> None:
        self._before[entry.line.id] = tuple(self._rows_of(entry))
        if request.unit_change:
            entry.units.append((request.effective, request.unit_change))
        for steps, value in ((entry.prices, request.price), (entry.costs, request.cost)):
            if value is not None:
                steps[:] = [step for step in steps if step[0] < request.effective] + [(request.effective, value)]
        entry.line = replace(entry.line, unit_price=entry.prices[-1][1], unit_cost=entry.costs[-1][1])

    def _rows_of(self, entry: _Line) -> Iterator[UnitRow]:
        line, contract = entry.line, self._contracts[entry.line.contract_id]
        posted = self._posted.get(contract.id, date.min)
        cuts = {since for steps in (entry.units, entry.prices, entry.costs) for since, _ in steps}
        starts = sorted({*period_starts(contract), *cuts})
        starts = [start for start in starts if contract.starts_on <= start <= contract.ends_on]
        for number, start in enumerate(starts):
            end = starts[number + 1] - DAY if number + 1 < len(starts) else contract.ends_on
            units = entry.units_on(start)
            yield UnitRow(
                id=line.id * 10_000 + number,
                line_id=line.id,
                contract_id=line.contract_id,
                service_id=line.service_id,
                starts_on=start,
                ends_on=end,
                units=units,
                price=units * _on(entry.prices, start),
                cost=units * _on(entry.costs, start),
                posted=end <= posted,
            )


class _Call:
    """One call: noted, failed where the script says so, under the lock."""

    def __init__(self, psa: FakePsa, verb: str, argument: Any) -> None:
        self.psa, self.verb, self.argument, self.fault = psa, verb, argument, ""

    def __enter__(self) -> str:
        self.psa._lock.acquire()
        self.psa.calls.append((self.verb, self.argument))
        script = self.psa._faults[self.verb]
        self.fault = script.pop(0) if script else ""
        try:
            self._refuse()
        except Exception:
            self.psa._lock.release()
            raise
        return self.fault

    def __exit__(self, kind: Any, error: Any, trace: Any) -> None:
        try:
            if error is None:
                for action in [self.psa._meanwhile[self.verb].pop(0)] if self.psa._meanwhile[self.verb] else []:
                    action()
                if self.fault == "drop_after":
                    raise self._lost()
        finally:
            self.psa._lock.release()

    def _refuse(self) -> None:
        if self.fault == "drop_before":
            raise self._lost()
        if self.fault == "reject":
            raise Rejected("The PSA says no.", advice="Ask a person.", raw="No.")
        if self.fault == "unavailable":
            raise Unavailable("The PSA does not answer.", advice="It is tried again.")
        if self.fault == "unauthorized":
            raise Unauthorized("The PSA refuses the credentials.", advice="Set them again.")

    def _lost(self) -> Exception:
        if self.verb in WRITES:
            return OutcomeUnknown("No answer came.", advice="It is read back.")
        return Unavailable("No answer came.", advice="It is tried again.")


def period_starts(contract: Contract) -> list[date]:
    """The first days of the contract's billing periods; a start on the 29th to 31st is clamped in short months."""
    first, step, starts = contract.starts_on, MONTHS[contract.period or "monthly"], []
    for count in range(0, 12 * 60, step):
        year, month = divmod(first.month - 1 + count, 12)
        year, month = first.year + year, month + 1
        start = date(year, month, min(first.day, calendar.monthrange(year, month)[1]))
        if start > contract.ends_on:
            break
        starts.append(start)
    return starts


def _no(why: Why, text: str) -> Rejected:
    return Rejected(f"The PSA refuses it: {text}", raw=text, context={"why": why.value})


def _on(steps: list[tuple[date, Decimal]], day: date) -> Decimal:
    return next((value for since, value in reversed(steps) if since <= day), Decimal(0))
