"""A contract that holds the service already: the person takes that line over, and no second one appears."""

from decimal import Decimal

from playwright.sync_api import expect

from connections.sandbox.remote import control
from tests.browser.walk import Walk

CUSTOMER, OFFER = "Bakkerij Van der Velde", "Microsoft 365 Business Standard"
CONTRACT, LINE, SERVICE = 3002, 5001, 102


def lines_of_the_service(installation):
    found = control(installation.autotask, "GET", "ledger", contract=CONTRACT)["lines"]
    return [line["id"] for line in found if line["serviceID"] == SERVICE]


def test_a_line_that_is_there_is_taken_over(page, installation):
    walk, subscription = Walk(page), installation.subscription(CUSTOMER, OFFER)
    assert lines_of_the_service(installation) == [LINE]
    units, list_price = installation.billed_on(LINE)
    assert (units, list_price) == (9, Decimal("12.29"))

    page.goto(f"/subscriptions/{subscription}/")
    walk.link("Sync to Connection").click()
    expect(page.get_by_role("radio", name="Bakkerij van der Velde B.V.")).to_be_checked()
    walk.preview()
    expect(page.get_by_role("heading", name="This contract already holds this service")).to_be_visible()
    expect(walk.button("Confirm Sync")).to_have_count(0)
    page.get_by_role("radio", name=f"Take over line #{LINE}").check()
    walk.button("Update the preview").click()
    expect(page.get_by_role("radio", name=f"Take over line #{LINE}")).to_be_checked()
    walk.confirm()
    walk.await_proof()

    assert lines_of_the_service(installation) == [LINE]
    assert installation.billed_on(LINE) == (9, Decimal("11.80"))
    assert "taken over" in page.locator("main").inner_text()
