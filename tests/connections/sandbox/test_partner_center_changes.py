import pytest

from tests.connections.sandbox.partner_center_api import NOORDZEE, code, read, subscription_path

PREMIUM = subscription_path("noordzee-logistics", 1)
AZURE = subscription_path("noordzee-logistics", 6)
COPILOT_FOUR_DAYS_OLD = subscription_path("noordzee-logistics", 7)
SUSPENDED = subscription_path("noordzee-logistics", 8)
LEGACY = subscription_path("cafe-lumiere", 4)


def test_what_is_left_out_keeps_its_value_but_renewal_is_turned_off(far_side):
    after = read(far_side.patch(PREMIUM, {"friendlyName": "Office workers"}))
    assert (after["friendlyName"], after["quantity"], after["status"]) == ("Office workers", 48, "active")
    assert after["autoRenewEnabled"] is False


def test_a_schedule_that_is_left_out_is_gone_and_one_that_is_sent_stays(far_side):
    scheduled = subscription_path("alpenrose-hotel", 1)
    kept = read(far_side.change(scheduled, friendlyName="Front desk"))
    assert kept["scheduledNextTermInstructions"]["quantity"] == 28
    lost = read(far_side.patch(scheduled, {"autoRenewEnabled": True}))
    assert "scheduledNextTermInstructions" not in lost


@pytest.mark.parametrize("members", [{"quantity": 33}, {"autoRenewEnabled": False}, {"status": "suspended"}])
def test_changed_seats_no_renewal_and_suspension_delete_a_saved_schedule(far_side, members):
    after = read(far_side.change(subscription_path("alpenrose-hotel", 1), **members))
    assert "scheduledNextTermInstructions" not in after


def test_a_schedule_names_the_whole_product_and_a_lawful_end(far_side):
    product = {
        "productId": "CFQ7TTC0LCHC", "skuId": "0002", "availabilityId": "CFQ7TTC00SL7",
        "billingCycle": "Annual", "termDuration": "P1Y",
    }  # fmt: skip
    wanted = {"product": product, "quantity": 12, "customTermEndDate": None}
    assert code(far_side.change(PREMIUM, scheduledNextTermInstructions={"quantity": 12})) == (400, 800002)
    assert code(far_side.change(PREMIUM, scheduledNextTermInstructions="later")) == (400, 800002)
    nonsense = wanted | {"customTermEndDate": "soon"}
    assert code(far_side.change(PREMIUM, scheduledNextTermInstructions=nonsense)) == (400, 800002)
    middle = wanted | {"customTermEndDate": "2027-05-17T00:00:00Z"}
    assert code(far_side.change(PREMIUM, scheduledNextTermInstructions=middle)) == (400, 900246)
    month_end = wanted | {"customTermEndDate": "2027-05-31T00:00:00Z"}
    assert read(far_side.change(PREMIUM, scheduledNextTermInstructions=month_end))["scheduledNextTermInstructions"]


def test_member_names_are_read_in_any_case_and_read_only_ones_are_ignored(far_side):
    body = {"Quantity": 50, "AUTORENEWENABLED": True, "OfferName": "Something else", "creationDate": "2001-01-01"}
    after = read(far_side.patch(PREMIUM, body))
    assert (after["quantity"], after["autoRenewEnabled"]) == (50, True)
    assert after["offerName"] == "Microsoft 365 Business Premium"


def test_a_cancellation_inside_seven_days_is_final(far_side):
    after = read(far_side.change(COPILOT_FOUR_DAYS_OLD, status="deleted"))
    assert (after["status"], after["autoRenewEnabled"]) == ("deleted", False)
    assert "refundableQuantity" not in after
    assert code(far_side.change(COPILOT_FOUR_DAYS_OLD, status="active")) == (400, 2011)


def test_a_cancellation_after_seven_days_is_refused(far_side):
    assert code(far_side.change(PREMIUM, status="deleted")) == (400, 900117)
    assert read(far_side.get(PREMIUM))["status"] == "active"


def test_suspension_turns_renewal_off_and_hides_the_refundable_seats_until_reactivation(far_side):
    suspended = read(far_side.change(PREMIUM, status="suspended"))
    assert suspended["autoRenewEnabled"] is False
    assert suspended["refundableQuantity"] is None
    assert suspended["suspensionReasons"] == ["Partner"]
    assert code(far_side.change(PREMIUM, autoRenewEnabled=True)) == (400, 800091)
    active = read(far_side.change(PREMIUM, status="active", autoRenewEnabled=True))
    assert (active["autoRenewEnabled"], active["refundableQuantity"]["totalQuantity"]) == (True, 3)
    assert "suspensionReasons" not in active


def test_an_azure_plan_is_suspended_only_when_nothing_under_it_is_active(far_side):
    assert code(far_side.change(AZURE, status="suspended")) == (403, 900115)
    listed = read(far_side.get(f"{AZURE}/azureEntitlements"))["items"]
    for entitlement in listed:
        far_side.control(f"entitlements/{entitlement['id']}", {"status": "inactive"})
    assert read(far_side.change(AZURE, status="suspended"))["status"] == "suspended"
    assert code(far_side.change(AZURE, status="deleted")) == (400, 800096)
    assert read(far_side.get(f"{AZURE}/azureEntitlements/{listed[0]['id']}"))["status"] == "inactive"
    assert code(far_side.get(f"{AZURE}/azureEntitlements/nothing")) == (404, 800111)


@pytest.mark.parametrize(
    ("path", "answer"),
    [
        (subscription_path("hanseatic-shipping", 8), (400, 900277)),
        (subscription_path("odonnell-byrne", 5), (400, 900279)),
        (subscription_path("bakkerij-velde", 5), (400, 2011)),
        (subscription_path("penalver-abogados", 4), (409, 800082)),
    ],
)
def test_what_is_over_or_not_there_yet_cannot_be_changed(far_side, path, answer):
    assert code(far_side.change(path, friendlyName="x")) == answer


def test_the_partner_of_record_is_a_reseller(far_side):
    assert read(far_side.change(PREMIUM, partnerId="4847383"))["partnerId"] == "4847383"
    assert code(far_side.change(PREMIUM, partnerId="1")) == (400, 800016)
    assert code(far_side.change(PREMIUM, partnerId="4710001")) == (404, 2072)
    found = read(far_side.get(f"/customers/{NOORDZEE}/subscriptions?mpn_id=4847383"))["items"]
    assert [item["offerName"] for item in found] == ["Microsoft 365 Business Premium"]


def test_a_subscription_is_changed_only_so_often(far_side):
    stored = far_side.server.ledger.get("subscription", PREMIUM.rpartition("/")[2])
    far_side.server.ledger.put("subscription", stored["document"]["id"], stored | {"updates": 1200})
    assert code(far_side.change(PREMIUM, quantity=49)) == (400, 900311)


def test_a_legacy_subscription_is_written_with_the_etag_that_was_read(far_side):
    read_first = read(far_side.get(LEGACY))
    after = read(far_side.patch(LEGACY, {"Quantity": 2}, headers={"If-Match": read_first["attributes"]["etag"]}))
    assert (after["quantity"], "refundableQuantity" in after) == (2, False)
    assert code(far_side.patch(LEGACY, read_first | {"quantity": 5})) == (400, 2055)
    assert code(far_side.patch(LEGACY, {"quantity": 5})) == (400, 2055)
    assert code(far_side.change(LEGACY, billingCycle="annual")) == (400, 2054)


def test_every_change_leaves_an_audit_record_with_the_resource_as_text(far_side):
    far_side.change(PREMIUM, quantity=50)
    record = read(far_side.get("/auditrecords"))["items"][0]
    assert (record["operationType"], record["resourceType"]) == ("update_subscription", "subscription")
    assert '"Quantity": 50' in record["resourceNewValue"]
    assert '"Quantity": 48' in record["resourceOldValue"]
    assert record["userPrincipalName"] == "admin.agent@northwindcloud.example"


def test_audit_records_are_kept_for_ninety_days_and_filtered_by_customer(far_side):
    far_side.change(PREMIUM, quantity=50)
    asked = '{"Field":"CustomerId","Value":"%s","Operator":"equals"}'
    assert read(far_side.get("/auditrecords", params={"filter": asked % NOORDZEE}))["totalCount"] == 1
    assert read(far_side.get("/auditrecords", params={"filter": asked % "other"}))["totalCount"] == 0
    assert read(far_side.get("/auditrecords?endDate=2026-03-17"))["totalCount"] == 0
    assert code(far_side.get("/auditrecords?startDate=2025-12-01")) == (400, 800002)
