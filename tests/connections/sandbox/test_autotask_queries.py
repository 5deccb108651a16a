import json

import pytest
import requests

from tests.connections.sandbox.autotask_api import CONTRACT, database

COMPANIES = [0, 10, 11, 12]


@pytest.mark.parametrize(
    ("field", "operator", "value", "expected"),
    [
        ("companyName", "eq", "müller bau GMBH", [10]),
        ("companyName", "eq", "VENDOR", [12]),
        ("companyName", "noteq", "vendor", [0, 10, 11]),
        ("companyName", "contains", "ÜLLER", [10]),
        ("companyName", "contains", "100%", [11]),
        ("companyName", "contains", "_", []),
        ("companyName", "beginsWith", "cont", [11]),
        ("companyName", "endsWith", "b.v.", [11]),
        ("CompanyType", "gt", 1, [12]),
        ("id", "gte", 11, [11, 12]),
        ("id", "lt", 10, [0]),
        ("id", "lte", "10", [0, 10]),
        ("id", "in", [0, 12, 99], [0, 12]),
        ("id", "notIn", [0, 12], [10, 11]),
        ("companyName", "in", ["MÜLLER bau gmbh", "vendor"], [10, 12]),
        ("isActive", "eq", False, [11]),
        ("companyNumber", "exist", None, [10]),
        ("companyNumber", "notExist", None, [0, 11, 12]),
    ],
)
def test_operators_find_by_id_order_without_regard_to_case(autotask, field, operator, value, expected):
    assert autotask.find("Companies", field, operator, value) == expected


def test_amounts_and_dates_compare_as_what_they_are(autotask):
    assert autotask.find("Services", "unitPrice", "gt", 9) == [31]
    assert autotask.find("Services", "unitPrice", "eq", 20.5) == [31]
    assert autotask.find("ContractServiceUnits", "startDate", "lt", "2026-01-01T00:00:01Z") != []
    assert autotask.find("ContractServiceUnits", "startDate", "lt", "2026-01-01") == []


def test_groups_nest(autotask):
    by_name = {"op": "contains", "field": "companyName", "value": "bau"}
    active_vendor = [{"op": "eq", "field": "companyType", "value": 6}, {"op": "eq", "field": "isActive", "value": True}]
    either = {"op": "or", "items": [by_name, {"op": "and", "items": active_vendor}]}
    assert [item["id"] for item in autotask.query("Companies", either)] == [10, 12]


def test_user_defined_values_are_found_by_name_one_condition_at_a_time(autotask):
    body = {
        "entity": "Contracts",
        "id": 70,
        "values": {"userDefinedFields": [{"name": "Subscription ID", "value": "s1"}]},
    }
    autotask.control("records", body)
    condition = {"op": "eq", "field": "subscription id", "value": "S1", "udf": True}
    found = autotask.query("Contracts", condition)
    assert [item["userDefinedFields"] for item in found] == [[{"name": "Subscription ID", "value": "s1"}]]
    assert len(autotask.query("Contracts", {**condition, "op": "notExist"})) == 2
    autotask.post("Contracts/query", {"filter": [condition, condition]})
    assert "1 user-defined field condition" in autotask.errors()


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ({}, "A filter is required"),
        ({"filter": [{"op": "eq", "field": "nope", "value": 1}]}, "Unable to find nope in the Company Entity."),
        ({"filter": [{"op": "exist", "field": "stockSymbol"}]}, "Unable to find stockSymbol in the Company Entity."),
        ({"filter": [{"op": "like", "field": "id", "value": 1}]}, "Unknown operator 'like'"),
        ({"filter": [{"op": "eq", "field": "id", "value": "ten"}]}, "converting the varchar value 'ten'"),
        ({"filter": [{"op": "in", "field": "id", "value": list(range(501))}]}, "500 or fewer 'OR' conditions"),
        ({"filter": [{"op": "in", "field": "id", "value": 1}]}, "needs a list"),
        ({"filter": [{"op": "eq", "field": "isActive", "value": 1}]}, "data type bit"),
        ({"filter": [{"op": "in", "field": "isActive", "value": ["true"]}]}, "data type bit"),
        ({"filter": [{"op": "or", "items": []}]}, "needs items"),
        ({"filter": [{"op": "exist", "field": "id"}], "MaxRecords": 0}, "must be between 1 and 500"),
        ({"filter": [{"op": "exist", "field": "id"}], "maxrecords": 501}, "must be between 1 and 500"),
        (
            {"filter": [{"op": "exist", "field": "id"}], "IncludeFields": ["x"]},
            "Unable to find x in the Company Entity.",
        ),
    ],
)
def test_a_wrong_query_is_answered_with_its_text(autotask, body, text):
    autotask.post("Companies/query", body)
    assert text in autotask.errors()


def test_a_search_longer_than_an_address_may_be_has_to_go_by_body(autotask):
    body = {"filter": [{"op": "in", "field": "id", "value": list(range(300))}]}
    answer = autotask.get("Companies/query", search=json.dumps(body))
    assert (answer.status_code, answer.headers["Content-Type"]) == (404, "text/html")
    assert autotask.post("Companies/query", body).status_code == 200


def test_only_the_included_fields_come_back(autotask):
    condition = {"op": "eq", "field": "id", "value": 10}
    assert autotask.query("Companies", condition, IncludeFields=["id", "COMPANYNAME"]) == [
        {"id": 10, "companyName": "Müller Bau GmbH"}
    ]
    whole = autotask.query("Companies", condition)[0]
    assert whole["taxID"] is None
    assert whole["userDefinedFields"] == [{"name": "Microsoft Tenant ID", "value": None}]


def test_counting_works_with_both_verbs(autotask):
    body = {"filter": [{"op": "exist", "field": "id"}]}
    assert autotask.post("Companies/query/count", body).json() == {"queryCount": 4}
    assert autotask.get("Companies/query/count", search=json.dumps(body)).json() == {"queryCount": 4}


@pytest.fixture
def many(start_autotask):
    contracts = [{"id": n, "companyID": 10, "contractName": f"C{n}", **CONTRACT} for n in range(1, 8)]
    return start_autotask(databases=[database(contracts=contracts, lines=[])])


def walk(api, method, first, body=None):
    pages, url = [], first
    while url:
        page = api.call(method, url, body).json()
        pages.append([item["id"] for item in page["items"]])
        url = page["pageDetails"]["nextPageUrl"]
    return pages


def test_pages_follow_each_other_with_the_verb_of_the_first(many):
    body = {"MaxRecords": 3, "filter": [{"op": "lt", "field": "id", "value": 8}]}
    assert walk(many, "POST", "Contracts/query", body) == [[1, 2, 3], [4, 5, 6], [7]]
    search = requests.models.PreparedRequest()
    search.prepare_url(many.base + "Contracts/query", {"search": json.dumps(body)})
    assert walk(many, "GET", search.url) == [[1, 2, 3], [4, 5, 6], [7]]


def test_the_other_verb_on_a_next_page_is_not_supported(many):
    body = {"MaxRecords": 3, "filter": [{"op": "exist", "field": "id"}]}
    details = many.post("Contracts/query", body).json()["pageDetails"]
    assert (details["count"], details["requestCount"], details["prevPageUrl"]) == (3, 3, None)
    assert many.get(details["nextPageUrl"]).status_code == 405
    assert many.last.json() == {"Message": "The requested resource does not support http method 'GET'."}
    second = many.call("POST", details["nextPageUrl"], body).json()["pageDetails"]
    assert [i["id"] for i in many.call("POST", second["prevPageUrl"], body).json()["items"]] == [1, 2, 3]


def test_a_page_that_is_exactly_full_is_the_last(many):
    page = many.post("Contracts/query", {"MaxRecords": 7, "filter": [{"op": "exist", "field": "id"}]}).json()
    assert (page["pageDetails"]["count"], page["pageDetails"]["nextPageUrl"]) == (7, None)
