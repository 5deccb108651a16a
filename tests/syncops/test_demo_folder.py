"""The demonstration's data folder: what it may use, what it removes, and that it is alone there."""

import json
import os
import sqlite3
from contextlib import closing
from datetime import UTC, date, datetime

import pytest

from syncops.demo.folder import LOCK, MARKER, Folder, Unusable


@pytest.fixture
def folder(tmp_path):
    return Folder(tmp_path / "data")


@pytest.fixture
def used(folder):
    """A folder in which the demonstration ran."""
    folder.claim()
    for name in ("portal.sqlite3", "portal.sqlite3-wal"):
        (folder.path / name).write_bytes(b"")
    for name in ("keys", "logs", "sandbox"):
        (folder.path / name).mkdir()
        (folder.path / name / "file").write_text("something")
    return folder


def names(folder):
    return sorted(entry.name for entry in folder.path.iterdir())


def database_with(folder, organizations):
    folder.path.mkdir(exist_ok=True)
    with closing(sqlite3.connect(folder.path / "portal.sqlite3")) as connection:
        connection.execute("CREATE TABLE portal_organization (id INTEGER)")
        connection.executemany("INSERT INTO portal_organization VALUES (?)", [(n,) for n in range(organizations)])
        connection.commit()


def test_a_folder_that_is_not_there_yet_can_be_used(folder):
    folder.check()
    assert folder.claim() == datetime.now(UTC).date()
    assert folder.is_ours


def test_an_installation_of_somebody_is_refused(folder):
    database_with(folder, organizations=1)
    with pytest.raises(Unusable, match="holds an installation that the demonstration did not make"):
        folder.check()


def test_a_database_without_an_organization_may_be_filled(folder):
    database_with(folder, organizations=0)
    folder.check()


def test_a_file_that_is_no_database_is_refused(folder):
    folder.path.mkdir()
    (folder.path / "portal.sqlite3").write_bytes(b"no database at all, and long enough to be read as one " * 20)
    with pytest.raises(Unusable, match="is not a database"):
        folder.check()


def test_a_sandbox_of_somebody_is_refused(folder):
    (folder.path / "sandbox").mkdir(parents=True)
    with pytest.raises(Unusable, match="holds a sandbox"):
        folder.check()


def test_a_file_in_place_of_the_folder_is_refused(tmp_path):
    (tmp_path / "data").write_text("")
    with pytest.raises(Unusable, match="is not a folder"):
        Folder(tmp_path / "data").check()


def test_what_the_demonstration_made_is_used_again_with_its_date(used):
    (used.path / MARKER).write_text(json.dumps({"made_on": "2026-03-01"}))
    used.check()
    assert used.claim() == date(2026, 3, 1)


def test_the_date_is_that_of_what_is_there(folder):
    folder.path.mkdir()
    (folder.path / MARKER).write_text(json.dumps({"made_on": "2026-03-01"}))
    assert folder.claim() == datetime.now(UTC).date()


def test_starting_over_removes_all_but_the_keys(used):
    used.clear()
    assert names(used) == ["keys"]
    assert (used.path / "keys" / "file").exists()


def test_nothing_is_removed_where_somebody_keeps_more_there(used):
    (used.path / "invoices.xlsx").write_text("precious")
    before = names(used)
    with pytest.raises(Unusable, match=r"also holds invoices\.xlsx"):
        used.clear()
    assert names(used) == before


def test_what_a_link_leads_to_is_not_removed(used, tmp_path):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "file").write_text("precious")
    (used.path / "cache").symlink_to(elsewhere)
    with pytest.raises(Unusable, match="also holds cache"):
        used.clear()
    assert (elsewhere / "file").exists()


def test_a_folder_that_the_demonstration_did_not_make_is_never_cleared(folder):
    database_with(folder, organizations=1)
    folder.clear()
    assert names(folder) == ["portal.sqlite3"]


def test_a_second_demonstration_is_told_who_has_the_folder(folder):
    with folder.locked(), pytest.raises(Unusable, match=rf"runs on .* already \(process {os.getpid()}\)"):
        folder.locked().__enter__()


def test_the_lock_of_one_that_was_killed_is_not_in_the_way(folder):
    folder.path.mkdir()
    (folder.path / LOCK).write_text("999999999")
    with folder.locked() as left:
        assert left == 0
    assert (folder.path / LOCK).read_text() == ""
