import pytest

from tests.connections.sandbox.autotask_api import CONTRACT

COMPANY = {"companyName": "New", "companyType": 1, "ownerResourceID": 1, "phone": "1"}
SERVICE = {"name": "New", "unitPrice": 1, "periodType": 2, "billingCodeID": 20}
NEW_CONTRACT = {"id": 0, "companyID": 10, "contractName": "New", **CONTRACT}


def test_a_record_is_created_found_and_changed_on_the_collection(autotask):
    key = autotask.post("Companies", COMPANY | {"userDefinedFields": [{"name": "Microsoft Tenant ID", "value": "t"}]})
    key = key.json()["itemId"]
    assert autotask.patch("companies", {"ID": key, "companyNumber": "B-7"}).json() == {"itemId": key}
    item = autotask.get(f"Companies/{key}").json()["item"]
    assert (item["companyNumber"], item["isActive"], item["currencyID"]) == ("B-7", True, 1)
    assert item["userDefinedFields"][0]["value"] == "t"


def test_a_missing_record_is_a_success_with_null_or_not_found(autotask):
    assert autotask.get("Companies/999").json() == {"item": None}
    autotask.control("modes", {"missing_row": "404"})
    assert autotask.get("Companies/999").status_code == 404


@pytest.mark.parametrize(
    ("entity", "body", "text"),
    [
        ("Companies", {"companyName": "x"}, "Missing Required Field: phone."),
        ("Companies", COMPANY | {"companyName": "x" * 101}, "maximum length of 100"),
        ("Companies", COMPANY | {"companyType": 77}, "Value 77 of picklist field companyType"),
        ("Companies", COMPANY | {"ownerResourceID": 5}, "field: ownerResourceID of type: Resource does not exist"),
        ("Companies", COMPANY | {"companyType": "one"}, "Conversion failed when converting the varchar value 'one'"),
        ("Companies", COMPANY | {"isActive": "perhaps"}, "data type bit"),
        ("Companies", COMPANY | {"nonsense": 1}, "Could not find member 'nonsense'"),
        ("Companies", COMPANY | {"userDefinedFields": [{"name": "x"}]}, "User-defined field x does not exist"),
        ("Companies", [], "must be a JSON object"),
        ("Contracts", NEW_CONTRACT | {"companyID": 999}, "companyID of type: Company does not exist"),
        ("Contracts", NEW_CONTRACT | {"contractPeriodType": None}, "Missing Required Field: contractPeriodType"),
        ("Contracts", NEW_CONTRACT | {"endDate": "2026-01-01"}, "must be after its startDate"),
        ("Services", SERVICE | {"billingCodeID": 21}, "field: billingCodeID"),
        ("Services", SERVICE | {"vendorCompanyID": 10}, "field: vendorCompanyID"),
    ],
)
def test_a_create_that_breaks_a_rule_is_refused_whole(autotask, entity, body, text):
    before = autotask.find(entity, "id", "exist")
    autotask.post(entity, body)
    assert text in autotask.errors()
    assert autotask.find(entity, "id", "exist") == before


def test_unknown_properties_may_be_ignored_and_read_only_ones_always_are(autotask):
    autotask.control("modes", {"unknown_properties": "ignore"})
    key = autotask.post("Companies", COMPANY | {"nonsense": 1, "createDate": "2001-01-01"}).json()["itemId"]
    assert not autotask.get(f"Companies/{key}").json()["item"]["createDate"].startswith("2001")


def test_what_is_fixed_after_create_stays(autotask):
    key = autotask.post("Contracts", NEW_CONTRACT | {"contractNumber": "csp"}).json()["itemId"]
    autotask.patch("Contracts", {"id": key, "companyID": 11, "contractPeriodType": 5, "contractNumber": None})
    item = autotask.get(f"Contracts/{key}").json()["item"]
    assert (item["companyID"], item["contractPeriodType"], item["contractNumber"]) == (10, 2, None)
    assert item["endDate"] == "2026-12-31T00:00:00Z"


def test_a_put_blanks_what_it_leaves_out(autotask):
    kept = {"companyName": "Müller", "companyType": 1, "ownerResourceID": 1, "phone": "2"}
    assert autotask.call("PUT", "Companies", {"id": 10, **kept}).status_code == 200
    assert autotask.get("Companies/10").json()["item"]["companyNumber"] is None
    autotask.call("PUT", "Companies", {"id": 10})
    assert "Missing Required Field: companyName" in autotask.errors()


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("PATCH", "Companies/10", 405),
        ("GET", "Companies", 405),
        ("DELETE", "Companies/10", 405),
        ("POST", "ContractServices", 405),
        ("POST", "BillingCodes", 405),
        ("PATCH", "Contracts/70/ServiceUnits", 405),
        ("GET", "Unicorns/query", 404),
        ("GET", "Companies/ten", 404),
        ("GET", "Contracts/70/Unicorns", 404),
        ("GET", "Contracts/70/Services/query", 404),
    ],
)
def test_a_verb_or_path_that_does_not_exist_is_answered_by_the_web_server(autotask, method, path, status):
    answer = autotask.call(method, path, {} if method != "GET" else None)
    assert (answer.status_code, list(answer.json())) == (status, ["Message"])


def test_a_line_is_added_below_its_contract_with_no_units_in_any_period(autotask):
    body = {"id": 0, "contractID": 70, "serviceID": 31, "internalDescription": "sub-2"}
    key = autotask.post("Contracts/70/Services", body).json()["itemId"]
    ledger = autotask.control("ledger", key="sub-2")["lines"]
    assert [(line["id"], {row["units"] for row in line["rows"]}, len(line["rows"])) for line in ledger] == [
        (key, {0}, 12)
    ]
    assert autotask.get(f"Contracts/70/Services/{key}").json()["item"]["unitPrice"] == 20.5
    assert autotask.get(f"Contracts/72/Services/{key}").json() == {"item": None}
    assert len(autotask.get("Contracts/70/Services").json()["items"]) == 2


def test_a_line_takes_new_texts_and_cost_and_nothing_else(autotask):
    body = {"id": 90, "internalDescription": "s", "invoiceDescription": "i", "unitCost": 3.5, "serviceID": 31}
    assert autotask.patch("Contracts/70/Services", body | {"internalCurrencyAdjustedPrice": 1}).status_code == 200
    item = autotask.get("ContractServices/90").json()["item"]
    assert (item["internalDescription"], item["invoiceDescription"], item["unitCost"]) == ("s", "i", 3.5)
    assert (item["serviceID"], item["internalCurrencyAdjustedPrice"]) == (30, 5)
    autotask.patch("Contracts/72/Services", {"id": 90, "internalDescription": "x"})
    assert "field: id of type: ContractService" in autotask.errors()


def test_a_line_needs_its_own_contract_of_the_recurring_kind(autotask):
    autotask.post("Contracts/71/Services", {"serviceID": 30})
    assert "Recurring Service Contract" in autotask.errors()
    autotask.post("Contracts/70/Services", {"serviceID": 30, "contractID": 72})
    assert "differs from the parent" in autotask.errors()
    autotask.post("Contracts/999/Services", {"serviceID": 30})
    assert "contractID of type: Contract does not exist" in autotask.errors()


def test_entity_and_field_information_tell_what_a_client_has_to_read(autotask):
    info = autotask.get("Contracts/entityInformation").json()["info"]
    assert (info["name"], info["canCreate"], info["canDelete"], info["userAccessForDelete"]) == (
        "Contract",
        True,
        False,
        "None",
    )
    fields = {field["name"]: field for field in autotask.get("Contracts/entityInformation/fields").json()["fields"]}
    period = fields["contractPeriodType"]
    assert {value["label"]: value["value"] for value in period["picklistValues"]}["Monthly"] == "2"
    assert (period["isReadOnly"], fields["contractName"]["length"]) == (True, 100)
    assert fields["companyID"]["referenceEntityType"] == "Company"
    names = [field["name"] for field in autotask.get("Contracts/entityInformation/userDefinedFields").json()["fields"]]
    assert names == ["Subscription ID"]
