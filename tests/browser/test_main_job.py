"""The main job in a real browser: bought, put on the contract, and proved by Autotask's own ledger."""

import re
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

import pytest
from playwright.sync_api import expect

from connections.sandbox.seed.catalogue import BY_KEY, price
from tests.browser.conftest import sign_in
from tests.browser.walk import Walk


@dataclass(frozen=True)
class Job:
    """Who buys what, and what it is called in Autotask."""

    customer: str
    company: str
    contract: str
    offer: str
    key: str

    @property
    def selling_price(self) -> Decimal:
        """By the demonstration's rule for licences: 4 % below Microsoft's suggested retail price."""
        retail = price(BY_KEY[self.key], "P1Y", "monthly", "EUR").retail
        return (retail * Decimal("0.96")).quantize(Decimal("0.01"), ROUND_HALF_UP)


WITH_JAVASCRIPT = Job(
    "Müller & Söhne Maschinenbau GmbH",
    "Mueller und Soehne Maschinenbau",
    "Microsoft 365 (CSP) monthly",
    "Planner and Project Plan 3",
    "project-3",
)
WITHOUT = Job("Brouwerij 't Hert NV", "Brouwerij t Hert, NV", "Cloudabonnementen per maand", "Visio Plan 2", "visio-2")


@pytest.mark.parametrize("job", [WITH_JAVASCRIPT, WITHOUT], ids=["with JavaScript", "without JavaScript"])
def test_what_is_bought_is_billed_by_autotask(opened, installation, job):
    page = opened(None, java_script_enabled=job is WITH_JAVASCRIPT)
    walk = Walk(page, live=job is WITH_JAVASCRIPT)
    sign_in(page, "administrator")
    walk.heading("Northwind Cloud Services")

    walk.open_customer(job.customer)
    assert walk.fill_cart(f"{job.offer} · 1 year, monthly", 3) == job.selling_price
    order = walk.submit_order()
    walk.await_order()

    page.get_by_role("link", name="Sync to Connection").click()
    walk.heading("Sync to Autotask")
    walk.choose("companies", job.company[:4].lower(), job.company)
    walk.choose("services", job.offer[-8:].lower(), job.offer)
    walk.choose("contracts", job.contract[:5].lower(), job.contract)
    walk.preview()
    expect(page.locator("main")).to_contain_text(job.contract)
    expect(page.get_by_role("row").filter(has_text="+3").first).to_contain_text(str(job.selling_price))
    subscription = installation.bought(order)
    assert not installation.operations(subscription)
    walk.confirm()
    walk.await_proof()
    assert installation.billed(subscription) == [(3, job.selling_price)]

    walk.change_quantity(subscription, 5)
    page.goto(f"/subscriptions/{subscription}/sync/")
    installation.wait_for(lambda: installation.operations(subscription)[1:] == [("change_quantity", "succeeded")])
    assert installation.billed(subscription) == [(5, job.selling_price)]
    walk.await_words(page.locator("main"), "Synced")

    page.goto(f"/audit/?subscription={subscription}")
    for entry in ("Trigger Subscription Mapping To Connection", "Update Subscription on Connection"):
        expect(page.get_by_role("row").filter(has_text=entry)).to_contain_text("Succeeded")
    page.goto(f"/audit/?customer={installation.customer(job.customer)}")
    for entry in ("Create Order", "Create Connection Customer Mapping"):
        expect(page.get_by_role("row").filter(has_text=entry)).to_contain_text("Succeeded")
    page.get_by_role("link", name=re.compile("Create Order")).click()
    expect(page.locator("main")).to_contain_text(job.customer)
