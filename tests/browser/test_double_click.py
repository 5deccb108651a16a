"""What is pressed twice happens once."""

import re
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests
from playwright.sync_api import expect

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


def test_confirmations_that_arrive_at_once_write_once(page, installation):
    walk, subscription = Walk(page), installation.subscription(CUSTOMER, "Microsoft Teams Phone Standard")
    page.goto(f"/subscriptions/{subscription}/sync/")
    walk.choose("services", "teams", "Teams Phone Standard")
    walk.preview()
    form = page.locator("form", has=walk.button("Confirm Sync"))
    fields = dict(form.evaluate("form => [...new FormData(form).entries()]"))
    cookies = {cookie["name"]: cookie["value"] for cookie in page.context.cookies()}
    address = f"{installation.url}/subscriptions/{subscription}/sync/confirm/"

    def post(_):
        return requests.post(
            address, fields, cookies=cookies, headers={"Referer": address}, allow_redirects=False, timeout=30
        )

    with ThreadPoolExecutor(6) as threads:
        answers = list(threads.map(post, range(6)))
    assert {answer.status_code for answer in answers} == {302}
    page.goto(f"/subscriptions/{subscription}/sync/")
    walk.await_proof()
    assert installation.operations(subscription) == [("map_subscription", "succeeded")]
    assert len(installation.billed(subscription)) == 1
    expect(page.locator("main")).to_contain_text("Teams Phone Standard")
