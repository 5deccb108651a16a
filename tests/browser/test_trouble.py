"""When something does not go well: said in plain words, and nothing that was typed or chosen is lost."""

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import EMAIL, sign_in
from tests.browser.walk import Walk

CUSTOMER, OFFER = "Hanseatic Shipping AG", "Microsoft 365 E5"
CHOSEN = "input[type=radio]:checked"


@pytest.fixture
def broken(installation):
    """Autotask answers nothing that helps, until `no_faults`."""
    yield lambda: installation.fault("error_503", times=None)
    installation.no_faults()


def test_a_wrong_password_is_said_in_plain_words(opened):
    page = opened(None)
    sign_in(page, "billing", "not-the-password")
    expect(page.get_by_role("alert").first).to_contain_text("are not correct")
    expect(page.get_by_label("Email")).to_have_value(EMAIL["billing"])
    expect(page.get_by_label("Password")).to_have_value("")


def test_an_autotask_that_does_not_answer_loses_nothing_that_was_chosen(page, installation, broken):
    walk, subscription = Walk(page), installation.subscription(CUSTOMER, OFFER)
    page.watch.expect(503)
    page.goto(f"/subscriptions/{subscription}/sync/")
    walk.choose("services", "e5 (mon", "Microsoft 365 E5 (monthly)")
    chosen = page.locator(CHOSEN).evaluate_all("boxes => boxes.map((box) => box.value)")

    for step in (walk.button("Preview"), walk.button("Confirm Sync")):
        broken()
        step.click()
        expect(page.get_by_role("alert").filter(has_text="everything you chose is kept")).to_be_visible()
        assert page.locator(CHOSEN).evaluate_all("boxes => boxes.map((box) => box.value)") == chosen
        installation.no_faults()
        walk.preview()

    walk.confirm()
    walk.await_proof()
    assert [units for units, _ in installation.billed(subscription)] == [15]
