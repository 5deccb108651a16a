import pytest

from connections.sandbox.seed.names import BY_KEY
from tests.connections.sandbox.partner_center_api import NOORDZEE, PartnerCenter, code, read, subscription_path

PREMIUM = subscription_path("noordzee-logistics", 1)
MONTHLY_TERM = subscription_path("bakkerij-velde", 3)
THREE_YEARS = subscription_path("noordzee-logistics", 2)
YEARLY = subscription_path("noordzee-logistics", 5)
TRIAL = subscription_path("cafe-lumiere", 3)


def day(text):
    return text[:10]


def test_a_term_ends_on_its_last_day_and_renews_at_the_next_midnight(far_side):
    before = read(far_side.get(MONTHLY_TERM))
    assert (day(before["effectiveStartDate"]), day(before["commitmentEndDate"])) == ("2026-03-01", "2026-03-31")
    far_side.travel_to("2026-03-31T23:59:50")
    assert day(read(far_side.get(MONTHLY_TERM))["commitmentEndDate"]) == "2026-03-31"
    far_side.advance(seconds=30)
    after = read(far_side.get(MONTHLY_TERM))
    assert (after["status"], day(after["effectiveStartDate"])) == ("active", "2026-04-01")
    assert day(after["commitmentEndDate"]) == "2026-04-30"
    assert after["refundableQuantity"]["totalQuantity"] == after["quantity"] == 6
    assert day(after["cancellationAllowedUntilDate"]) == "2026-04-08"


def test_a_renewal_takes_the_scheduled_seats_and_adds_an_order_of_the_system(far_side):
    path = subscription_path("alpenrose-hotel", 1)
    before = read(far_side.get(path))
    far_side.travel_to(f"{day(before['commitmentEndDate'])}T23:59:59")
    far_side.advance(seconds=5)
    after = read(far_side.get(path))
    assert (before["quantity"], after["quantity"]) == (32, 28)
    assert "scheduledNextTermInstructions" not in after
    orders = read(far_side.get(f"/customers/{BY_KEY['alpenrose-hotel'].tenant_id}/orders"))["items"]
    renewal = next(order for order in orders if order["transactionType"] == "SystemBilling")
    assert renewal["lineItems"][0]["transactionType"] == "Renew"
    assert renewal["lineItems"][0]["quantity"] == 28


def test_without_renewal_a_term_ends_in_three_steps(far_side):
    far_side.change(MONTHLY_TERM, autoRenewEnabled=False)
    expected = {
        "2026-03-31": "active",
        "2026-04-01": "expired",
        "2026-04-30": "expired",
        "2026-05-01": "disabled",
        "2026-07-29": "disabled",
        "2026-07-30": "deleted",
    }
    seen = {}
    for date in expected:
        far_side.travel_to(f"{date}T12:00:00")
        seen[date] = read(far_side.get(MONTHLY_TERM))["status"]
    assert seen == expected


def test_a_suspended_term_ends_disabled(far_side):
    far_side.change(MONTHLY_TERM, status="suspended")
    far_side.travel_to("2026-04-01T12:00:00")
    assert read(far_side.get(MONTHLY_TERM))["status"] == "disabled"


def test_a_longer_term_begins_at_once(far_side):
    after = read(far_side.change(MONTHLY_TERM, termDuration="P1Y", billingCycle="Annual"))
    assert (after["termDuration"], after["billingCycle"]) == ("P1Y", "annual")
    assert (day(after["effectiveStartDate"]), day(after["commitmentEndDate"])) == ("2026-03-18", "2027-03-17")
    assert after["refundableQuantity"]["totalQuantity"] == 6


@pytest.mark.parametrize(
    ("path", "members", "answer"),
    [
        (PREMIUM, {"termDuration": "P1M"}, (400, 800122)),
        (PREMIUM, {"termDuration": "P2Y"}, (400, 800121)),
        (PREMIUM, {"termDuration": "P3Y"}, (400, 900269)),
        (TRIAL, {"termDuration": "P1Y"}, (400, 800107)),
        (PREMIUM, {"billingCycle": "annual"}, (400, 900269)),
        (YEARLY, {"billingCycle": "monthly"}, (400, 900269)),
        (YEARLY, {"billingCycle": "triennial"}, (400, 900270)),
    ],
)
def test_terms_never_shorten_and_billing_plans_stay_for_the_term(far_side, path, members, answer):
    assert code(far_side.change(path, **members)) == answer


def test_a_three_year_term_changes_its_billing_plan_with_the_next_charge(far_side):
    after = read(far_side.change(THREE_YEARS, billingCycle="annual"))
    assert after["billingCycle"] == "monthly"
    assert after["nextChargeInstructions"]["product"]["billingCycle"] == "annual"
    far_side.travel_to("2026-04-20T12:00:00")
    later = read(far_side.get(THREE_YEARS))
    assert later["billingCycle"] == "annual"
    assert "nextChargeInstructions" not in later


def test_a_planned_charge_that_is_left_out_of_the_next_change_is_gone(far_side):
    far_side.change(THREE_YEARS, billingCycle="annual")
    after = read(far_side.patch(THREE_YEARS, {"autoRenewEnabled": True}))
    assert "nextChargeInstructions" not in after


def test_a_slow_change_is_accepted_first_and_seen_later(far_side):
    far_side.control("modes", {"slow_patch": 600})
    response = far_side.change(PREMIUM, quantity=50)
    assert (response.status_code, response.content) == (202, b"")
    assert response.headers["Location"] == PREMIUM
    assert read(far_side.get(PREMIUM))["quantity"] == 48
    assert code(far_side.change(PREMIUM, quantity=51)) == (409, 900278)
    far_side.control("modes", {"pending_code": 800082})
    assert code(far_side.change(PREMIUM, quantity=51)) == (409, 800082)
    far_side.advance(seconds=601)
    assert read(far_side.get(PREMIUM))["quantity"] == 50


def test_a_slow_change_survives_a_restart(far_side, tmp_path):
    far_side.control("modes", {"slow_patch": 600})
    far_side.change(PREMIUM, quantity=50)
    far_side.server.stop()
    with PartnerCenter(tmp_path / "partner-center") as again:
        again.advance(seconds=700)
        assert read(again.get(PREMIUM))["quantity"] == 50


def test_a_person_in_the_portal_can_change_a_subscription(far_side):
    key = PREMIUM.rpartition("/")[2]
    far_side.control(f"subscriptions/{key}", {"quantity": 60, "status": "suspended"})
    after = read(far_side.get(PREMIUM))
    assert (after["quantity"], after["status"]) == (60, "suspended")
    record = read(far_side.get("/auditrecords"))["items"][0]
    assert record["userPrincipalName"] == "portal.user@partner.example"
    dump = far_side.control(f"subscriptions/{key}")
    assert [batch[0] for batch in dump["batches"]] == [3, 12]


def test_one_customers_subscription_is_not_found_at_another(far_side):
    other = BY_KEY["bakkerij-velde"].tenant_id
    path = PREMIUM.replace(NOORDZEE, other)
    assert code(far_side.get(path)) == (404, 20003)
    assert read(far_side.get(PREMIUM.upper().replace("/CUSTOMERS", "/customers")))["quantity"] == 48
