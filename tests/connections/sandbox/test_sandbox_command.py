"""`manage.py sandbox`: run in the foreground, and played with from another shell."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from connections.sandbox.remote import ADDRESSES, Addresses, NotRunning, Refused, control, row_words, status_of
from connections.sandbox.server import Sandbox

ROOT = Path(__file__).resolve().parents[3]
LINE, CONTRACT = 5001, 3002
SECOND, SECOND_LINE = "harbourline", 6002


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("sandbox")
    with Sandbox(folder) as running:
        Addresses(running.autotask_url, running.partner_center_url).write(folder)
        yield folder


@pytest.fixture
def play(folder, capsys):
    """Call an inner command; its words, or its JSON."""

    def call(action, *options):
        call_command("sandbox", "--data-dir", str(folder), action, *map(str, options))
        said = capsys.readouterr().out
        return json.loads(said) if "--json" in options else said

    return call


def test_the_ledger_is_shown_with_equal_rows_on_one_line(play):
    said = play("ledger", "--line", LINE)
    assert f"Line {LINE}: service 102 on contract {CONTRACT}, key added by hand" in said
    assert "posted" in said
    assert len(said.splitlines()) < 8
    assert len(play("ledger", "--contract", CONTRACT, "--json")["lines"][0]["rows"]) > 50
    assert play("ledger", "--key", "nobody's") == "No such line.\n"


def test_a_person_adjusts_a_line(play):
    before = play("ledger", "--line", LINE, "--json")["lines"][0]["rows"][-1]["units"]
    day = play("ledger", "--line", LINE, "--json")["lines"][0]["rows"][-1]["start"]
    play("edit", "--line", LINE, "--date", day, "--units", "+2")
    play("edit", "--line", LINE, "--date", day, "--units", "-1", "--price", "9.99")
    last = play("ledger", "--line", LINE, "--json")["lines"][0]["rows"][-1]
    assert (last["units"], last["unit_price"]) == (before + 1, "9.9900")
    with pytest.raises(CommandError, match="negative number of units"):
        play("edit", "--line", LINE, "--date", day, "--units", "-1000")


def test_another_database_is_named(play):
    rows = play("ledger", "--line", SECOND_LINE, "--database", SECOND, "--json")["lines"][0]["rows"]
    day, there = rows[-1]["start"], ("--database", SECOND)
    play("edit", "--line", SECOND_LINE, "--date", day, "--units", "+2", *there)
    after = play("ledger", "--line", SECOND_LINE, *there, "--json")["lines"][0]
    assert after["rows"][-1]["units"] == rows[-1]["units"] + 2
    play("post", "--contract", after["contractID"], "--through", rows[0]["end"], *there)
    assert play("ledger", "--line", SECOND_LINE, *there, "--json")["lines"][0]["rows"][0]["posted"]
    assert play("ledger", "--line", SECOND_LINE) == "No such line.\n"


def test_periods_are_posted(play):
    rows = play("ledger", "--line", LINE, "--json")["lines"][0]["rows"]
    first_open = next(row for row in rows if not row["posted"])
    assert "Approved and posted" in play("post", "--contract", CONTRACT, "--through", first_open["end"])
    rows = play("ledger", "--line", LINE, "--json")["lines"][0]["rows"]
    assert next(row for row in rows if row["start"] == first_open["start"])["posted"]


def test_faults_are_scripted_listed_and_forgotten(play):
    assert play("fault") == "Nothing is scripted.\n"
    play("fault", "swallow", "--path", "Adjustments", "--times", 0)
    play("fault", "slow:3", "--method", "GET", "--times", 2, "--on", "partner-center")
    assert play("fault") == "swallow: every .* Adjustments, hit 0 so far\n"
    assert play("fault", "--on", "partner-center", "--json")["faults"][0]["times"] == 2
    play("fault", "--clear")
    play("fault", "--clear", "--on", "partner-center")
    assert play("fault") == "Nothing is scripted.\n"
    with pytest.raises(CommandError, match="known: drop_before"):
        play("fault", "nonsense")


def test_both_clocks_move_together(play, folder):
    addresses = Addresses.read(folder)
    before = play("clock", "--json")["today"]
    play("clock", "--today", "2031-02-03")
    assert {control(base, "GET", "clock")["today"] for base in (addresses.autotask, addresses.partner_center)} == {
        "2031-02-03"
    }
    assert play("clock", "--real", "--json")["today"] == before


def test_without_a_sandbox_it_says_how_to_start_one(tmp_path):
    with pytest.raises(CommandError, match=r"Start one: manage\.py sandbox"):
        call_command("sandbox", "--data-dir", str(tmp_path), "ledger", "--line", "1")


def test_an_address_that_nobody_listens_on_any_more_is_no_sandbox(tmp_path):
    Addresses("http://127.0.0.1:1", "http://127.0.0.1:1").write(tmp_path)
    with pytest.raises(CommandError, match="nothing answers"):
        call_command("sandbox", "--data-dir", str(tmp_path), "ledger", "--line", "1")
    assert status_of("http://127.0.0.1:1/") is None


def test_no_other_machine_is_ever_asked():
    with pytest.raises(NotRunning, match="not an address of this machine"):
        control("http://webservices.example", "GET", "faults")


def test_what_is_no_control_endpoint_is_refused(folder):
    with pytest.raises(Refused, match="no control endpoint"):
        control(Addresses.read(folder).autotask, "GET", "nothing")


def test_rows_that_differ_stand_on_lines_of_their_own():
    row = {"units": 3, "unit_price": "2.70", "unit_cost": None, "posted": None}
    rows = [
        row | {"start": "2026-01-01", "end": "2026-01-31", "posted": "2026-02-01T08:00:00Z"},
        row | {"start": "2026-02-01", "end": "2026-02-28"},
        row | {"start": "2026-03-01", "end": "2026-03-31"},
    ]
    heading, posted, following = row_words(rows)
    assert heading.split() == ["from", "to", "rows", "units", "unit", "price", "unit", "cost"]
    assert posted.split() == ["2026-01-01", "2026-01-31", "1", "3", "2.7000", "0.0000", "posted"]
    assert following.split() == ["2026-02-01", "2026-03-31", "2", "3", "2.7000", "0.0000"]


def test_it_runs_until_it_is_told_to_stop(tmp_path):
    command = [sys.executable, ROOT / "manage.py", "sandbox", "--data-dir", tmp_path / "ledgers"]
    ports = ["--autotask-port", "0", "--partner-center-port", "0", "--record", tmp_path / "record.jsonl"]
    environment = os.environ | {"PORTAL_DATA_DIR": str(tmp_path / "data")}
    with subprocess.Popen([*command, *ports], env=environment, stdout=subprocess.PIPE, text=True) as process:
        assert "Autotask sandbox: http://127.0.0.1:" in process.stdout.readline()
        addresses = Addresses.read(tmp_path / "ledgers")
        assert status_of(f"{addresses.zone_url}?user=nobody") == 500
        deadline = time.monotonic() + 10
        while status_of(f"{addresses.partner_center}/v1/customers") is None and time.monotonic() < deadline:
            time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        assert process.wait(20) == 0
    assert not (tmp_path / "ledgers" / ADDRESSES).exists()
    assert status_of(addresses.zone_url) is None
