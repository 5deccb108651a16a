"""A line on which one operation failed and another waits behind it: the chain, and the pages that decide about both."""

import sqlite3
from contextlib import closing

import pytest
from playwright.sync_api import expect

from tests.browser.inspection import MOST_BYTES, complaints, transferred

WORDS = "The PSA says no."
PAGES = {
    "operation, waiting chain": ("/operations/{operation}/", "Waiting chain"),
    "subscription, waiting chain": ("/subscriptions/{subscription}/", "Waiting chain"),
    "inbox, retry all": ("/inbox/retry/?kind=rejected&words=The+PSA+says+no.", None),
    "inbox, dismiss all": ("/inbox/dismiss/?kind=rejected&words=The+PSA+says+no.", None),
}


@pytest.fixture
def stuck(installation):
    """Two more operations of a synced line that need a person, as a run leaves them behind; gone afterwards."""
    operation = installation.one("SELECT max(id) FROM syncops_syncoperation WHERE state = 'succeeded'")
    subscription = installation.one("SELECT subscription_id FROM syncops_syncoperation WHERE id = ?", operation)
    made = []
    with closing(sqlite3.connect(installation.folder / "portal.sqlite3", timeout=20)) as database:
        for number in (901, 902):
            with database:
                made.append(_copied(database, operation, number))
        yield {"operation": made[0], "subscription": subscription}
        with database:
            database.executemany("DELETE FROM syncops_syncoperation WHERE id = ?", [(pk,) for pk in made])


def _copied(database: sqlite3.Connection, operation: int, number: int) -> int:
    changed = {
        "sequence": number,
        "kind": "change_quantity",
        "margin_update_id": None,
        "payload": '{"units": 12}',
        "policies_json": "{}",
        "state": "failed",
        "error_kind": "rejected",
        "error_group": WORDS,
        "error": WORDS,
        "advice": "Look at the line.",
        "change_id": None,
    }
    names = [row[1] for row in database.execute("PRAGMA table_info(syncops_syncoperation)") if row[1] != "id"]
    values = ", ".join(f":{name}" if name in changed else name for name in names)
    question = f"INSERT INTO syncops_syncoperation ({', '.join(names)}) SELECT {values} FROM syncops_syncoperation"
    return database.execute(f"{question} WHERE id = :operation", changed | {"operation": operation}).lastrowid or 0


@pytest.mark.parametrize("name", PAGES)
def test_everybody_can_use_the_pages_of_a_line_that_is_stuck(page, stuck, name):
    path, heading = PAGES[name]
    page.goto(path.format(**stuck))
    if heading:
        expect(page.get_by_role("heading", name=heading)).to_be_visible()
    expect(page.locator("main")).to_contain_text(WORDS)
    assert transferred(page) < MOST_BYTES
    assert not complaints(page)
