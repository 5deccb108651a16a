"""The client on answers as Autotask's documentation and live tenants give them."""

import json
from datetime import date
from decimal import Decimal
from uuid import uuid4

import pytest
import responses
from django.core.cache import cache

from connections.budget import ProcessBudget
from connections.psa.autotask.api import Api, Credentials
from connections.psa.autotask.client import AutotaskPsa
from connections.psa.autotask.zone import Zone
from connections.psa.types import AdjustmentRequest, Contract, UnitRow
from portal.far_side import Rejected, Unauthorized

BASE = "https://webservices14.autotask.net/ATServicesRest/V1.0"
DIRECTORY = "https://webservices.autotask.net/atservicesrest/v1.0/zoneInformation"


def picklist(name, **labels):
    values = [{"value": value, "label": label, "isActive": True} for label, value in labels.items()]
    return {"name": name, "dataType": "integer", "isPickList": True, "picklistValues": values}


FIELDS = {
    "fields": [
        picklist("contractType", **{"Recurring Service": "7", "Umbrella": "9"}),
        picklist("contractPeriodType", Monthly="2", Yearly="5", **{"Semi-Annually": "4"}),
        picklist("status", Active="1", Inactive="0"),
        {"name": "contractName", "dataType": "string", "isPickList": False, "picklistValues": None},
    ]
}
CONTRACT = {
    "id": 29683370,
    "companyID": 174,
    "contractName": "Microsoft 365 (CSP)",
    "contractNumber": None,
    "contractType": 7,
    "contractPeriodType": 4,
    "status": 1,
    "startDate": "2019-12-31T00:00:00Z",
    "endDate": "2020-12-31T00:00:00.000Z",
    "renewedContractID": None,
    "userDefinedFields": [{"name": "Subscription ID", "value": None}],
}


@pytest.fixture
def far(settings):
    settings.AUTOTASK_ZONE_URL = DIRECTORY
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        yield mock


@pytest.fixture
def kept():
    return []


@pytest.fixture
def psa(far, kept):
    credentials = Credentials("api@example.com", "s3cret!", "T" * 27, impersonate_resource_id=29)
    zone = Zone(BASE, "https://ww14.autotask.net")
    return AutotaskPsa(
        Api(credentials, key=str(uuid4()), budget=ProcessBudget(), cache=cache, zone=zone, keep_zone=kept.append)
    )


def sent(call):
    return json.loads(call.request.body)


def test_a_contract_is_read_with_the_labels_of_this_tenant(far, psa):
    far.get(f"{BASE}/Contracts/29683370", json={"item": CONTRACT})
    far.get(f"{BASE}/Contracts/entityInformation/fields", json=FIELDS)
    expected = Contract(
        id=29683370,
        company_id=174,
        name="Microsoft 365 (CSP)",
        number="",
        type_label="Recurring Service",
        period="semi_annual",
        is_active=True,
        starts_on=date(2019, 12, 31),
        ends_on=date(2020, 12, 31),
        renewed_contract_id=None,
    )
    assert psa.contract(29683370) == psa.contract(29683370) == expected
    assert sum("fields" in call.request.url for call in far.calls) == 1


def test_a_zone_without_field_information_of_contracts_gets_the_usual_labels(far, psa):
    far.get(f"{BASE}/Contracts/29683370", json={"item": CONTRACT})
    far.get(f"{BASE}/Contracts/entityInformation/fields", status=404, json={"Message": "No HTTP resource was found."})
    assert psa.contract(29683370).type_label == "Recurring Service"


@pytest.mark.parametrize("answer", [{"json": {"item": None}}, {"status": 404, "json": {"Message": "Not found."}}])
def test_a_row_that_is_not_there_is_none(far, psa, answer):
    far.get(f"{BASE}/Contracts/1", **answer)
    assert psa.contract(1) is None


def test_every_request_carries_the_three_headers_and_only_writes_impersonate(far, psa):
    far.post(f"{BASE}/ContractServices/query", json={"items": [], "pageDetails": {"count": 0, "nextPageUrl": None}})
    far.post(f"{BASE}/ContractServiceAdjustments", json={"itemId": None})
    psa.lines_of(77)
    psa.adjust(AdjustmentRequest(9001, date(2026, 3, 10), 3))
    read, write = (call.request.headers for call in far.calls)
    for headers in (read, write):
        assert (headers["ApiIntegrationCode"], headers["UserName"]) == ("T" * 27, "api@example.com")
        assert headers["Secret"] == "s3cret!"
        assert headers["Content-Type"] == "application/json"
    assert "ImpersonationResourceId" not in read
    assert write["ImpersonationResourceId"] == "29"


def test_a_query_goes_by_post_with_the_fields_it_needs(far, psa):
    far.post(f"{BASE}/ContractServices/query", json={"items": [], "pageDetails": {"nextPageUrl": None}})
    assert psa.find_lines(77, 55, key="sub-1") == []
    body = sent(far.calls[0])
    assert body["MaxRecords"] == 500
    assert {"id", "contractID", "serviceID", "internalDescription"} < set(body["IncludeFields"])
    assert body["filter"] == [
        {"op": "eq", "field": "contractID", "value": 77},
        {"op": "eq", "field": "serviceID", "value": 55},
        {"op": "eq", "field": "internalDescription", "value": "sub-1"},
        {"op": "gt", "field": "id", "value": -1},
    ]


def test_further_pages_are_asked_for_by_the_last_id(far, psa):
    following = f"{BASE}/ContractServiceUnits/query/next?paging=%7b%22pageSize%22%3a500%7d"
    far.post(f"{BASE}/ContractServiceUnits/query", json={"items": [unit(7)], "pageDetails": {"nextPageUrl": following}})
    far.post(f"{BASE}/ContractServiceUnits/query", json={"items": [unit(9)], "pageDetails": {"nextPageUrl": None}})
    assert [row.id for row in psa.unit_rows([9001])] == [7, 9]
    assert [call.request.url for call in far.calls] == [f"{BASE}/ContractServiceUnits/query"] * 2
    assert sent(far.calls[1])["filter"][-1] == {"op": "gt", "field": "id", "value": 7}


def unit(row_id):
    return {
        "id": row_id,
        "contractServiceID": 9001,
        "contractID": 77,
        "serviceID": 55,
        "startDate": "2021-12-01T00:00:00Z",
        "endDate": "2021-12-31T00:00:00Z",
        "units": 3,
        "price": 386.6450,
        "cost": 100,
        "approveAndPostDate": "2022-01-02T08:52:54.023Z",
    }


def test_unit_rows_keep_their_money_and_their_days(far, psa):
    body = json.dumps({"items": [unit(7)], "pageDetails": {"nextPageUrl": None}}).replace("386.645", "386.6450")
    far.post(f"{BASE}/ContractServiceUnits/query", body=body)
    [row] = psa.unit_rows([9001])
    assert row == UnitRow(
        id=7,
        line_id=9001,
        contract_id=77,
        service_id=55,
        starts_on=date(2021, 12, 1),
        ends_on=date(2021, 12, 31),
        units=3,
        price=Decimal("386.6450"),
        cost=Decimal(100),
        posted=True,
    )
    assert str(row.price) == "386.6450"


def test_many_lines_are_asked_for_in_chunks_of_500(far, psa):
    far.post(f"{BASE}/ContractServiceUnits/query", json={"items": [], "pageDetails": {"nextPageUrl": None}})
    psa.unit_rows(list(range(1, 1002)), since=date(2026, 5, 1))
    filters = [sent(call)["filter"] for call in far.calls]
    assert [len(each[0]["value"]) if each[0]["op"] == "in" else 1 for each in filters] == [500, 500, 1]
    assert filters[0][1] == {"op": "gte", "field": "endDate", "value": "2026-04-30"}


@pytest.mark.parametrize(
    ("request_", "body"),
    [
        (
            AdjustmentRequest(9001, date(2026, 3, 10), 3),
            {"id": 0, "contractServiceID": 9001, "effectiveDate": "2026-03-10", "unitChange": 3},
        ),
        (
            AdjustmentRequest(9001, date(2026, 4, 1), 0, price=Decimal("19.8"), cost=Decimal("16.2")),
            {
                "id": 0,
                "contractServiceID": 9001,
                "effectiveDate": "2026-04-01",
                "unitChange": 0,
                "adjustedUnitPrice": 19.8,
                "adjustedUnitCost": 16.2,
            },
        ),
    ],
)
def test_an_adjustment_names_the_line_and_only_what_changes(far, psa, request_, body):
    far.post(f"{BASE}/ContractServiceAdjustments", json={"itemId": None})
    psa.adjust(request_)
    assert sent(far.calls[0]) == body


def test_a_line_is_made_below_its_contract_with_our_key(far, psa):
    far.post(f"{BASE}/Contracts/77/Services", json={"itemId": 29683363})
    assert psa.create_line(77, 55, key="sub-1") == 29683363
    assert sent(far.calls[0]) == {"id": 0, "contractID": 77, "serviceID": 55, "internalDescription": "sub-1"}


def test_a_line_without_an_id_in_the_answer_is_made_all_the_same(far, psa):
    far.post(f"{BASE}/Contracts/77/Services", json={"itemId": None})
    assert psa.create_line(77, 55, key="sub-1") is None


def test_a_patch_goes_to_the_collection_with_the_id_in_its_body(far, psa):
    far.patch(f"{BASE}/Contracts", json={"itemId": None})
    psa.api.patch("Contracts", "Contracts", 77, {"endDate": "2027-12-31"})
    assert sent(far.calls[0]) == {"id": 77, "endDate": "2027-12-31"}


def test_a_refusal_keeps_autotasks_words_but_never_a_secret(far, psa):
    far.post(f"{BASE}/ContractServiceAdjustments", status=500, json={"errors": ["No s3cret! for " + "T" * 27 + "."]})
    with pytest.raises(Rejected) as caught:
        psa.adjust(AdjustmentRequest(9001, date(2026, 3, 10), 3))
    assert caught.value.raw == "No ******** for ********."


def test_after_a_401_a_database_that_moved_is_found_in_its_new_zone(far, psa, kept):
    new = "https://webservices15.autotask.net/ATServicesRest/V1.0"
    far.post(f"{BASE}/ContractServiceAdjustments", status=401)
    far.get(DIRECTORY, json={"url": "https://webservices15.autotask.net/ATServicesRest/", "webUrl": ""})
    far.post(f"{new}/ContractServiceAdjustments", json={"itemId": None})
    psa.adjust(AdjustmentRequest(9001, date(2026, 3, 10), 3))
    assert kept == [Zone(new, "")]


def test_after_a_401_a_database_that_stayed_is_not_asked_again(far, psa):
    far.get(f"{BASE}/Contracts/77", status=401)
    far.get(DIRECTORY, json={"url": "https://webservices14.autotask.net/ATServicesRest/"})
    with pytest.raises(Unauthorized):
        psa.contract(77)
    assert sum(call.request.url.startswith(BASE) for call in far.calls) == 1


def test_a_401_is_a_401_even_where_the_directory_is_down(far, psa):
    far.get(f"{BASE}/Contracts/77", status=401)
    far.get(DIRECTORY, status=503)
    with pytest.raises(Unauthorized, match="refuses the secret"):
        psa.contract(77)


def test_a_user_who_is_gone_is_named(far, psa):
    far.get(f"{BASE}/Contracts/77", status=401)
    far.get(DIRECTORY, status=500, json={"errors": ["Zone information could not be determined."]})
    with pytest.raises(Unauthorized, match="does not know the API user"):
        psa.contract(77)


def test_rows_are_counted_without_being_read(far, psa):
    far.post(f"{BASE}/Companies/query/count", json={"queryCount": 20000})
    assert psa.api.count("Companies", [{"op": "gte", "field": "id", "value": 0}]) == 20000
