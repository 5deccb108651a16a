"""A file of mappings handed in, looked through and applied, with and without JavaScript; what is billed otherwise."""

from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser.inspection import complaints


@pytest.fixture
def connection(installation):
    return installation.one("SELECT id FROM connections_connection WHERE name = 'Autotask'")


@pytest.fixture
def file(installation, connection, tmp_path):
    """A row that is new, and one that nobody knows."""
    company = """SELECT remote_id FROM connections_mirroredcompany
        WHERE name = 'Alpenrose Hotel GmbH' AND is_active AND connection_id = ? ORDER BY remote_id LIMIT 1"""
    customer = "SELECT external_id FROM portal_customer WHERE name LIKE 'Alpenrose%'"
    path = tmp_path / "kundén.csv"
    rows = [
        "Microsoft tenant id;Company id",
        f"{installation.one(customer)};{installation.one(company, connection)}",
        "no such;1",
    ]
    path.write_bytes("\r\n".join(rows).encode("cp1252"))
    return path


@pytest.mark.parametrize("script", [True, False], ids=["JavaScript", "none"])
def test_a_file_is_handed_in_looked_through_and_applied_or_discarded(opened, connection, file, script):
    page = opened(java_script_enabled=script)
    page.goto(f"/connections/{connection}/customers/")
    page.get_by_role("link", name="Import").click()
    if script:
        assert not complaints(page)
    page.get_by_label("File").set_input_files(Path(file))
    page.get_by_role("button", name="Show what it would do").click()
    for _ in range(100):
        if script or page.get_by_role("heading", name="1 row would be applied").count():
            break
        page.wait_for_timeout(200)
        page.reload()
    expect(page.get_by_role("heading", name="1 row would be applied")).to_be_visible()
    expect(page.get_by_text("No customer here has the Microsoft tenant id no such.")).to_be_visible()
    if not script:
        page.get_by_role("button", name="Discard").click()
        expect(page.get_by_text("was discarded. Nothing was changed.")).to_be_visible()
        return
    assert not complaints(page)
    page.get_by_label("Leave out the 1 refused row").check()
    page.get_by_role("button", name="Apply it").click()
    expect(page.get_by_text("1 row applied")).to_be_visible()
    page.goto(f"/connections/{connection}/customers/?q=alpenrose")
    page.get_by_role("button", name="Remove the mapping of Alpenrose Hotel GmbH").click()
    expect(page.get_by_role("link", name="Choose the company of Alpenrose Hotel GmbH")).to_be_visible()


def test_what_is_billed_otherwise_is_previewed_first(page, installation):
    billed = """SELECT subscription_id FROM mappings_subscriptionmapping
        WHERE line_id IS NOT NULL AND ends_on IS NULL ORDER BY id LIMIT 1"""
    subscription = installation.one(billed)
    page.goto(f"/subscriptions/{subscription}/exclude/")
    page.get_by_label("Units that are not billed").fill("1")
    page.get_by_label("Reason").fill("Our own people")
    page.get_by_role("button", name="Preview").click()
    expect(page.get_by_role("heading", name="1 unit fewer")).to_be_visible()
    assert not complaints(page)
    page.goto(f"/subscriptions/{subscription}/service/")
    assert not complaints(page)
