"""What the Autotask stand-in holds: many lines on 12-month contracts, or many companies with many contracts."""

from datetime import date, timedelta
from typing import Any

from tests.connections.sandbox.autotask_api import CONTRACT, USER

TODAY = "2026-05-10"
STARTED, ENDS = "2026-01-01", "2026-12-31"
LINES_PER_CONTRACT = 5
FIRST_COMPANY, FIRST_SERVICE, FIRST_CONTRACT, FIRST_LINE = 1_000, 20_000, 100_000, 500_000
UNITS = 10
LONG_ENDS = "2027-06-30"
BILLING_CODE = {"id": 20, "name": "Recurring", "isActive": True, "useType": 5, "unitPrice": 0, "unitCost": 0}
HISTORY = tuple((date.fromisoformat(STARTED) + timedelta(13 * n), 5 + n * 7 % 11) for n in range(1, 41))
WORDS = ("Alder", "Birch", "Cedar", "Dogwood", "Elm", "Fir", "Ginkgo", "Hazel", "Iris", "Juniper", "Kapok", "Larch")
TRADES = ("Bakery", "Clinic", "Dental", "Energy", "Foods", "Garage", "Harbour", "Insurance", "Joinery", "Kitchens")
FORMS = ("BV", "NV", "GmbH", "SARL", "Ltd", "SpA")


def lines_database(lines: int) -> dict[str, Any]:
    """`lines` lines of 10 units from the contract's first day on, five to a contract, a company for each contract."""
    contracts = -(-lines // LINES_PER_CONTRACT)
    return _tenant() | {
        "companies": [_company(number) for number in range(contracts)],
        "services": [_service(number) for number in range(LINES_PER_CONTRACT)],
        "contracts": [_contract(number, company=number) for number in range(contracts)],
        "lines": [_line(number) for number in range(lines)],
    }


def long_database() -> dict[str, Any]:
    """One line on a contract of 18 months that shows 40 changes, from HISTORY: date and units from then on."""
    before, units = UNITS, []
    for day, now in HISTORY:
        units.append({"date": str(day), "unitChange": now - before})
        before = now
    line = _line(0)
    contract = _contract(0, company=0) | {"endDate": LONG_ENDS}
    return lines_database(1) | {"contracts": [contract], "lines": [line | {"units": [*line["units"], *units]}]}


def wide_database(companies: int, contracts: int) -> dict[str, Any]:
    """Companies, the owner's own (id 0) among them, and contracts without lines."""
    return _tenant() | {
        "companies": [_company(number) for number in range(companies - 1)],
        "services": [_service(0)],
        "contracts": [_contract(number, company=number % (companies - 1)) for number in range(contracts)],
    }


def contract_of(line: int) -> int:
    return FIRST_CONTRACT + line // LINES_PER_CONTRACT


def service_of(line: int) -> int:
    return FIRST_SERVICE + line % LINES_PER_CONTRACT


def _tenant() -> dict[str, Any]:
    return {
        "key": "main",
        "name": "Northwind Cloud",
        "currency": "EUR",
        "zone": "EU",
        "users": [USER],
        "billing_codes": [BILLING_CODE],
    }


def _company(number: int) -> dict[str, Any]:
    word, trade = WORDS[number % len(WORDS)], TRADES[number // len(WORDS) % len(TRADES)]
    return {
        "id": FIRST_COMPANY + number,
        "companyName": f"{word} {trade} {number:05d} {FORMS[number % len(FORMS)]}",
        "companyType": 1,
        "phone": "1",
        "lastTrackedModifiedDateTime": STARTED,
    }


def _service(number: int) -> dict[str, Any]:
    return {
        "id": FIRST_SERVICE + number,
        "name": f"Microsoft 365 plan {number}",
        "unitPrice": 5,
        "unitCost": 4,
        "periodType": 2,
        "billingCodeID": 20,
        "lastModifiedDate": STARTED,
    }


def _contract(number: int, *, company: int) -> dict[str, Any]:
    return CONTRACT | {
        "id": FIRST_CONTRACT + number,
        "companyID": FIRST_COMPANY + company,
        "contractName": f"Cloud services {number:05d}",
        "startDate": STARTED,
        "endDate": ENDS,
        "lastModifiedDateTime": STARTED,
    }


def _line(number: int) -> dict[str, Any]:
    return {
        "id": FIRST_LINE + number,
        "contractID": contract_of(number),
        "serviceID": service_of(number),
        "internalDescription": f"SUB-{number}",
        "units": [{"date": STARTED, "unitChange": UNITS}],
    }
