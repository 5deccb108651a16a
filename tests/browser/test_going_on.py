"""What browsers do besides: going back, losing the network, outliving a session. And the watch that every test relies on."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser.walk import Walk

OFFLINE = "net::ERR_INTERNET_DISCONNECTED|htmx:sendError"


def test_going_back_shows_the_search_as_it_was(page):
    walk = Walk(page)
    page.goto("/customers/")
    walk.search(page.get_by_label("Search"), "Kliniek", "Filter")
    walk.link("Kliniek De Linde").click()
    walk.heading("Kliniek De Linde")
    page.go_back()
    expect(page.get_by_label("Search")).to_have_value("Kliniek")
    expect(page.get_by_role("row")).to_have_count(2)
    page.go_back()
    expect(page).to_have_url(re.compile("/customers/$"))
    expect(walk.link("Alpenrose Hotel GmbH")).to_be_visible()
    expect(page.get_by_label("Search")).to_have_value("")


def test_a_lost_network_is_said_and_what_was_typed_stays(page):
    page.watch.expect_words(OFFLINE)
    page.goto("/subscriptions/")
    page.context.set_offline(True)
    page.get_by_label("Search").press_sequentially("visio")
    expect(page.locator("#toasts")).to_contain_text("The portal cannot be reached")
    expect(page.get_by_label("Search")).to_have_value("visio")
    page.context.set_offline(False)
    page.get_by_role("button", name="Close this message").click()
    expect(page.locator("#toasts")).to_be_empty()


def test_a_session_that_ended_leads_to_the_sign_in_and_back(opened):
    page = opened()
    page.goto("/subscriptions/")
    page.context.clear_cookies()
    page.get_by_label("Search").press_sequentially("visio")
    Walk(page).heading("Sign in")
    assert "next=/subscriptions/" in page.url


@pytest.mark.parametrize(
    "wrong",
    [
        "() => { const image = new Image(); image.src = 'http://elsewhere.example/x.png'; }",
        "() => { const script = document.createElement('script'); script.text = '1'; document.body.append(script); }",
        "() => { document.body.insertAdjacentHTML('beforeend', '<p style=\"color: red\">'); }",
        "() => { setTimeout(() => { throw new Error('broken'); }); }",
        "() => { console.error('broken'); }",
        "() => fetch('/healthz?' + 'x'.repeat(9000))",
    ],
    ids=[
        "a foreign file",
        "an inline script",
        "an inline style",
        "a broken script",
        "a console error",
        "a refused file",
    ],
)
def test_the_watch_sees(page, wrong):
    page.goto("/")
    assert not page.watch.problems
    page.evaluate(wrong)
    page.wait_for_timeout(100)
    assert page.watch.problems
    page.watch.problems.clear()
