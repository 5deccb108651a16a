import pytest

CHARGE = {"id": 0, "contractID": 70, "name": "Azure plan", "chargeType": 1, "datePurchased": "2026-05-31"}
CHARGE |= {"billingCodeID": 21, "unitQuantity": 2, "unitPrice": 893.645, "unitCost": 812.4, "status": 7}
MAY = {"contract": 70, "period": "2026-05-31"}


@pytest.fixture
def charge(autotask):
    body = CHARGE | {"internalPurchaseOrderNumber": "csp:2026-05"}
    return autotask.post("Contracts/70/Charges", body).json()["itemId"]


def test_a_charge_is_created_below_its_contract_and_found_by_its_key(autotask, charge):
    item = autotask.query(
        "ContractCharges", {"op": "eq", "field": "internalPurchaseOrderNumber", "value": "CSP:2026-05"}
    )
    assert [(i["id"], i["billableAmount"], i["extendedCost"], i["isBilled"]) for i in item] == [
        (charge, 1787.29, 1624.8, False)
    ]
    assert autotask.get(f"Contracts/70/Charges/{charge}").json()["item"]["datePurchased"] == "2026-05-31T00:00:00Z"


def test_missing_prices_come_from_the_material_code_or_the_product(autotask):
    product = {
        "name": "Azure Plan",
        "isActive": True,
        "isSerialized": False,
        "productBillingCodeID": 21,
        "unitPrice": 9,
    }
    product_id = autotask.post("Products", product).json()["itemId"]
    plain = {"name": "x", "chargeType": 1, "datePurchased": "05-28-2026", "unitQuantity": 1}
    keys = [
        autotask.post("Contracts/70/Charges", plain | more).json()["itemId"]
        for more in ({"billingCodeID": 21}, {"productID": product_id})
    ]
    found = [autotask.get(f"ContractCharges/{key}").json()["item"] for key in keys]
    assert [(item["unitPrice"], item["unitCost"], item["billingCodeID"]) for item in found] == [(3, 2, 21), (9, 2, 21)]
    assert found[0]["datePurchased"] == "2026-05-28T00:00:00Z"


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"billingCodeID": None}, "Missing Required Field: billingCodeID"),
        ({"contractServiceID": 90, "contractServiceBundleID": 1}, "exclude each other"),
        ({"status": 5}, "picklist field status"),
        ({"internalPurchaseOrderNumber": "x" * 51}, "maximum length of 50"),
        ({"contractID": 72}, "differs from the parent"),
    ],
)
def test_a_charge_that_breaks_a_rule_is_refused(autotask, change, text):
    autotask.post("Contracts/70/Charges", CHARGE | change)
    assert text in autotask.errors()


@pytest.mark.parametrize(("kind", "status"), [(4, 500), (6, 500), (8, 500), (1, 200)])
def test_contracts_that_are_paid_in_advance_take_no_charges(autotask, kind, status):
    autotask.control("records", {"entity": "Contracts", "id": 71, "values": {"contractType": kind}})
    assert autotask.post("Contracts/71/Charges", CHARGE | {"contractID": 71}).status_code == status


def test_an_open_charge_can_be_changed_and_deleted(autotask, charge):
    autotask.patch("Contracts/70/Charges", {"id": charge, "unitQuantity": 3})
    assert autotask.get(f"ContractCharges/{charge}").json()["item"]["billableAmount"] == pytest.approx(2680.935)
    assert autotask.call("DELETE", f"ContractCharges/{charge}").status_code == 405
    assert autotask.call("DELETE", f"Contracts/70/Charges/{charge}").json() == {"itemId": charge}
    autotask.call("DELETE", f"Contracts/70/Charges/{charge}")
    assert "No matching records found" in autotask.errors()


def test_a_charge_is_billed_in_the_period_of_its_date_and_frozen_then(autotask, charge):
    autotask.control("post", {"contract": 70, "period": "2026-04-30"})
    assert autotask.get(f"ContractCharges/{charge}").json()["item"]["isBilled"] is False
    assert {item["kind"] for item in autotask.control("post", MAY)["items"]} == {"row", "charge"}
    assert autotask.control("post", MAY)["items"] == []
    autotask.patch("Contracts/70/Charges", {"id": charge, "unitQuantity": 3})
    assert "has been billed" in autotask.errors()
    autotask.call("DELETE", f"Contracts/70/Charges/{charge}")
    assert "has been billed" in autotask.errors()
    billed = autotask.query("BillingItems", {"op": "eq", "field": "contractChargeID", "value": charge})
    assert [(item["quantity"], item["extendedPrice"]) for item in billed] == [(2, 1787.29)]


def test_a_billing_item_takes_the_mark_of_the_accounting_export_and_nothing_else(autotask):
    autotask.control("post", MAY)
    item = autotask.query("BillingItems", {"op": "exist", "field": "id"})[0]
    autotask.patch("BillingItems", {"id": item["id"], "webServiceDate": "2026-06-01T10:00:00Z", "rate": 1})
    changed = autotask.get(f"BillingItems/{item['id']}").json()["item"]
    assert changed == item | {"webServiceDate": "2026-06-01T10:00:00.000Z"}
