"""What browsers do besides: going back, losing the network, outliving a session; and what the tests watch for."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser.walk import Walk

OFFLINE = "net::ERR_INTERNET_DISCONNECTED|htmx:(sendError|afterRequest)"


def test_going_back_shows_the_search_as_it_was(page):
    walk = Walk(page)
    page.goto("/")
    walk.open_customer("Kliniek De Linde")
    page.go_back()
    expect(page).to_have_url(re.compile(r"/customers/\?q=Kliniek"))
    expect(page.get_by_label("Search")).to_have_value("Kliniek De Linde")
    expect(page.get_by_role("row")).to_have_count(2)
    page.go_back()
    walk.heading("Northwind Cloud Services")


def test_the_pages_of_a_list_can_be_gone_back(page):
    walk = Walk(page)
    page.goto("/subscriptions/")
    first = page.locator("tbody a").first.inner_text()
    walk.link("Next").click()
    expect(page).to_have_url(re.compile("after="))
    expect(page.locator("tbody a").first).not_to_have_text(first)
    page.go_back()
    expect(page).to_have_url(re.compile("/subscriptions/$"))
    expect(page.locator("tbody a").first).to_have_text(first)


def test_leaving_a_search_box_asks_nothing_again(page):
    asked = []
    page.on("request", lambda request: asked.append(request.url) if "/customers/" in request.url else None)
    page.goto("/customers/")
    Walk(page).search(page.get_by_label("Search"), "Kliniek", "Filter")
    asked.clear()
    page.get_by_role("heading", level=1).click()
    page.wait_for_timeout(400)
    assert not asked


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
