"""Forms that somebody rewrote in the browser: what is not theirs is not found, what is not eligible is refused."""

import pytest
from playwright.sync_api import expect

from tests.browser.installation import OTHER_CSP
from tests.browser.walk import Walk

CUSTOMER, OFFER = "Alpenrose Hotel GmbH", "Microsoft 365 Business Standard"
INACTIVE, NOT_IN_THIS_AUTOTASK = 3202, 2001
TRIGGER = "Trigger Subscription Mapping To Connection"


@pytest.fixture
def subscription(installation):
    return installation.subscription(CUSTOMER, OFFER)


def rewrite(page, name, value):
    """Give the chosen radio button of a picker another value, as anybody can with the browser's own tools."""
    page.locator(f"[name={name}]:checked").evaluate("(box, value) => { box.value = value; }", str(value))


def nothing_written(installation, subscription):
    mapped = installation.one(
        "SELECT count(*) FROM mappings_subscriptionmapping WHERE subscription_id = ?", subscription
    )
    return not mapped and not installation.operations(subscription) and not installation.billed(subscription)


def refused_entries(installation):
    return installation.one("SELECT count(*) FROM portal_auditentry WHERE name = ? AND status = 'failed'", TRIGGER)


def choose_contract(page, subscription):
    page.goto(f"/subscriptions/{subscription}/sync/")
    Walk(page).choose("contracts", "csp", "Microsoft 365 (CSP) monthly")


def test_a_contract_that_is_not_eligible_is_refused_with_the_reason(page, installation, subscription):
    before = refused_entries(installation)
    page.watch.expect(422)
    choose_contract(page, subscription)
    rewrite(page, "contract", INACTIVE)
    Walk(page).button("Preview").click()
    expect(page.get_by_role("alert").filter(has_text="Nothing was written")).to_contain_text("is inactive")
    assert refused_entries(installation) == before + 1
    assert nothing_written(installation, subscription)
    page.goto("/audit/")
    expect(page.get_by_role("row").filter(has_text=TRIGGER).first).to_contain_text("Failed")


@pytest.mark.parametrize("noun", ["company", "service", "contract"])
def test_what_this_autotask_does_not_hold_is_not_found(page, installation, subscription, noun):
    before = refused_entries(installation)
    page.watch.expect(404)
    choose_contract(page, subscription)
    rewrite(page, noun, NOT_IN_THIS_AUTOTASK)
    Walk(page).button("Preview").click()
    Walk(page).heading("There is nothing here")
    assert refused_entries(installation) == before + 1
    assert nothing_written(installation, subscription)


def test_the_preview_cannot_be_rewritten_before_it_is_confirmed(page, installation, subscription):
    page.watch.expect(422)
    choose_contract(page, subscription)
    Walk(page).preview()
    page.locator("[name=contract]").last.evaluate("(box, value) => { box.value = value; }", str(INACTIVE))
    Walk(page).button("Confirm Sync").click()
    expect(page.get_by_role("alert").filter(has_text="Nothing was written")).to_contain_text("is inactive")
    assert nothing_written(installation, subscription)


def test_another_csp_finds_nothing_of_this_one(opened, installation, subscription):
    page = opened(OTHER_CSP)
    page.watch.expect(404)
    page.goto("/")
    token = page.locator("[name=csrfmiddlewaretoken]").first.input_value()
    customer = installation.customer(CUSTOMER)
    variant = installation.one("SELECT min(id) FROM portal_offervariant")
    operation = installation.one("SELECT min(id) FROM syncops_syncoperation")
    connection = installation.one("SELECT id FROM connections_connection WHERE name = 'Autotask'")
    choice = {"connection": connection, "company": 1003, "service": 102, "contract": 3003}
    for address in (
        f"/customers/{customer}/",
        f"/subscriptions/{subscription}/",
        f"/operations/{operation}/",
        f"/connections/{connection}/",
        f"/connections/{connection}/subscriptions/{subscription}/companies/",
    ):
        assert page.request.get(address).status == 404, address
    for address, form in (
        (f"/customers/{customer}/cart/add/", {"variant": variant, "quantity": 1}),
        (f"/subscriptions/{subscription}/quantity/", {"quantity": 99}),
        (f"/subscriptions/{subscription}/sync/preview/", choice),
        (f"/subscriptions/{subscription}/sync/confirm/", choice),
        (f"/operations/{operation}/retry/", {}),
        (f"/connections/{connection}/pause/", {}),
    ):
        sent = {name: str(value) for name, value in {**form, "csrfmiddlewaretoken": token}.items()}
        answer = page.request.post(address, form=sent, headers={"Referer": installation.url})
        assert answer.status == 404, (address, answer.status)
    assert nothing_written(installation, subscription)
