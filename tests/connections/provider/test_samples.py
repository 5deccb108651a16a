"""Every payload of Microsoft's documentation whose kind the client reads."""

import json
from datetime import date
from decimal import Decimal

import pytest
from django.conf import settings

from connections.http import Answer
from connections.provider.partner_center import shapes
from connections.provider.partner_center.advice import MEANINGS
from connections.provider.partner_center.client import items_of
from connections.provider.partner_center.failures import failure
from connections.provider.partner_center.shapes import shaped
from connections.provider.partner_center.translate import facts, planned_for_renewal, with_quantity
from portal.far_side import FarSideError, Rejected, Unauthorized, Unavailable

FOLDER = settings.BASE_DIR.parent / "shared" / "reference" / "partner_center_samples"

ONE = {
    "customer_by_id.json": shapes.Customer,
    "cart_nce_created_with_pricing.json": shapes.Cart,
    "order_nce_checkout.json": shapes.Order,
    "order_created_nce.json": shapes.Order,
    "order_by_id.json": shapes.Order,
    "order_cancel_software_response.json": shapes.Order,
    "subscription_provisioning_status.json": shapes.SubscriptionProvisioning,
    "subscription_legacy_azure.json": shapes.Subscription,
    "subscription_nce_license.json": shapes.Subscription,
    "subscription_nce_quantity_patch_response.json": shapes.Subscription,
    "subscription_nce_license_active_patch_body.json": shapes.Subscription,
    "synthetic/subscription_azure_plan.json": shapes.Subscription,
    "synthetic/subscription_nce_active_in_window.json": shapes.Subscription,
    "synthetic/subscription_nce_pending_billing_cycle_change.json": shapes.Subscription,
    "synthetic/subscription_nce_scheduled_change.json": shapes.Subscription,
    "synthetic/subscription_nce_suspended.json": shapes.Subscription,
    "synthetic/cart_checkout_result_partial_failure.json": shapes.CheckoutResult,
}
MANY = {
    "customers_collection.json": shapes.Customer,
    "indirect_resellers_list.json": shapes.Reseller,
    "indirect_resellers_of_customer.json": shapes.Reseller,
    "order_provisioning_status.json": shapes.LineProvisioning,
    "subscriptions_collection_azure_legacy.json": shapes.Subscription,
}
REFUSALS = {
    "error_400_cancel_window": Rejected,
    "error_400_etag": Unavailable,
    "error_401_audience": Unauthorized,
    "error_401_mfa": Unauthorized,
    "error_403_app_only": Rejected,
    "error_404_subscription": Rejected,
    "error_409_not_ready": Unavailable,
    "error_409_pending_operation": Unavailable,
}


def sample(name):
    file = FOLDER / name
    if not file.is_file():
        pytest.skip(f"Microsoft's sample payloads are not here: put them into {FOLDER}")
    return json.loads(file.read_text(encoding="utf-8"), parse_float=Decimal)


@pytest.mark.parametrize(("name", "kind"), ONE.items(), ids=str)
def test_a_documented_resource_is_read(name, kind):
    assert shaped(kind, sample(name))


@pytest.mark.parametrize(("name", "kind"), MANY.items(), ids=str)
def test_a_documented_collection_is_read(name, kind):
    items = items_of(sample(name))
    assert items
    assert all(shaped(kind, item).id if kind is not shapes.LineProvisioning else True for item in items)


def test_the_values_of_the_documented_licence_are_those_it_shows():
    shown = facts(shaped(shapes.Subscription, sample("subscription_nce_license.json")))
    assert (shown.status, shown.quantity, shown.ends_on) == ("expired", 15, date(2022, 1, 13))
    assert shown.started_at.isoformat() == "2021-01-14T16:57:14.498252+00:00"
    assert (shown.order_external_id, shown.auto_renew) == ("34b37d7340cc", False)


def test_the_documented_partial_failure_has_an_order_and_an_error():
    result = shaped(shapes.CheckoutResult, sample("synthetic/cart_checkout_result_partial_failure.json"))
    assert [order.line_items[0].pricing.price for order in result.orders] == [Decimal("36.48")]
    assert [(error.order_group_id, error.code) for error in result.order_errors] == [("1", "2085")]


def test_a_changed_quantity_loses_nothing_of_the_documented_resource():
    before = sample("synthetic/subscription_nce_scheduled_change.json")
    body = with_quantity(before, 20)
    assert body == before | {"quantity": 20}
    assert planned_for_renewal(body)
    pending = sample("synthetic/subscription_nce_pending_billing_cycle_change.json")
    assert with_quantity(pending, 20)["nextChargeInstructions"] == pending["nextChargeInstructions"]


@pytest.mark.parametrize(("name", "error"), REFUSALS.items(), ids=str)
def test_a_documented_refusal_becomes_its_error(name, error):
    told = sample(f"synthetic/{name}.json")
    found = failure(Answer(told["_http"], {}, b""), told["body"], correlation_id="c", writing=True)
    assert type(found) is error
    assert found.advice


def test_the_documented_throttle_is_read():
    body = sample("error_429_throttle.json")
    found = failure(Answer(429, {}, b""), body, correlation_id="c", writing=True)
    assert (type(found), found.retry_after) == (Unavailable, 57.0)


def test_every_code_that_is_explained_is_one_that_microsoft_documents():
    known = {(row["http"], row["code"]) for row in sample("error_codes.json")}
    assert set(MEANINGS) <= known
    assert all(issubclass(meaning.error, FarSideError) and meaning.advice for meaning in MEANINGS.values())
