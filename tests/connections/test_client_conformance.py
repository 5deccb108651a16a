"""Everything that the client sends, held against the vendor's specification where its checker is at hand."""

import json
import subprocess
import sys
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from connections.psa.types import AdjustmentRequest, ChargeRequest, Since
from tests.connections.far_sides import CONTRACT, LINE, MAY_10, PREMIUM, OverHttp, sandbox

CHECKER = Path(__file__).resolve().parents[3] / "shared" / "checks" / "autotask_conformance.py"
# The specification at hand leaves this one address out, although it describes the same of every other entity.
LEFT_OUT = "/Contracts/entityInformation/fields"


def everything(psa):
    psa.probe()
    since = Since(0, datetime(2026, 5, 1, tzinfo=UTC), [CONTRACT])
    for pages in (psa.companies, psa.services, psa.contracts, psa.lines):
        list(pages())
        list(pages(since=since if pages == psa.lines else Since(0, since.modified)))
    for read in (psa.company, psa.service, psa.contract):
        read(30)
    psa.lines_of(CONTRACT)
    psa.unit_rows([LINE, 91], since=MAY_10)
    psa.create_line(CONTRACT, PREMIUM, key="sub-2")
    psa.find_lines(CONTRACT, PREMIUM, key="sub-2")
    psa.adjust(AdjustmentRequest(LINE, MAY_10, 2))
    psa.adjust(AdjustmentRequest(LINE, date(2026, 6, 1), 0, price=Decimal("5.5"), cost=Decimal("4.2")))
    psa.extend_contract(CONTRACT, date(2027, 12, 31))
    [code] = psa.billing_codes()
    psa.create_charge(
        ChargeRequest(CONTRACT, code.id, "Licences", "Text", Decimal(1), Decimal("-3.5"), Decimal(0), MAY_10, "key-1")
    )
    psa.find_charges(CONTRACT, key="key-1")
    psa.api.count("Companies", [{"op": "gte", "field": "id", "value": 0}])


@pytest.mark.skipif(not CHECKER.exists(), reason=f"the specification checker is missing: it belongs at {CHECKER}")
def test_what_the_client_sends_is_what_the_specification_describes(tmp_path, settings):
    record, checked = tmp_path / "record.jsonl", tmp_path / "checked.jsonl"
    with sandbox(tmp_path / "autotask", settings, record=record) as server:
        everything(OverHttp(server).psa)
    exchanges = [json.loads(line) for line in record.read_text().splitlines()]
    assert {exchange["status"] for exchange in exchanges} == {200}
    assert not [exchange for exchange in exchanges if exchange["method"] == "PUT"]
    kept = [exchange for exchange in exchanges if not exchange["path"].endswith(LEFT_OUT)]
    assert len(kept) == len(exchanges) - 1
    checked.write_text("\n".join(json.dumps(exchange) for exchange in kept))
    found = subprocess.run([sys.executable, CHECKER, checked], capture_output=True, text=True, timeout=60)
    assert found.returncode == 0, found.stdout
