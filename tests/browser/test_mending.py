"""A shortfall becomes a charge in the browser: the pages are accessible, and the charge is made once."""

import sqlite3
from contextlib import closing

import pytest
from playwright.sync_api import expect

from tests.browser.inspection import complaints

SHORT = (
    "INSERT INTO syncops_shortfall (operation_id, stream_id, reason, starts_on, ends_on, units, unit_price, amount, "
    "cost_amount, currency, created_at) SELECT id, stream_id, 'posted', '2026-05-20', '2026-05-31', 2, 5, 3.87, 3.10, "
    "'EUR', '2026-06-03 12:00:00' FROM syncops_syncoperation WHERE id = ?"
)


@pytest.fixture
def short(installation):
    """A synced subscription with a shortfall, as a run leaves it behind."""
    operation = installation.one("SELECT max(id) FROM syncops_syncoperation WHERE state = 'succeeded'")
    with closing(sqlite3.connect(installation.folder / "portal.sqlite3", timeout=20)) as database, database:
        database.execute(SHORT, (operation,))
    return operation


def test_a_shortfall_is_charged_from_the_page_of_its_operation(page, installation, short):
    page.goto(f"/operations/{short}/")
    assert not complaints(page)
    page.get_by_role("link", name="Make it one charge").click()
    expect(page.get_by_role("heading", name="The charge", exact=True)).to_be_visible()
    assert not complaints(page)
    page.get_by_label("Billing code").select_option(index=1)
    page.get_by_role("button", name="Create the charge").click()
    expect(page.get_by_role("heading", name="Charge for a shortfall")).to_be_visible()
    expect(page.locator("#operation")).to_contain_text("Charge #", timeout=30_000)
    assert not complaints(page)
    page.goto(f"/operations/{short}/")
    expect(page.get_by_role("link", name="Make it one charge")).to_have_count(0)
