import uuid

import pytest
from structlog.testing import capture_logs

from portal.far_side import OutcomeUnknown, Rejected, Unavailable
from tests.connections.sandbox.partner_center_api import CUSTOMERS, NOORDZEE, read, subscription_path

PREMIUM = subscription_path("noordzee-logistics", 1)
PHONE = subscription_path("noordzee-logistics", 4)
SUSPENDED = subscription_path("noordzee-logistics", 8)
LEGACY = subscription_path("de-ruyter", 5)
PLAN = {
    "product": {
        "productId": "CFQ7TTC0LCHC",
        "skuId": "0002",
        "availabilityId": "CFQ7TTC00SL7",
        "billingCycle": "annual",
        "termDuration": "P1Y",
    },
    "quantity": 40,
}


def change(provider, path, quantity, request_id=None):
    _, _, customer, _, subscription = path.split("/")
    return provider.change_quantity(customer, subscription, quantity, request_id=request_id or uuid.uuid4())


def updates(far_side, path):
    """How many changes the service has applied to the subscription."""
    return far_side.control(f"subscriptions/{path.rsplit('/', 1)[1]}")["updates"]


def test_more_seats_are_sent_as_a_total_and_read_back(provider, far_side):
    before = read(far_side.get(PREMIUM))
    assert change(provider, PREMIUM, 51).quantity == 51
    after = read(far_side.get(PREMIUM))
    moved = {"quantity", "refundableQuantity"}
    assert after["quantity"] == before["quantity"] + 3 == 51
    assert {name for name in before | after if before.get(name) != after.get(name)} == moved


def test_a_quantity_that_is_there_already_is_not_sent(provider, far_side):
    assert change(provider, PREMIUM, 48).quantity == 48
    assert updates(far_side, PREMIUM) == 0


def test_what_is_planned_for_the_renewal_survives_a_change_of_seats(provider, far_side):
    assert far_side.change(PREMIUM, scheduledNextTermInstructions=PLAN).ok
    change(provider, PREMIUM, 50)
    after = read(far_side.get(PREMIUM))
    assert (after["quantity"], after["scheduledNextTermInstructions"], after["autoRenewEnabled"]) == (50, PLAN, True)


def test_a_plan_for_the_renewal_that_cannot_be_put_back_is_reported(provider, far_side):
    assert far_side.change(PREMIUM, scheduledNextTermInstructions=PLAN).ok
    far_side.control("faults", {"fault": "error_503", "method": "PATCH", "path": "subscriptions", "skip": 1})
    with capture_logs() as logs:
        assert change(provider, PREMIUM, 50).quantity == 50
    assert [entry["event"] for entry in logs if entry["log_level"] == "error"] == ["partner_center.renewal_plan_lost"]


def test_a_billing_plan_that_is_pending_survives(provider, far_side):
    three_years = subscription_path("noordzee-logistics", 2)
    assert far_side.change(three_years, billingCycle="annual").ok
    pending = read(far_side.get(three_years))["nextChargeInstructions"]
    change(provider, three_years, 13)
    assert read(far_side.get(three_years))["nextChargeInstructions"] == pending


def test_fewer_seats_outside_the_window_are_refused_with_the_way_out(provider, far_side):
    with pytest.raises(Rejected, match="within 7 days") as refusal:
        change(provider, PHONE, 10)
    assert "Renewal settings" in refusal.value.advice
    assert refusal.value.context["code"] == "800090"
    assert change(provider, PREMIUM, 46).quantity == 46


def test_a_suspended_subscription_says_so(provider):
    with pytest.raises(Rejected, match="suspended"):
        change(provider, SUSPENDED, 5)


def test_a_slow_change_is_waited_for(provider, far_side):
    far_side.control("modes", {"slow_patch": 4})
    assert change(provider, PREMIUM, 50).quantity == 50


def test_a_change_that_does_not_show_in_time_is_unknown_and_not_sent_again(provider, far_side, request_id):
    far_side.control("modes", {"slow_patch": 600})
    with pytest.raises(OutcomeUnknown, match="does not show it yet"):
        change(provider, PREMIUM, 50, request_id)
    with pytest.raises((OutcomeUnknown, Unavailable)):
        change(provider, PREMIUM, 50, request_id)
    far_side.advance(seconds=600)
    assert change(provider, PREMIUM, 50, request_id).quantity == 50
    assert updates(far_side, PREMIUM) == 1


def test_a_change_whose_answer_was_lost_is_made_once(provider, far_side, request_id):
    far_side.control("faults", {"fault": "drop_after", "method": "PATCH", "path": "subscriptions"})
    with pytest.raises(OutcomeUnknown):
        change(provider, PREMIUM, 50, request_id)
    assert change(provider, PREMIUM, 50, request_id).quantity == 50
    assert updates(far_side, PREMIUM) == 1


def test_a_change_that_never_arrived_is_sent_again(provider, far_side, request_id):
    far_side.control("faults", {"fault": "drop_before", "method": "PATCH", "path": "subscriptions"})
    with pytest.raises(OutcomeUnknown):
        change(provider, PREMIUM, 50, request_id)
    assert change(provider, PREMIUM, 50, request_id).quantity == 50


def test_a_busy_subscription_takes_the_same_request_once_it_is_free(provider, far_side, request_id):
    far_side.control("modes", {"slow_patch": 600})
    assert far_side.change(PREMIUM, friendlyName="Front office").status_code == 202
    with pytest.raises(Unavailable, match="busy") as busy:
        change(provider, PREMIUM, 50, request_id)
    assert busy.value.retry_after == 180
    far_side.control("modes", {"slow_patch": 0})
    far_side.advance(seconds=600)
    assert change(provider, PREMIUM, 50, request_id).quantity == 50
    assert read(far_side.get(PREMIUM))["friendlyName"] == "Front office"


def test_a_far_side_that_lies_is_not_believed(provider, far_side):
    far_side.control("faults", {"fault": "swallow", "method": "PATCH", "path": "subscriptions"})
    with pytest.raises(OutcomeUnknown, match="does not show"):
        change(provider, PREMIUM, 50)


def test_a_failure_while_reading_back_leaves_the_outcome_unknown(provider, far_side):
    far_side.control("faults", {"fault": "error_503", "method": "GET", "path": "subscriptions", "skip": 1, "times": 3})
    with pytest.raises(OutcomeUnknown, match="reading it back failed"):
        change(provider, PREMIUM, 50)


def test_a_legacy_subscription_is_written_with_the_etag_that_was_read(provider, far_side):
    before = read(far_side.get(LEGACY))
    assert change(provider, LEGACY.lower(), before["quantity"] + 1).quantity == before["quantity"] + 1
    assert read(far_side.get(LEGACY))["attributes"]["etag"] != before["attributes"]["etag"]


def test_an_unknown_subscription_is_none_and_an_unknown_customer_is_an_error(provider):
    assert provider.subscription(NOORDZEE, str(uuid.uuid4())) is None
    with pytest.raises(Rejected, match="does not know this customer"):
        provider.subscription(str(uuid.uuid4()), str(uuid.uuid4()))
    other = CUSTOMERS["de-ruyter"].tenant_id
    assert provider.subscription(other, PREMIUM.rsplit("/", 1)[1]) is None
