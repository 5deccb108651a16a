"""New margins of a customer in a real browser: followed on one page until Autotask's own ledger shows the price."""

import re

from playwright.sync_api import expect

from tests.browser.inspection import DESKTOP, MOST_BYTES, complaints, transferred
from tests.browser.walk import Walk

MAPPED = """SELECT subscription.id, customer.name FROM mappings_subscriptionmapping AS mapping
  JOIN portal_subscription AS subscription ON subscription.id = mapping.subscription_id
  JOIN portal_customer AS customer ON customer.id = subscription.customer_id
  WHERE mapping.ends_on IS NULL AND mapping.line_id IS NOT NULL AND customer.organization_id = 1
  AND customer.id NOT IN (SELECT customer_id FROM portal_marginrule WHERE customer_id IS NOT NULL)
  ORDER BY mapping.id LIMIT 1"""


def test_new_margins_are_followed_to_what_autotask_bills(opened, installation):
    page = opened(viewport=DESKTOP)
    ((subscription, customer),) = installation.look(MAPPED)
    ((units, before),) = installation.billed(subscription)
    page.goto("/margins/add/")
    page.locator("[name=customer]").select_option(label=customer)
    page.locator("[name=category]").select_option("licence")
    page.get_by_role("radio", name=re.compile("^Discount")).check()
    page.locator("[name=percent]").fill("1.5")
    Walk(page).button("Save rule").click()
    Walk(page).heading("Preview")
    Walk(page).button("Save the margins").click()
    Walk(page).heading("Margins")
    assert not complaints(page)

    page.get_by_role("link", name=re.compile(f"1.5 % for {re.escape(customer)}")).click()
    Walk(page).heading("Customer margins")
    expect(page.locator("#margins")).to_contain_text("All done", timeout=30_000)
    expect(page.locator("#margins")).to_contain_text(re.compile(r"(\d+) of \1 done"))
    assert not complaints(page)
    assert transferred(page) < MOST_BYTES
    ((still, after),) = installation.billed(subscription)
    assert still == units
    assert after > before

    page.get_by_role("link", name="Change customer margins").first.click()
    expect(page.locator("#operation")).to_contain_text("Proved")
    assert not complaints(page)
