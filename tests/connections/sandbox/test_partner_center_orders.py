from connections.sandbox.seed.catalogue import BY_KEY as OFFERS
from tests.connections.sandbox.partner_center_api import CARTS, NOORDZEE, code, line, read


def test_an_order_is_unknown_for_a_while_then_pending_then_fulfilled(far_side):
    far_side.control("modes", {"order_visible_after": 60, "provisioning_delay": 300})
    placed = far_side.checkout(line("m365-premium", 7, friendlyName="Interns"))["orders"][0]
    path = f"/customers/{NOORDZEE}/orders/{placed['id']}"
    subscription = f"/customers/{NOORDZEE}/subscriptions/{placed['lineItems'][0]['subscriptionId']}"
    assert placed["status"] == "pending"
    assert code(far_side.get(path)) == (404, 20000)
    assert code(far_side.get(subscription)) == (404, 20003)
    far_side.advance(seconds=61)
    assert read(far_side.get(path))["status"] == "pending"
    assert read(far_side.get(f"{path}/provisioningstatus"))["items"][0]["status"] == "prefulfillmentPending"
    assert read(far_side.get(subscription))["status"] == "pending"
    assert code(far_side.get(f"{subscription}/provisioningstatus")) == (404, 800007)
    far_side.advance(seconds=240)
    assert read(far_side.get(path))["status"] == "completed"
    assert read(far_side.get(f"{path}/provisioningstatus"))["items"][0]["status"] == "fulfilled"
    assert read(far_side.get(f"{subscription}/provisioningstatus"))["status"] == "success"
    by_order = read(far_side.get(f"/customers/{NOORDZEE}/subscriptions?order_id={placed['id'].upper()}"))["items"]
    assert [(item["friendlyName"], item["quantity"], item["status"]) for item in by_order] == [("Interns", 7, "active")]
    assert by_order[0]["refundableQuantity"]["totalQuantity"] == 7


def test_prices_of_an_order_are_shown_when_asked_for(far_side):
    far_side.control("modes", {"order_visible_after": 0})
    placed = far_side.checkout(line("m365-basic", 2))["orders"][0]
    path = f"/customers/{NOORDZEE}/orders/{placed['id']}"
    assert "pricing" not in read(far_side.get(path))["lineItems"][0]
    with_prices = read(far_side.get(f"{path}?include_price=true"))
    assert with_prices["totalPrice"] == placed["totalPrice"] == placed["lineItems"][0]["pricing"]["extendedPrice"]


def test_a_checkout_can_fail_in_part(far_side):
    far_side.control("modes", {"checkout_failures": {"CFQ7TTC0HD32": 2085}, "order_visible_after": 0})
    result = far_side.checkout(line("m365-basic", 2), line("visio-2", 1, "P1Y", "annual"))
    assert [order["lineItems"][0]["friendlyName"] for order in result["orders"]] == ["Microsoft 365 Business Basic"]
    assert [(error["orderGroupId"], error["code"]) for error in result["orderErrors"]] == [("1", 2085)]
    listed = read(far_side.get(f"/customers/{NOORDZEE}/orders"))["items"]
    assert len([order for order in listed if order["id"] == result["orders"][0]["id"]]) == 1


def test_school_licences_are_not_sold_to_a_company(far_side):
    result = far_side.checkout(line("m365-a3-edu", 5))
    assert (result["orders"], result["orderErrors"][0]["code"]) == ([], 2085)


def test_a_customer_without_an_agreement_buys_nothing(far_side):
    far_side.control("modes", {"no_agreement": [NOORDZEE]})
    made = far_side.cart(line("m365-basic", 1))
    assert code(far_side.post(f"{CARTS}/{made['id']}/checkout")) == (403, 13605)


def test_an_availability_that_changed_since_the_cart_was_made_has_to_be_read_again(far_side):
    made = far_side.cart(line("m365-basic", 1))
    far_side.control(f"availabilities/{OFFERS['m365-basic'].availability_id}", {"id": "CFQ7TTC0ZZZZ"})
    assert code(far_side.post(f"{CARTS}/{made['id']}/checkout")) == (404, 400019)
    fresh = line("m365-basic", 1) | {"catalogItemId": "CFQ7TTC0LH18:0001:CFQ7TTC0ZZZZ"}
    assert far_side.checkout(fresh)["orders"]


def test_an_azure_plan_brings_its_first_azure_subscription_and_perpetual_software_has_no_term(far_side):
    far_side.control("modes", {"order_visible_after": 0, "provisioning_delay": 0})
    lines = line("azure-plan", 1, "", "one_time"), line("windows-server", 2, "", "one_time")
    orders = far_side.checkout(*lines)["orders"]
    azure, software = (
        read(far_side.get(f"/customers/{NOORDZEE}/subscriptions?order_id={order['id']}"))["items"][0]
        for order in orders
    )
    entitlements = read(far_side.get(f"/customers/{NOORDZEE}/subscriptions/{azure['id']}/azureEntitlements"))
    assert (azure["billingType"], entitlements["totalCount"]) == ("usage", 1)
    assert (software["termDuration"], software["status"], "commitmentEndDate" in software) == ("", "active", False)


def test_a_first_term_can_end_with_others(far_side):
    far_side.control("modes", {"order_visible_after": 0})
    placed = far_side.checkout(line("m365-basic", 1, customTermEndDate="2026-12-31"))["orders"][0]
    path = f"/customers/{NOORDZEE}/subscriptions/{placed['lineItems'][0]['subscriptionId']}"
    assert read(far_side.get(path))["commitmentEndDateTime"] == "2026-12-31T23:59:59Z"
