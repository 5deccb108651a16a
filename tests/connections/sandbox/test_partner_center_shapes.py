"""Answers have the members that Microsoft's published payloads have."""

import json
from pathlib import Path

import pytest

from tests.connections.sandbox.partner_center_api import NOORDZEE, line, read, subscription_path

SAMPLES = Path(__file__).parents[4] / "shared" / "reference" / "partner_center_samples"
PREMIUM = subscription_path("noordzee-logistics", 1)
WINDOWED = {"cancellationAllowedUntilDate", "billingCycleEndDate", "billingCycleEndDateTime"}


@pytest.fixture
def far_side(far_side):
    far_side.control("modes", {"order_visible_after": 0})
    return far_side


@pytest.fixture
def sample():
    """Reads a published payload by its name."""
    if not SAMPLES.is_dir():
        pytest.skip(f"the published payloads are not at {SAMPLES}")
    return lambda name: json.loads((SAMPLES / f"{name}.json").read_text())


def members(value, path=""):
    """The paths of all members; a list counts by its first item."""
    if isinstance(value, dict):
        return {path} | {found for name, member in value.items() for found in members(member, f"{path}/{name}")}
    if isinstance(value, list) and value:
        return members(value[0], f"{path}[]")
    return {path}


def test_customers_and_resellers(far_side, sample):
    assert members(read(far_side.get("/customers?size=100"))) == members(sample("customers_collection"))
    assert members(read(far_side.get(f"/customers/{NOORDZEE}"))) == members(sample("customer_by_id"))
    resellers = read(far_side.get("/relationships?relationship_type=IsIndirectCloudSolutionProviderOf"))
    assert members(resellers) == members(sample("indirect_resellers_list"))
    path = subscription_path("kestrel-crowe", 1).partition("/subscriptions")[0]
    mine = read(far_side.get(f"{path}/relationships"))
    assert members(mine) == members(sample("indirect_resellers_of_customer"))


def test_a_licence_subscription(far_side, sample):
    shown = members(read(far_side.get(PREMIUM)))
    assert shown - members(sample("subscription_nce_license")) == {f"/{name}" for name in WINDOWED}
    assert members(sample("subscription_nce_license")) <= shown
    patched = members(read(far_side.change(PREMIUM, quantity=50)))
    assert members(sample("subscription_nce_quantity_patch_response")) <= patched


def test_an_azure_plan_and_its_azure_subscriptions(far_side, sample):
    path = subscription_path("noordzee-logistics", 6)
    assert members(read(far_side.get(path))) == members(sample("synthetic/subscription_azure_plan"))
    assert members(read(far_side.get(f"{path}/azureEntitlements"))) == members(sample("azure_entitlements_list"))


def test_a_legacy_subscription(far_side, sample):
    shown = members(read(far_side.get(subscription_path("cafe-lumiere", 4))))
    assert members(sample("subscription_legacy_azure")) - shown == {"/entitlementId"}


def test_provisioning(far_side, sample):
    shown = read(far_side.get(f"{PREMIUM}/provisioningstatus"))
    assert members(shown) == members(sample("subscription_provisioning_status"))


def test_products_and_skus(far_side, sample):
    listed = read(far_side.get("/products?country=NL&targetView=OnlineServices"))
    assert members(listed) == members(sample("products_nce"))
    sku = sample("sku_nce")
    sku["dynamicAttributes"] = {"isAddon": False, "provisioningId": "", "upgradeTargetOffers": []}
    del sku["provisioningVariables"]
    shown = read(far_side.get("/products/DZH318Z0BQ4Z/skus/002L?country=NL"))
    assert members(shown) == members(sku | {"purchasePrerequisites": ["AzureSubscriptionRegistration"]})


def test_promotions(far_side, sample):
    assert members(read(far_side.get("/productpromotions?country=NL"))) == members(sample("promotions_list"))


def test_carts_and_orders(far_side, sample):
    made = read(far_side.post(f"/customers/{NOORDZEE}/carts", {"lineItems": [line("office-e3", 1)]}))
    assert members(made) == members(sample("cart_nce_created_with_pricing"))
    result = read(far_side.post(f"/customers/{NOORDZEE}/carts/{made['id']}/checkout"))
    assert members(result["orders"][0]) == members(sample("order_nce_checkout"))
    path = f"/customers/{NOORDZEE}/orders/{result['orders'][0]['id']}"
    priced = read(far_side.get(f"{path}?include_price=true"))
    assert members(priced) == members(sample("order_nce_checkout"))
    unpriced = {
        found for found in members(sample("order_nce_checkout")) if "rice" not in found and "pricing" not in found
    }
    assert members(read(far_side.get(path))) == unpriced
    assert members(read(far_side.get(f"{path}/provisioningstatus"))) == members(sample("order_provisioning_status"))


def test_a_checkout_that_fails_in_part(far_side, sample):
    far_side.control("modes", {"checkout_failures": {"CFQ7TTC0HD32": 2085}})
    lines = [line("office-e3", 1), line("visio-2", 1, "P1Y", "annual")]
    made = read(far_side.post(f"/customers/{NOORDZEE}/carts", {"lineItems": lines}))
    result = read(far_side.post(f"/customers/{NOORDZEE}/carts/{made['id']}/checkout"))
    assert members(result) == members(sample("synthetic/cart_checkout_result_partial_failure"))


def test_audit_records(far_side, sample):
    far_side.change(PREMIUM, quantity=50)
    shown = members(read(far_side.get("/auditrecords")))
    assert members(sample("audit_records")) <= shown


def test_tokens_and_refusals(far_side, sample):
    assert members(read(far_side.token())) == members(sample("synthetic/token_response_v1"))
    refusal = far_side.change(PREMIUM, quantity=1)
    assert refusal.json() == sample("error_800090_quantity_decrease")
    unknown = far_side.get(f"{PREMIUM[:-1]}x").json()
    assert members(unknown) == members(sample("synthetic/error_404_subscription")["body"])
