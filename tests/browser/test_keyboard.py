"""The main job by keyboard alone: Tab, Enter, the arrows and letters."""

import re

from playwright.sync_api import expect

from syncops.demo.people import PASSWORD
from tests.browser.conftest import EMAIL
from tests.browser.keyboard import Keyboard
from tests.browser.walk import Walk

CUSTOMER, OFFER = "O'Donnell & Byrne Solicitors", "Power BI Pro"


def test_the_main_job_needs_no_mouse(opened, installation):
    page = opened(None)
    keys, walk = Keyboard(page), Walk(page)
    page.goto("/accounts/login/")
    keys.type("Email", EMAIL["administrator"])
    keys.type("Password", PASSWORD)
    page.keyboard.press("Enter")
    walk.heading("Northwind Cloud Services")

    keys.press("Customers")
    keys.search("Search", CUSTOMER[:6])
    keys.press(CUSTOMER)
    keys.press("Add subscription")
    keys.search("Search", OFFER)
    keys.press(f"Add {OFFER} · 1 year, monthly")
    keys.type("Quantity", "4")
    keys.press("Add to cart")
    keys.press("Submit Order")
    keys.press("Submit")
    walk.await_order()

    keys.press("Sync to Connection")
    keys.search("Search companies", "odonnell")
    keys.go_to("ODonnell")
    page.keyboard.press("Space")
    expect(page.locator("#contract-options").get_by_role("radio")).to_have_count(2)
    keys.search("Search services", "power bi")
    keys.go_to(OFFER)
    page.keyboard.press("Space")
    keys.go_to("Microsoft 365")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowUp")
    expect(page.locator("[name=contract]").first).to_be_checked()
    keys.press("Preview")
    keys.press("Confirm Sync")
    walk.await_proof()
    ((units, _),) = installation.billed(installation.subscription(CUSTOMER, OFFER))
    assert units == 4


def test_the_navigation_can_be_skipped(page):
    page.goto("/orders/")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("main")).to_be_focused()


def test_the_menu_of_a_phone_opens_and_closes_by_keyboard(opened):
    page = opened(viewport={"width": 390, "height": 800})
    page.goto("/")
    main = page.get_by_role("navigation", name="Main")
    expect(main).to_be_hidden()
    Keyboard(page).go_to("Menu")
    page.keyboard.press("Enter")
    expect(main).to_be_visible()
    page.keyboard.press("Escape")
    expect(main).to_be_hidden()
    expect(page.get_by_text("Menu", exact=True)).to_be_focused()
    page.keyboard.press("Enter")
    Keyboard(page).press("Orders")
    expect(page).to_have_url(re.compile("/orders/$"))
