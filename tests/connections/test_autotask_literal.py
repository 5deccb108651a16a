"""The client on answers as Autotask's documentation and live tenants give them."""

import json
from datetime import date
from decimal import Decimal

import pytest
import responses

from connections.psa.autotask.zone import Zone
from connections.psa.types import AdjustmentRequest, Charge, ChargeRequest, Contract, UnitRow
from portal.far_side import Rejected, Unauthorized
from tests.connections.literal import BASE, DIRECTORY, a_psa, picklist, sent

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
    return a_psa(kept.append)


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


def test_what_a_number_of_a_list_means_is_never_guessed(far, psa):
    far.get(f"{BASE}/Contracts/29683370", json={"item": CONTRACT})
    far.get(f"{BASE}/Contracts/entityInformation/fields", status=404, json={"Message": "No HTTP resource was found."})
    with pytest.raises(Rejected):
        psa.contract(29683370)


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


FOLLOWING = "ContractServiceUnits/query/next?paging=%7B%22pageSize%22%3A500%7D"


def page_of_one(row_id, following=None):
    return {"items": [unit(row_id)], "pageDetails": {"nextPageUrl": following}}


def test_a_further_page_is_asked_for_where_the_first_says_by_the_same_verb_and_body(far, psa):
    far.post(f"{BASE}/ContractServiceUnits/query", json=page_of_one(7, f"{BASE}/{FOLLOWING}".replace("v1.0", "V1.0")))
    far.post(f"{BASE}/{FOLLOWING}", json=page_of_one(9))
    assert [row.id for row in psa.unit_rows([9001])] == [7, 9]
    assert [call.request.url for call in far.calls] == [f"{BASE}/ContractServiceUnits/query", f"{BASE}/{FOLLOWING}"]
    assert sent(far.calls[1]) == sent(far.calls[0])


@pytest.mark.parametrize(
    "elsewhere",
    ["https://evil.example/v1.0/" + FOLLOWING, f"{BASE}.evil.example/{FOLLOWING}", f"{BASE}/Companies/query/next?x"],
)
def test_a_page_that_is_said_to_be_elsewhere_is_asked_for_by_the_last_id_instead(far, psa, elsewhere):
    far.post(f"{BASE}/ContractServiceUnits/query", json=page_of_one(7, elsewhere))
    far.post(f"{BASE}/ContractServiceUnits/query", json=page_of_one(9))
    assert [row.id for row in psa.unit_rows([9001])] == [7, 9]
    assert [call.request.url for call in far.calls] == [f"{BASE}/ContractServiceUnits/query"] * 2
    assert sent(far.calls[1])["filter"][-1] == {"op": "gt", "field": "id", "value": 7}


def test_a_page_that_autotask_has_forgotten_is_asked_for_by_the_last_id(far, psa):
    far.post(f"{BASE}/ContractServiceUnits/query", json=page_of_one(7, f"{BASE}/{FOLLOWING}"))
    far.post(f"{BASE}/{FOLLOWING}", status=500, json={"errors": ["Invalid paging token."]})
    far.post(f"{BASE}/ContractServiceUnits/query", json=page_of_one(9))
    assert [row.id for row in psa.unit_rows([9001])] == [7, 9]
    assert sent(far.calls[2])["filter"][-1] == {"op": "gt", "field": "id", "value": 7}


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


def test_a_contract_is_extended_on_the_collections_address_and_nothing_else_of_it_is_named(far, psa):
    far.patch(f"{BASE}/Contracts", json={"itemId": None})
    psa.extend_contract(77, date(2027, 12, 31))
    assert sent(far.calls[0]) == {"id": 77, "endDate": "2027-12-31"}


CHARGE_LISTS = {
    "fields": [
        picklist("chargeType", Operational="11", Capitalized="12"),
        picklist("status", Pending="1", Canceled="8"),
    ]
}


@pytest.fixture
def lists_of_charges(far):
    """A tenant that numbers the types of charges in its own way."""
    far.get(f"{BASE}/ContractCharges/entityInformation/fields", json=CHARGE_LISTS)


def test_a_charge_is_made_below_its_contract_with_our_key_and_with_its_own_money(far, psa, lists_of_charges):
    far.post(f"{BASE}/Contracts/77/Charges", json={"itemId": 4711})
    request = ChargeRequest(
        77, 21, "N" * 101, "May", Decimal(1), Decimal("-7.74"), Decimal(0), date(2026, 6, 3), "portal-1"
    )
    assert psa.create_charge(request) == 4711
    assert sent(far.calls[1]) == {
        "id": 0,
        "contractID": 77,
        "billingCodeID": 21,
        "chargeType": 11,
        "name": "N" * 100,
        "description": "May",
        "unitQuantity": 1.0,
        "unitPrice": -7.74,
        "unitCost": 0.0,
        "datePurchased": "2026-06-03",
        "isBillableToCompany": True,
        "internalPurchaseOrderNumber": "portal-1",
    }


def test_a_charge_is_found_by_contract_and_key_and_by_the_whole_key_only(far, psa, lists_of_charges):
    row = {"id": 4711, "contractID": 77, "name": "Licences", "unitQuantity": 1.0000, "unitPrice": 7.7400}
    row |= {"unitCost": None, "datePurchased": "2026-06-03T00:00:00Z", "isBilled": True}
    items = [row | {"internalPurchaseOrderNumber": key} for key in ("portal-1", "PORTAL-1")]
    far.post(f"{BASE}/ContractCharges/query", json={"items": items, "pageDetails": {"nextPageUrl": None}})
    assert psa.find_charges(77, key="portal-1") == [
        Charge(
            4711, 77, "Licences", Decimal("1.0"), Decimal("7.74"), None, date(2026, 6, 3), key="portal-1", billed=True
        )
    ]
    assert sent(far.calls[1])["filter"][:2] == [
        {"op": "eq", "field": "contractID", "value": 77},
        {"op": "eq", "field": "internalPurchaseOrderNumber", "value": "portal-1"},
    ]


@pytest.mark.parametrize(("status", "canceled"), [(1, False), (8, True), (None, False)])
def test_a_charge_that_was_canceled_there_is_told_by_the_tenants_own_word(far, psa, lists_of_charges, status, canceled):
    row = {"id": 4711, "contractID": 77, "name": "Licences", "unitQuantity": 1, "unitPrice": 7.74, "status": status}
    row |= {"datePurchased": "2026-06-03T00:00:00Z", "internalPurchaseOrderNumber": "portal-1"}
    far.post(f"{BASE}/ContractCharges/query", json={"items": [row], "pageDetails": {"nextPageUrl": None}})
    [charge] = psa.find_charges(77, key="portal-1")
    assert charge.canceled == canceled


def test_a_tenant_that_names_no_operational_charges_is_told_so_and_nothing_is_made(far, psa):
    lists = {"fields": [picklist("chargeType", Betrieb="1")]}
    far.get(f"{BASE}/ContractCharges/entityInformation/fields", json=lists)
    request = ChargeRequest(77, 21, "N", "May", Decimal(1), Decimal(7), Decimal(0), date(2026, 6, 3), "portal-1")
    with pytest.raises(Rejected, match=r"no entry Operational\. Its entries: Betrieb"):
        psa.create_charge(request)


def test_charges_are_booked_as_material_where_the_tenant_calls_something_so(far, psa):
    codes = [
        {"id": 1, "name": "Remote work", "useType": 1},
        {"id": 3, "name": "licences", "useType": 4},
        {"id": 2, "name": "Cloud", "useType": 4},
    ]
    fields = {"fields": [picklist("useType", **{"General Allocation Code": "1", "Material Cost Code": "4"})]}
    far.get(f"{BASE}/BillingCodes/entityInformation/fields", json=fields)
    far.post(f"{BASE}/BillingCodes/query", json={"items": codes, "pageDetails": {"nextPageUrl": None}})
    assert [(code.id, code.name) for code in psa.billing_codes()] == [(2, "Cloud"), (3, "licences")]


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
