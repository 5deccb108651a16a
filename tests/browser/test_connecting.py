"""A second Autotask connection, set up in steps by an administrator who clicks twice and goes back."""

import re

import pytest
from playwright.sync_api import Page, expect

from connections.sandbox.seed.credentials import BROKEN_AUTOTASK, DEMO_AUTOTASK
from tests.browser.inspection import DESKTOP, MOST_BYTES, complaints, transferred
from tests.browser.walk import Walk


def enter(page: Page, credentials: dict[str, str]) -> None:
    page.get_by_label("Username (Key)").fill(credentials["user_name"])
    page.get_by_label("Password (Secret)").fill(credentials["secret"])
    page.get_by_label("Tracking identifier").fill(credentials["integration_code"])


def fine(page: Page) -> None:
    """Light, and usable by everybody."""
    assert transferred(page) < MOST_BYTES
    assert not complaints(page)


@pytest.mark.parametrize("live", [True, False], ids=["with JavaScript", "without JavaScript"])
def test_the_steps_lead_to_a_connection_whose_data_are_read(opened, live):
    page = opened(java_script_enabled=live, viewport=DESKTOP)
    walk, name = Walk(page, live=live), f"Autotask again, {'live' if live else 'plain'}"
    page.watch.expect(422)
    check = fine if live else lambda page: None
    page.goto("/connections/new/")
    walk.link("Connect Autotask").click()
    walk.link("Continue").click()

    enter(page, BROKEN_AUTOTASK)
    walk.button("Test").click()
    expect(page.locator("main .notice--bad")).to_contain_text("Autotask refuses the secret")
    check(page)
    expect(page.get_by_label("Password (Secret)")).to_have_value("")
    enter(page, DEMO_AUTOTASK)
    walk.button("Test").click()

    page.wait_for_url(re.compile("/set-up/$"))
    expect(page.locator("main")).to_contain_text("The test has passed")
    check(page)
    walk.link("Other credentials").click()
    expect(page.get_by_label("Username (Key)")).to_have_value(DEMO_AUTOTASK["user_name"])
    page.go_back()
    page.get_by_label("Name").fill(name)
    expect(page.get_by_label("Currency")).to_have_value("EUR")
    walk.button("Continue").click()

    walk.heading(f"Policies of {name}")
    check(page)
    page.get_by_role("radio", name=re.compile("^Billed from the next period on")).check()
    walk.button("Connect").dblclick()

    walk.heading(f"{name} is connected")
    check(page)
    walk.await_words(page.locator("#mirror"), re.compile(r"Contracts\s*[1-9]"))
    walk.link("Show the connection").click()
    expect(page.locator("#policies + p, [aria-labelledby=policies]").first).to_contain_text("Policies")
    walk.link("Change policies").click()
    expect(page.get_by_role("radio", name=re.compile("^Billed from the next period on"))).to_be_checked()
    check(page)
    page.get_by_role("link", name=name).click()
    walk.link("Retire").click()
    check(page)
    walk.button("Retire").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Retired")
