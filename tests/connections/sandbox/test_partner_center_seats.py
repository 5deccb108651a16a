import pytest

from tests.connections.sandbox.partner_center_api import code, read, subscription_path

PREMIUM = subscription_path("noordzee-logistics", 1)
AZURE = subscription_path("noordzee-logistics", 6)
SUSPENDED = subscription_path("noordzee-logistics", 8)
TRIAL = subscription_path("cafe-lumiere", 3)
SOFTWARE = subscription_path("alpenrose-hotel", 5)


def test_more_seats_open_a_window_of_their_own(far_side):
    after = read(far_side.change(PREMIUM, quantity=53))
    assert after["quantity"] == 53
    assert [batch["quantity"] for batch in after["refundableQuantity"]["details"]] == [3, 5]
    assert after["refundableQuantity"]["totalQuantity"] == 8
    assert read(far_side.get(PREMIUM))["quantity"] == 53


def test_fewer_seats_are_taken_from_the_latest_open_batch_first(far_side):
    far_side.change(PREMIUM, quantity=53)
    after = read(far_side.change(PREMIUM, quantity=49))
    assert [batch["quantity"] for batch in after["refundableQuantity"]["details"]] == [3, 1]
    after = read(far_side.change(PREMIUM, quantity=47))
    assert [batch["quantity"] for batch in after["refundableQuantity"]["details"]] == [2]


def test_no_more_seats_are_given_back_than_are_still_open(far_side):
    refusal = far_side.change(PREMIUM, quantity=44)
    assert code(refusal) == (400, 800090)
    assert read(far_side.get(PREMIUM))["quantity"] == 48


def test_a_batch_lapses_after_seven_days(far_side):
    far_side.change(PREMIUM, quantity=53)
    far_side.travel_to("2026-03-25T12:05:00")
    after = read(far_side.get(PREMIUM))
    assert "refundableQuantity" not in after
    assert code(far_side.change(PREMIUM, quantity=52)) == (400, 800090)


@pytest.mark.parametrize(
    ("path", "quantity", "answer"),
    [
        (PREMIUM, 301, (400, 900275)),
        (PREMIUM, 0, (400, 2002)),
        (PREMIUM, "50", (400, 800002)),
        (TRIAL, 30, (400, 900275)),
        (AZURE, 2, (400, 900275)),
        (SUSPENDED, 3, (400, 2001)),
        (SOFTWARE, 5, (400, 900280)),
    ],
)
def test_seats_keep_within_what_the_offer_and_the_state_allow(far_side, path, quantity, answer):
    assert code(far_side.change(path, quantity=quantity)) == answer
