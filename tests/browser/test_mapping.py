"""Mapping customers where they stand in their list: by keyboard, in bulk, and without JavaScript."""

import pytest
from playwright.sync_api import expect

from tests.browser.inspection import complaints
from tests.browser.keyboard import Keyboard

CUSTOMER = "Alpenrose Hotel GmbH"


@pytest.fixture
def address(installation):
    connection = installation.one("SELECT id FROM connections_connection WHERE name = 'Autotask'")
    return f"/connections/{connection}/customers/"


def test_a_row_is_mapped_and_freed_again_by_keyboard_without_leaving_the_list(page, address):
    keys = Keyboard(page)
    page.goto(f"{address}?q=alpenrose")
    before = page.locator("#progress strong").inner_text()
    keys.go_to(f"Choose the company of {CUSTOMER}")
    page.keyboard.press("Enter")
    search = page.get_by_label("Search companies")
    expect(search).to_be_focused()
    page.keyboard.type("alpenrose", delay=20)
    expect(page.locator(".picker label")).to_have_count(1)
    assert not complaints(page)
    keys.go_to("Alpenrose Hotel GmbH")
    page.keyboard.press("Space")
    keys.go_to("Map")
    page.keyboard.press("Enter")
    freed = page.get_by_role("button", name=f"Remove the mapping of {CUSTOMER}")
    expect(freed).to_be_focused()
    expect(page.locator("#progress strong")).not_to_have_text(before)
    assert page.url.endswith("?q=alpenrose")
    page.keyboard.press("Enter")
    expect(page.get_by_role("link", name=f"Choose the company of {CUSTOMER}")).to_be_focused()
    expect(page.locator("#progress strong")).to_have_text(before)


def test_a_row_is_mapped_and_freed_without_javascript(opened, address):
    page = opened(java_script_enabled=False)
    page.goto(f"{address}?q=alpenrose")
    page.get_by_role("link", name=f"Choose the company of {CUSTOMER}").click()
    page.get_by_label("Search companies").fill("alpenrose")
    page.get_by_role("button", name="Search").click()
    page.get_by_role("radio", name="Alpenrose Hotel GmbH").check()
    page.get_by_role("button", name="Map", exact=True).click()
    expect(page.get_by_text(f"{CUSTOMER} is mapped.")).to_be_visible()
    page.get_by_label(f"Select {CUSTOMER}").check()
    page.get_by_role("button", name="Remove mappings").click()
    expect(page.get_by_text("1 no longer mapped; nothing was changed in Autotask.")).to_be_visible()


def test_one_box_ticks_every_row(page, address):
    page.goto(address)
    page.get_by_label("Tick every row of this page").check()
    boxes = page.locator("tbody input[name=rows]")
    expect(boxes.first).to_be_checked()
    expect(boxes.last).to_be_checked()
