"""A whole test run kept: every stand-in writes what it hears into the folder that the environment names."""

import json
from pathlib import Path

import pytest

from connections.sandbox.stand_in import BY_HAND
from tests.connections.far_sides import CONTRACT, CREDENTIALS, OverHttp

SECRETS = (CREDENTIALS.secret, CREDENTIALS.integration_code)
PRODUCT = Path(__file__).resolve().parents[3]


@pytest.fixture
def kept(tmp_path, monkeypatch):
    """The exchanges that were kept so far."""
    monkeypatch.setenv("SANDBOX_RECORD", str(tmp_path / "kept"))

    def read():
        return [json.loads(line) for file in (tmp_path / "kept").iterdir() for line in file.read_text().splitlines()]

    return read


def test_every_stand_in_writes_a_file_of_its_own_beside_the_record_it_was_asked_for(kept, start_autotask, tmp_path):
    for number in (1, 2):
        start_autotask(folder=f"at-{number}", record=tmp_path / "asked.jsonl").get("Companies/10")
    assert len(kept()) == len((tmp_path / "asked.jsonl").read_text().splitlines()) == 2


def test_what_is_sent_by_hand_is_told_from_what_the_product_sends(kept, autotask, settings):
    autotask.call("PUT", "Companies", {"id": 10})
    settings.AUTOTASK_ZONE_URL = f"{autotask.url}/atservicesrest/v1.0/zoneInformation"
    OverHttp(autotask).psa.contract(CONTRACT)
    by_hand = [exchange for exchange in kept() if "by_hand" in exchange]
    assert [exchange["method"] for exchange in by_hand] == ["PUT"]
    own = [exchange for exchange in kept() if "by_hand" not in exchange]
    assert {exchange["path"].rsplit("/", 1)[-1] for exchange in own} == {"zoneInformation", str(CONTRACT), "fields"}
    assert not [secret for secret in SECRETS if f'"{secret}"' in json.dumps(kept())]


def test_nothing_of_the_product_can_pass_for_sent_by_hand():
    for app in ("portal", "connections", "mappings", "syncops"):
        for file in (PRODUCT / app).rglob("*.py"):
            assert BY_HAND not in file.read_text() or file.parts[-2:] == ("sandbox", "stand_in.py")
