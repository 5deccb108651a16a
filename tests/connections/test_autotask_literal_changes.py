"""What changed and what may be done, on answers as Autotask's documentation and specification give them."""

from datetime import UTC, date, datetime

import pytest
import responses

from connections.psa.autotask.probe import NEEDS
from connections.psa.types import ChargeRequest, Since
from tests.connections.literal import BASE, DIRECTORY, a_psa, picklist, sent

INFORMATION = {
    "info": {
        "name": "Contract",
        "canCreate": True,
        "canDelete": False,
        "canQuery": True,
        "canUpdate": True,
        "userAccessForCreate": "All",
        "userAccessForDelete": "None",
        "userAccessForQuery": "Restricted",
        "userAccessForUpdate": "All",
        "hasUserDefinedFields": True,
        "supportsWebhookCallouts": False,
    }
}
COMPANY = {
    "id": 174,
    "companyName": "Contoso",
    "companyType": 1,
    "isActive": True,
    "currencyID": None,
    "lastTrackedModifiedDateTime": "2022-12-02T08:52:54.023Z",
}
SINCE = Since(500, datetime(2022, 12, 2, 8, 40, tzinfo=UTC))
DATE = {"Date": "Fri, 02 Dec 2022 09:00:00 GMT"}


@pytest.fixture
def far(settings):
    settings.AUTOTASK_ZONE_URL = DIRECTORY
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        yield mock


@pytest.fixture
def psa(far):
    return a_psa(keep_zone=lambda zone: None)


def field(name, **told):
    plain = {"dataType": "datetime", "length": 0, "isRequired": False, "isReadOnly": True, "isQueryable": True}
    return {"name": name, **plain, "isPickList": False, "picklistValues": None, **told}


def describe(far, entity, *fields):
    far.get(f"{BASE}/{entity}/entityInformation/fields", json={"fields": list(fields)}, headers=DATE)


def test_changed_and_new_companies_are_asked_for_in_one_query(far, psa):
    describe(far, "Companies", picklist("companyType", Customer="1"), field("lastTrackedModifiedDateTime"))
    far.post(f"{BASE}/Companies/query", json={"items": [COMPANY], "pageDetails": {"nextPageUrl": None}})
    far.post(f"{BASE}/Currencies/query", json={"items": [], "pageDetails": {"nextPageUrl": None}})
    [[company]] = psa.companies(since=SINCE)
    assert (company.name, company.type_label) == ("Contoso", "Customer")
    assert company.modified_at == datetime(2022, 12, 2, 8, 52, 54, 23_000, UTC)
    assert psa.as_of == datetime(2022, 12, 2, 9, tzinfo=UTC)
    body = sent(next(call for call in far.calls if call.request.url.endswith("Companies/query")))
    assert "lastTrackedModifiedDateTime" in body["IncludeFields"]
    assert body["filter"] == [
        {
            "op": "or",
            "items": [
                {"op": "gt", "field": "id", "value": 500},
                {"op": "gte", "field": "lastTrackedModifiedDateTime", "value": "2022-12-02T08:40:00Z"},
            ],
        },
        {"op": "gt", "field": "id", "value": -1},
    ]


@pytest.mark.parametrize("fields", [[], [field("lastModifiedDateTime", isQueryable=False)]])
def test_a_field_that_this_autotask_does_not_have_or_cannot_be_asked_for_is_never_named(far, psa, fields):
    describe(far, "Contracts", *fields)
    describe(far, "Companies")
    describe(far, "Services", field("lastModifiedDate"))
    far.post(f"{BASE}/Contracts/query", json={"items": [], "pageDetails": {"nextPageUrl": None}})
    assert list(psa.contracts(since=SINCE)) == []
    assert psa.dated() == {"services"}
    [query] = [call for call in far.calls if call.request.method == "POST"]
    assert "lastModifiedDateTime" not in query.request.body.decode()


def test_rights_are_those_of_the_entity_information(far, psa):
    periods = {"Monthly": "2", "Yearly": "5"}
    lists = {"companyType": {"Customer": "1"}, "contractType": {"Recurring Service": "7"}}
    lists |= {"contractPeriodType": periods, "periodType": periods}
    for entity in {need.entity for need in NEEDS}:
        names = {name for need in NEEDS if need.entity == entity for name in need.fields}
        far.get(f"{BASE}/{entity}/entityInformation", json=INFORMATION)
        describe(far, entity, *(picklist(name, **lists[name]) if name in lists else field(name) for name in names))
    far.post(f"{BASE}/Currencies/query", json={"items": [], "pageDetails": {"nextPageUrl": None}})
    results = psa.probe()
    assert all(result.granted for result in results)
    assert next(result.advice for result in results if result.need == "Read contracts").endswith("(Restricted).")


def test_a_charge_may_be_made_without_being_named(far, psa):
    fields = {"fields": [picklist("chargeType", Operational="1")]}
    far.get(f"{BASE}/ContractCharges/entityInformation/fields", json=fields)
    far.post(f"{BASE}/Contracts/77/Charges", json={"itemId": None})
    assert psa.create_charge(ChargeRequest(77, 21, "May", "", 1, 7, 0, date(2026, 6, 3), "portal-1")) is None
