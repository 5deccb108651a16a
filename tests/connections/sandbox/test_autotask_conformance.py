"""Exchanges with the stand-in, held against the vendor's specification where its checker is at hand."""

import json
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest
import requests

from tests.connections.sandbox.autotask_api import CONTRACT

CHECKER = Path(__file__).resolve().parents[4] / "shared" / "checks" / "autotask_conformance.py"
ALL = {"filter": [{"op": "exist", "field": "id"}]}
SERVED = ["Companies", "Contracts", "Services", "Products", "ContractServices", "ContractServiceUnits"]
SERVED += ["ContractCharges", "ContractNotes", "BillingCodes", "BillingItems", "Currencies"]

pytestmark = pytest.mark.skipif(
    not CHECKER.exists(), reason=f"the specification checker is missing: it belongs at {CHECKER}"
)


def check(record):
    return subprocess.run([sys.executable, str(CHECKER), str(record)], capture_output=True, text=True, timeout=60)


def tour(api):
    """Every entity read in every way, every kind of write, and a handful of refusals."""
    company = {"companyName": "New", "companyType": 1, "ownerResourceID": 1, "phone": "1"}
    company_id = api.post("Companies", company).json()["itemId"]
    contract = api.post("Contracts", {"companyID": company_id, "contractName": "New", **CONTRACT}).json()["itemId"]
    service = {"name": "New", "unitPrice": 1.5, "periodType": 2, "billingCodeID": 20}
    service_id = api.post("Services", service).json()["itemId"]
    line = {"contractID": contract, "serviceID": service_id, "internalDescription": "key"}
    line_id = api.post(f"Contracts/{contract}/Services", line).json()["itemId"]
    api.adjust("2026-05-20", 3, price=2.25, line=line_id)
    adjustment = {"contractServiceID": line_id, "effectiveDate": "2026-06-01", "adjustedUnitCost": 1}
    api.post(f"Contracts/{contract}/ServiceAdjustments", adjustment)
    api.patch(f"Contracts/{contract}/Services", {"id": line_id, "internalDescription": "other"})
    product = {"name": "P", "isActive": True, "isSerialized": False, "productBillingCodeID": 21}
    product_id = api.post("Products", product).json()["itemId"]
    charge = {"contractID": contract, "name": "C", "chargeType": 1, "datePurchased": "2026-05-31", "unitQuantity": 1}
    for _ in range(2):
        charge_id = api.post(f"Contracts/{contract}/Charges", charge | {"productID": product_id}).json()["itemId"]
    api.patch(f"Contracts/{contract}/Charges", {"id": charge_id, "unitPrice": 7})
    api.call("DELETE", f"Contracts/{contract}/Charges/{charge_id}")
    api.post(f"Contracts/{contract}/Notes", {"contractID": contract, "title": "T", "description": "D"})
    api.patch("Contracts", {"id": contract, "endDate": "2027-12-31"})
    api.control("post", {"contract": contract, "period": "2026-05-01"})
    for child in ("Services", "ServiceUnits", "Charges", "Notes"):
        api.get(f"Contracts/{contract}/{child}")
    for entity in SERVED:
        first = api.post(f"{entity}/query", ALL | {"MaxRecords": 1}).json()
        api.get(f"{entity}/{first['items'][0]['id']}")
        api.get(f"{entity}/query", search=json.dumps(ALL))
        api.get(f"{entity}/entityInformation")
        if first["pageDetails"]["nextPageUrl"]:
            api.post(first["pageDetails"]["nextPageUrl"], ALL | {"MaxRecords": 1})
    api.get("Services/entityInformation/fields")
    api.get("Companies/query/count", search=json.dumps(ALL))
    api.get("Companies/999")
    api.get("ThresholdInformation")
    api.adjust("2030-01-01", 1)
    api.get("Contracts")
    api.get("Nothing/1")
    for fault in ("drop_after", "error_500_plain", "half_body"):
        api.fault(fault)
        with suppress(requests.RequestException):
            api.get("Companies/10")


def test_every_exchange_agrees_with_the_vendors_specification(start_autotask, tmp_path):
    record = tmp_path / "record.jsonl"
    tour(start_autotask(record=record))
    found = check(record)
    assert found.returncode == 0, found.stdout
    assert len(record.read_text().splitlines()) > 70


def test_an_exchange_against_the_specification_is_noticed(start_autotask, tmp_path):
    record = tmp_path / "record.jsonl"
    api = start_autotask(record=record)
    api.patch("Companies", {"id": 10, "createDate": "2026-01-01"})
    found = check(record)
    assert (found.returncode, "CompanyModel.createDate is read-only" in found.stdout) == (1, True)
