"""What is pressed twice happens once."""

import re
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urljoin

import pytest
import requests

from connections.sandbox.remote import control
from tests.browser.walk import Walk

CUSTOMER = "Kliniek De Linde"
BOTH = pytest.mark.parametrize("live", [True, False], ids=["with JavaScript", "without JavaScript"])


def orders_at_microsoft(installation):
    key = installation.one("SELECT external_id FROM portal_customer WHERE name = ?", CUSTOMER)
    return len(control(installation.partner_center, "GET", "orders", customer=key)["orders"])


@BOTH
def test_two_clicks_on_submit_buy_once(opened, installation, live):
    page = opened(java_script_enabled=live)
    walk = Walk(page, live)
    before = orders_at_microsoft(installation)
    page.goto(f"/customers/{installation.customer(CUSTOMER)}/")
    walk.fill_cart("Microsoft 365 Apps for business · 1 month, monthly", 2)
    walk.link("Submit Order").click()
    cart = page.url.split("/")[-3]
    walk.button("Submit").dblclick()
    page.wait_for_url(re.compile(r"/orders/\d+/$"))
    walk.await_order()
    assert orders_at_microsoft(installation) == before + 1
    assert installation.one("SELECT count(*) FROM portal_order WHERE id = ? AND state = 'completed'", cart) == 1


@BOTH
def test_two_clicks_on_confirm_sync_write_once(opened, installation, live):
    page = opened(java_script_enabled=live)
    walk = Walk(page, live)
    subscription = installation.subscription(
        CUSTOMER, "Microsoft Intune Plan 1" if live else "Exchange Online (Plan 2)"
    )
    page.goto(f"/subscriptions/{subscription}/sync/")
    walk.preview()
    walk.button("Confirm Sync").dblclick()
    page.wait_for_url(re.compile(r"/sync/$"))
    walk.await_proof()
    assert installation.operations(subscription) == [("map_subscription", "succeeded")]
    assert len(installation.billed(subscription)) == 1


def post_at_once(page, button):
    """Send the button's form six times at the same moment, as no browser does but a bad network may."""
    form = page.locator("form", has=button)
    fields = dict(form.evaluate("form => [...new FormData(form).entries()]"))
    address = urljoin(page.url, form.get_attribute("action") or "")
    cookies = {cookie["name"]: cookie["value"] for cookie in page.context.cookies()}

    def post(_):
        return requests.post(
            address, fields, cookies=cookies, headers={"Referer": address}, allow_redirects=False, timeout=60
        )

    with ThreadPoolExecutor(6) as threads:
        return {(answer.status_code, answer.headers.get("Location")) for answer in threads.map(post, range(6))}


def test_confirmations_that_arrive_at_once_write_once(page, installation):
    walk, subscription = Walk(page), installation.subscription(CUSTOMER, "Microsoft Teams Phone Standard")
    page.goto(f"/subscriptions/{subscription}/sync/")
    walk.choose("services", "teams", "Teams Phone Standard")
    walk.preview()
    assert post_at_once(page, walk.button("Confirm Sync")) == {(302, f"/subscriptions/{subscription}/sync/")}
    page.goto(f"/subscriptions/{subscription}/sync/")
    walk.await_proof()
    assert installation.operations(subscription) == [("map_subscription", "succeeded")]
    assert len(installation.billed(subscription)) == 1
    refused = "SELECT count(*) FROM portal_auditentry WHERE subscription_id = ? AND status = 'failed'"
    assert installation.one(refused, subscription) == 0


def test_orders_that_arrive_at_once_buy_once(page, installation):
    walk, before = Walk(page), orders_at_microsoft(installation)
    page.goto(f"/customers/{installation.customer(CUSTOMER)}/")
    walk.fill_cart("Visio Plan 1 · 1 month, monthly", 1)
    walk.link("Submit Order").click()
    ((status, order),) = post_at_once(page, walk.button("Submit"))
    assert status == 302
    page.goto(order)
    walk.await_order()
    assert orders_at_microsoft(installation) == before + 1


def test_changes_of_quantity_that_arrive_at_once_are_one(page, installation):
    walk, subscription = Walk(page), installation.subscription(CUSTOMER, "Microsoft Defender for Office 365 (Plan 1)")
    page.goto(f"/subscriptions/{subscription}/quantity/?quantity=40")
    ((status, _),) = post_at_once(page, walk.button("Change to 40"))
    assert status == 302
    page.goto(f"/subscriptions/{subscription}/quantity/")
    walk.await_words(page.locator("main"), "Microsoft has 40 since")
    requested = "SELECT count(*) FROM portal_subscriptionrequest WHERE subscription_id = ?"
    assert installation.one(requested, subscription) == 1
