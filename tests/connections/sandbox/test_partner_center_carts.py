import pytest

from connections.sandbox.seed.catalogue import BY_KEY as OFFERS
from connections.sandbox.seed.names import LUMEN
from tests.connections.sandbox.partner_center_api import CARTS, code, line, read

PREMIUM_PROMOTION = "39NFJQT20B31:0001:39NFJQT20C7K"


def test_a_cart_prices_its_lines_per_period_and_for_the_whole_commitment(far_side):
    made = far_side.cart(line("m365-premium", 3), line("m365-e3", 2, "P3Y", "Annual"))
    premium, e3 = made["lineItems"]
    assert premium["pricing"] == {
        "listPrice": 17.30, "discountedPrice": 17.30, "proratedPrice": 17.30, "price": 17.30, "extendedPrice": 622.80,
    }  # fmt: skip
    assert (e3["pricing"]["price"], e3["pricing"]["extendedPrice"]) == (345.60, 2073.60)
    assert (premium["currencyCode"], e3["billingCycle"]) == ("EUR", "annual")
    assert [each["orderGroup"] for each in (premium, e3)] == ["0", "1"]


def test_a_promotion_lowers_the_price_where_it_fits(far_side):
    fits = line("m365-premium", 10, promotionId=PREMIUM_PROMOTION)
    foreign = line("m365-standard", 10, promotionId=PREMIUM_PROMOTION)
    first, second = far_side.cart(fits, foreign)["lineItems"]
    assert (first["pricing"]["listPrice"], first["pricing"]["price"]) == (17.30, 14.71)
    assert "promotion" in second["error"]["errorDescription"]


@pytest.mark.parametrize(
    ("wrong", "error"),
    [
        (line("m365-premium", 1) | {"catalogItemId": "CFQ7TTC0LCHC:0002:OLD"}, 10001),
        (line("m365-premium", 301), 10010),
        (line("m365-premium", 0), 10010),
        (line("m365-premium", "3"), 10010),
        (line("windows-365-e", 1, "P1Y", "annual"), 10010),
        (line("azure-plan", 1, "P1Y", "one_time"), 10010),
        (line("windows-server", 1, "P1Y", "one_time"), 10010),
        (line("m365-premium", 1, customTermEndDate="2027-04-30"), 10010),
        (line("m365-premium", 1, customTermEndDate="soon"), 10010),
    ],
)
def test_a_faulty_line_is_told_in_the_cart_and_stops_the_checkout(far_side, wrong, error):
    made = far_side.cart(line("m365-basic", 1), wrong)
    assert "error" not in made["lineItems"][0]
    assert made["lineItems"][1]["error"]["errorCode"] == error
    assert code(far_side.post(f"{CARTS}/{made['id']}/checkout")) == (400, 800009)


def test_a_cart_is_read_again_and_its_lines_replaced(far_side):
    made = far_side.cart(line("m365-basic", 1))
    other = {"CATALOGITEMID": OFFERS["visio-2"].catalog_item_id, "Quantity": 4, "TermDuration": "P1M"}
    body = {"LineItems": [other | {"billingCycle": "Monthly"}]}
    replaced = read(far_side.session.put(f"{far_side.url}/v1{CARTS}/{made['id']}", json=body))
    assert [each["quantity"] for each in replaced["lineItems"]] == [4]
    assert read(far_side.get(f"{CARTS}/{made['id']}")) == replaced


def test_a_cart_lives_for_seven_days_and_is_checked_out_once(far_side):
    first, second = far_side.cart(line("m365-basic", 1)), far_side.cart(line("m365-basic", 1))
    assert far_side.post(f"{CARTS}/{first['id']}/checkout").status_code == 201
    assert code(far_side.post(f"{CARTS}/{first['id']}/checkout")) == (400, 800065)
    far_side.travel_to("2026-03-25T12:05:00")
    assert code(far_side.post(f"{CARTS}/{second['id']}/checkout")) == (404, 800008)
    assert code(far_side.get(f"{CARTS}/nothing")) == (404, 800008)


def test_a_partner_of_record_needs_its_attestation(far_side):
    wanted = line("m365-basic", 1, partnerIdOnRecord=LUMEN.mpn)
    assert code(far_side.post(CARTS, {"lineItems": [wanted]})) == (400, 900206)
    placed = far_side.checkout(wanted, PartnerOnRecordAttestationAccepted=True)["orders"][0]
    assert placed["lineItems"][0]["partnerIdOnRecord"] == LUMEN.mpn
    unknown = line("m365-basic", 1, partnerIdOnRecord="17")
    assert code(far_side.post(CARTS, {"lineItems": [unknown]})) == (400, 800016)


@pytest.mark.parametrize("body", [{}, {"lineItems": "none"}, [1], {"lineItems": [7]}])
def test_a_body_that_is_no_cart_is_invalid_input(far_side, body):
    assert code(far_side.post(CARTS, body)) == (400, 800002)
