"""Autotask as a PSA: what the product asks, in the words of connections.psa.base."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, suppress
from datetime import UTC, date, datetime, timedelta
from typing import Any, Literal, TypeVar

from connections.psa.autotask import creating, translate
from connections.psa.autotask.api import MOST_VALUES, Api, Condition, Row, any_of, condition
from connections.psa.autotask.probe import probe
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
from portal.far_side import Rejected, Unavailable

COMPANIES, SERVICES, CONTRACTS = "Companies", "Services", "Contracts"
LINES, UNITS, ADJUSTMENTS, CURRENCIES = (
    "ContractServices",
    "ContractServiceUnits",
    "ContractServiceAdjustments",
    "Currencies",
)
CHARGES, BILLING_CODES = "ContractCharges", "BillingCodes"

T = TypeVar("T")


class AutotaskPsa:
    """Implements connections.psa.base.Psa over Autotask's REST API."""

    capabilities = Capabilities()

    def __init__(self, api: Api) -> None:
        self.api = api

    def probe(self) -> Sequence[ProbeResult]:
        results = probe(self.api)
        self._currencies(fresh=True)
        with suppress(Rejected, Unavailable):  # no right, and nothing that is needed
            self.api.count_requests()
        return results

    def count_requests(self) -> None:
        self.api.count_requests()

    def currencies(self) -> Sequence[str]:
        known = self._currencies()
        base = known.get(None)
        return [base, *sorted({*known.values()} - {base})] if base else []

    @property
    def as_of(self) -> datetime | None:
        return self.api.as_of

    def dated(self) -> frozenset[str]:
        return frozenset(entity.lower() for entity in (COMPANIES, SERVICES, CONTRACTS) if self._modified(entity))

    def companies(self, *, after_id: int = -1, since: Since | None = None) -> Iterator[Sequence[Company]]:
        pages = self._pages(COMPANIES, translate.COMPANY_FIELDS, after_id, since)
        return self._translated(pages, self._company_reader)

    def services(self, *, after_id: int = -1, since: Since | None = None) -> Iterator[Sequence[Service]]:
        known = self.api.description(SERVICES).fields
        extras = [name for name in translate.SERVICE_EXTRAS if name in known]
        pages = self._pages(SERVICES, [*translate.SERVICE_FIELDS, *extras], after_id, since)
        return self._translated(pages, self._service_reader)

    def contracts(self, *, after_id: int = -1, since: Since | None = None) -> Iterator[Sequence[Contract]]:
        pages = self._pages(CONTRACTS, translate.CONTRACT_FIELDS, after_id, since)
        return self._translated(pages, self._contract_reader)

    def lines(self, *, after_id: int = -1, since: Since | None = None) -> Iterator[Sequence[Line]]:
        pages = self._pages(LINES, translate.LINE_FIELDS, after_id, since)
        return self._translated(pages, lambda: translate.line)

    def company(self, company_id: int) -> Company | None:
        row = self.api.get(COMPANIES, company_id)
        return self._company_reader()(row) if row else None

    def service(self, service_id: int) -> Service | None:
        row = self.api.get(SERVICES, service_id)
        return self._service_reader()(row) if row else None

    def contract(self, contract_id: int) -> Contract | None:
        row = self.api.get(CONTRACTS, contract_id)
        return self._contract_reader()(row) if row else None

    def lines_of(self, contract_id: int) -> Sequence[Line]:
        return self._lines(condition("eq", "contractID", contract_id))

    def unit_rows(self, line_ids: Sequence[int], *, since: date | None = None) -> Sequence[UnitRow]:
        found: list[UnitRow] = []
        for start in range(0, len(line_ids), MOST_VALUES):
            chunk = list(line_ids[start : start + MOST_VALUES])
            conditions = [condition("in", "contractServiceID", chunk) if len(chunk) > 1 else _only(chunk[0])]
            if since is not None:
                # A day earlier than needed, in case a tenant compares in a time zone of its own; sorted out below.
                conditions.append(condition("gte", "endDate", (since - timedelta(days=1)).isoformat()))
            for page in self.api.rows(UNITS, conditions, translate.UNIT_FIELDS):
                found += map(translate.unit_row, page)
        return sorted(
            (row for row in found if since is None or row.ends_on >= since),
            key=lambda row: (row.line_id, row.starts_on, row.id),
        )

    def create_line(self, contract_id: int, service_id: int, *, key: str) -> int | None:
        kept = key[: translate.KEY_LENGTH]
        values = {"contractID": contract_id, "serviceID": service_id, "internalDescription": kept}
        return self.api.create(f"{CONTRACTS}/{contract_id}/Services", LINES, values)

    def find_lines(self, contract_id: int, service_id: int, *, key: str) -> Sequence[Line]:
        wanted = key[: translate.KEY_LENGTH]
        lines = self._lines(
            condition("eq", "contractID", contract_id),
            condition("eq", "serviceID", service_id),
            condition("eq", "internalDescription", wanted),
        )
        return [line for line in lines if line.key == wanted]

    def adjust(self, request: AdjustmentRequest) -> None:
        self.api.create(ADJUSTMENTS, ADJUSTMENTS, translate.adjustment(request))

    def next_in_line(self) -> AbstractContextManager[None]:
        return self.api.in_line(ADJUSTMENTS)

    def extend_contract(self, contract_id: int, end: date) -> None:
        self.api.patch(CONTRACTS, CONTRACTS, contract_id, {"endDate": end.isoformat()})

    def billing_codes(self, *, of_services: bool = False) -> Sequence[BillingCode]:
        uses = self.api.description(BILLING_CODES).labels.get("useType", {})
        word = "recurring" if of_services else "material"
        fitting = {value for value, label in uses.items() if word in label.lower()}
        pages = self.api.rows(BILLING_CODES, [condition("eq", "isActive", True)], translate.BILLING_CODE_FIELDS)
        rows = [row for page in pages for row in page if not fitting or row.get("useType") in fitting]
        return sorted(map(translate.billing_code, rows), key=lambda code: code.name.casefold())

    def create_charge(self, request: ChargeRequest) -> int | None:
        charge_type = self.api.description(CHARGES).value("chargeType", translate.OPERATIONAL)
        body = translate.charge_body(request, charge_type=charge_type)
        return self.api.create(f"{CONTRACTS}/{request.contract_id}/Charges", CHARGES, body)

    def find_charges(self, contract_id: int, *, key: str) -> Sequence[Charge]:
        ours = [
            condition("eq", "contractID", contract_id),
            condition("eq", "internalPurchaseOrderNumber", key),
        ]
        read, pages = self._charge_reader(), self.api.rows(CHARGES, ours, translate.CHARGE_FIELDS)
        return [charge for page in pages for row in page if (charge := read(row)).key == key]

    def billing_preferences(self) -> Sequence[str]:
        return creating.billing_preferences(self.api)

    def missing_right(self, noun: Literal["service", "contract"]) -> str:
        return creating.missing_right(self.api, noun)

    def create_service(self, request: ServiceRequest) -> int | None:
        return creating.create_service(self.api, request)

    def find_services(self, *, note: str) -> Sequence[Service]:
        read = self._service_reader()
        return [read(row) for row in creating.services_with(self.api, note, translate.SERVICE_FIELDS)]

    def create_contract(self, request: ContractRequest) -> int | None:
        return creating.create_contract(self.api, request)

    def find_contracts(self, company_id: int, *, number: str) -> Sequence[Contract]:
        read = self._contract_reader()
        return [read(row) for row in creating.contracts_with(self.api, company_id, number, translate.CONTRACT_FIELDS)]

    def _lines(self, *conditions: dict[str, Any]) -> list[Line]:
        pages = self.api.rows(LINES, conditions, translate.LINE_FIELDS)
        return [translate.line(row) for page in pages for row in page]

    def _pages(self, entity: str, fields: Sequence[str], after_id: int, since: Since | None) -> Iterator[Sequence[Row]]:
        """All rows of an entity, or those that `since` names: changes are few, so they are read page after page."""
        modified = self._modified(entity)
        wanted = [*fields, modified] if modified else fields
        if since is None:
            return self.api.all_rows(entity, wanted, after_id=after_id)
        named: list[Condition] = [condition("gt", "id", since.last_id)]
        if modified:
            named.append(condition("gte", modified, f"{since.modified.astimezone(UTC):%Y-%m-%dT%H:%M:%S}Z"))
        if since.contract_ids:
            named.append(condition("in", "contractID", list(since.contract_ids)))
        return self.api.rows(entity, [any_of(named)], wanted, after_id=after_id)

    def _modified(self, entity: str) -> str | None:
        """The field in which this Autotask keeps when a row was modified; None where it has none that can be asked."""
        name = translate.MODIFIED.get(entity.lower())
        return name if name and name in self.api.description(entity).queryable else None

    def _translated(
        self, pages: Iterator[Sequence[Row]], reader: Callable[[], Callable[[Row], T]]
    ) -> Iterator[Sequence[T]]:
        read: Callable[[Row], T] | None = None
        for page in pages:
            read = read or reader()
            yield [read(row) for row in page]

    def _company_reader(self) -> Callable[[Row], Company]:
        description, currencies = self.api.description(COMPANIES), self._currencies()
        return lambda row: translate.company(
            row,
            type_label=description.label("companyType", row.get("companyType")),
            currency=currencies.get(row.get("currencyID"), ""),
        )

    def _service_reader(self) -> Callable[[Row], Service]:
        description = self.api.description(SERVICES)
        return lambda row: translate.service(row, period_label=description.label("periodType", row.get("periodType")))

    def _contract_reader(self) -> Callable[[Row], Contract]:
        description = self.api.description(CONTRACTS)
        return lambda row: translate.contract(
            row,
            type_label=description.label("contractType", row.get("contractType")),
            period_label=description.label("contractPeriodType", row.get("contractPeriodType")),
            status_label=description.label("status", row.get("status")),
        )

    def _charge_reader(self) -> Callable[[Row], Charge]:
        description = self.api.description(CHARGES)
        return lambda row: translate.charge(row, status_label=description.label("status", row.get("status")))

    def _currencies(self, *, fresh: bool = False) -> dict[int | None, str]:
        """ISO codes by id, the base currency under None as well. Empty where the API user may not read currencies."""
        return self.api.kept("currencies", self._read_currencies, fresh=fresh)

    def _read_currencies(self) -> dict[int | None, str]:
        fields = ("id", "name", "isInternalCurrency")
        found: dict[int | None, str] = {}
        try:
            for page in self.api.rows(CURRENCIES, (), fields):
                for row in page:
                    found[int(row["id"])] = str(row["name"])
                    if row.get("isInternalCurrency"):
                        found[None] = str(row["name"])
        except Rejected:
            return {}
        return found


def _only(line_id: int) -> dict[str, Any]:
    return condition("eq", "contractServiceID", line_id)
