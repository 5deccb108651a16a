"""Choosing what a subscription is in Autotask: found while one types, and what is left out can be asked for."""

import pytest
from playwright.sync_api import expect

from tests.browser.walk import Walk

CUSTOMER, OFFER = "Alpenrose Hotel GmbH", "Microsoft 365 Business Basic"


@pytest.mark.parametrize("live", [True, False], ids=["with JavaScript", "without JavaScript"])
def test_what_was_left_out_is_shown_with_its_reason(opened, installation, live):
    page = opened(java_script_enabled=live)
    walk, contracts = Walk(page, live), page.locator("#contract-options")
    page.goto(f"/subscriptions/{installation.subscription(CUSTOMER, OFFER)}/sync/")
    expect(page.get_by_role("radio", name="Alpenrose Hotel GmbH")).to_be_checked()
    expect(contracts).not_to_contain_text("former reseller")
    walk.link("Show the contracts that were left out, and why").click()
    expect(contracts).to_contain_text("Microsoft 365 (former reseller) is inactive")
    expect(contracts).to_contain_text("has the type Time & Materials, not Recurring Service")
    expect(contracts.get_by_role("radio").first).to_be_disabled()
    walk.link("Show the eligible contracts").click()
    expect(contracts).not_to_contain_text("former reseller")
    walk.heading("Sync to Autotask")


def test_what_is_chosen_stays_chosen_while_one_looks_further(page, installation):
    walk = Walk(page)
    page.goto(f"/subscriptions/{installation.subscription(CUSTOMER, OFFER)}/sync/")
    walk.choose("services", "basic", OFFER)
    page.get_by_label("Search services").clear()
    walk.search(page.get_by_label("Search services"), "nothing like it", "Search")
    expect(page.locator("[name=service]:checked")).to_have_value("101")


def test_another_company_brings_its_own_contracts(page, installation):
    walk, contracts = Walk(page), page.locator("#contract-options")
    page.goto(f"/subscriptions/{installation.subscription(CUSTOMER, OFFER)}/sync/")
    walk.choose("companies", "hofstra", "Autobedrijf Hofstra")
    expect(contracts).to_contain_text("No eligible contract")
    walk.link("Show the contracts that were left out, and why").click()
    expect(contracts).to_contain_text("Managed workplace starts on")
