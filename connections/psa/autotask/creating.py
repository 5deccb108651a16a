"""Making services and contracts in Autotask, and finding again what was made."""

from collections.abc import Sequence
from typing import Any, Literal

from connections.psa.autotask import translate
from connections.psa.autotask.advice import SECURITY_LEVELS
from connections.psa.autotask.api import Api, Row, condition
from connections.psa.errors import Why, why
from connections.psa.types import ContractRequest, Period, ServiceRequest
from portal.far_side import Rejected

SERVICES, CONTRACTS = "Services", "Contracts"
RECURRING_SERVICE = "Recurring Service"  # label of contractType
NAME_LENGTHS = {SERVICES: 150, CONTRACTS: 100}
NOTE_LENGTH, NUMBER_LENGTH = 400, 50
ALLOW = {"service": "Admin: Products & Services", "contract": "Contracts: Add"}
ENTITY = {"service": SERVICES, "contract": CONTRACTS}


def missing_right(api: Api, noun: Literal["service", "contract"]) -> str:
    """Asked only when somebody wants to create such a row: the product needs no such right for anything else."""
    try:
        information = api.information(ENTITY[noun])
    except Rejected as error:
        if why(error) is not Why.MISSING_RIGHT:
            raise
        information = {"canCreate": False}
    if information.get("canCreate", True) and str(information.get("userAccessForCreate") or "All") != "None":
        return ""
    return (
        f"The API user may not create {noun}s. In Autotask, open {SECURITY_LEVELS}, edit its level, and allow "
        f"{ALLOW[noun]}."
    )


def create_service(api: Api, request: ServiceRequest) -> int | None:
    period_type = _period_type(api, SERVICES, "periodType", request.period)
    return api.create(SERVICES, SERVICES, _service_body(request, period_type=period_type))


def create_contract(api: Api, request: ContractRequest) -> int | None:
    described = api.description(CONTRACTS)
    body = _contract_body(
        request,
        contract_type=described.value("contractType", RECURRING_SERVICE),
        period_type=_period_type(api, CONTRACTS, "contractPeriodType", request.period),
        status=described.value("status", translate.ACTIVE),
        billing=described.value("billingPreference", request.billing) if request.billing else None,
    )
    return api.create(CONTRACTS, CONTRACTS, body)


def billing_preferences(api: Api) -> Sequence[str]:
    return list(api.description(CONTRACTS).labels.get("billingPreference", {}).values())


def services_with(api: Api, note: str, fields: Sequence[str]) -> list[Row]:
    pages = api.rows(SERVICES, [condition("eq", "description", note)], [*fields, "description"])
    return [row for page in pages for row in page if row.get("description") == note]


def contracts_with(api: Api, company_id: int, number: str, fields: Sequence[str]) -> list[Row]:
    ours = [condition("eq", "companyID", company_id), condition("eq", "contractNumber", number)]
    return [row for page in api.rows(CONTRACTS, ours, fields) for row in page if row.get("contractNumber") == number]


def _period_type(api: Api, entity: str, name: str, period: Period) -> int:
    described = api.description(entity)
    label = translate.label_of_period(described.labels.get(name, {}).values(), period)
    return described.value(name, label or period)


def _service_body(request: ServiceRequest, *, period_type: int) -> dict[str, Any]:
    """The body of a service: the required fields, its cost, and the text that finds it again."""
    assert len(request.note) <= NOTE_LENGTH, "a text that is cut off would not be found again"
    return {
        "name": request.name[: NAME_LENGTHS[SERVICES]],
        "description": request.note,
        "periodType": period_type,
        "billingCodeID": request.billing_code_id,
        "unitPrice": request.unit_price,
        "unitCost": request.unit_cost,
        "isActive": True,
    }


def _contract_body(
    request: ContractRequest, *, contract_type: int, period_type: int, status: int, billing: int | None
) -> dict[str, Any]:
    """The body of a contract: what Autotask requires of one of the type Recurring Service, and our number."""
    assert len(request.number) <= NUMBER_LENGTH, "a number that is cut off would not be found again"
    body: dict[str, Any] = {
        "companyID": request.company_id,
        "contractName": request.name[: NAME_LENGTHS[CONTRACTS]],
        "contractNumber": request.number,
        "contractType": contract_type,
        "contractPeriodType": period_type,
        "status": status,
        "startDate": request.starts_on.isoformat(),
        "endDate": request.ends_on.isoformat(),
        "timeReportingRequiresStartAndStopTimes": 0,
    }
    return body if billing is None else body | {"billingPreference": billing}
