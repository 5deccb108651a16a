"""The headless check: it holds where Autotask does what it says, and fails, with the reason, where it does not."""

import json
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from django.db.models import F

from connections.sandbox.remote import Addresses, control
from connections.sandbox.server import Sandbox
from portal.models import AuditHead
from syncops.demo.proof import CHANGED, ORDERED, Proof, _difference
from syncops.demo.seed import seed
from syncops.models import Write

QUICK = {"threads": 1, "connect_timeout_s": 2, "read_timeout_s": 5, "quiet_s": 1}
ADJUSTMENTS = "ServiceAdjustments"


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory):
    """One for all tests; the second and later ones find the lines of those before on the contract."""
    with Sandbox(tmp_path_factory.mktemp("sandbox")) as running:
        addresses = Addresses(running.autotask_url, running.partner_center_url)
        control(addresses.partner_center, "POST", "modes", {"provisioning_delay": 0, "order_visible_after": 0})
        yield addresses


@pytest.fixture
def proof(db, unlimited, sandbox, settings):
    for name, value in sandbox.environment.items():
        setattr(settings, name, value)
    settings.EXECUTOR = settings.EXECUTOR | QUICK
    control(sandbox.autotask, "DELETE", "faults")
    tenant = seed(datetime.now(UTC).date(), say=lambda words: None, synced=0)
    said = []
    proof = Proof(tenant, sandbox, say=said.append)
    proof.said = said
    return proof


def fault(proof, name, times=None, path=ADJUSTMENTS):
    control(proof.addresses.autotask, "POST", "faults", {"fault": name, "path": path, "times": times})


def test_the_main_job_is_proved(proof):
    report = proof.run()
    assert report.proved, report.reason
    assert len(report.steps) == 7
    assert {row["units"] for row in report.rows} == {CHANGED}
    assert {Decimal(row["unit_price"]) for row in report.rows} == {proof.price}
    assert proof.said[-1].startswith("Unit rows in Autotask:")
    assert json.loads(json.dumps(report.as_json(), default=str))["proved"] is True


def test_an_adjustment_that_autotask_drops_is_found_out(proof):
    fault(proof, "swallow")
    report = proof.run()
    assert report.reason.startswith("Sync to Connection: failed. Autotask accepted the change")
    assert {row["units"] for row in report.rows} == {0}


def test_a_change_that_autotask_drops_is_found_out(proof):
    control(
        proof.addresses.autotask, "POST", "faults", {"fault": "swallow", "path": ADJUSTMENTS, "skip": 1, "times": None}
    )
    report = proof.run()
    assert report.reason.startswith("Change of quantity: ")
    assert {row["units"] for row in report.rows} == {ORDERED}


def test_an_answer_that_is_lost_changes_nothing(proof):
    fault(proof, "drop_after", times=1)
    report = proof.run()
    assert report.proved, report.reason


def test_what_somebody_else_wrote_is_found_out(proof):
    after_sync = proof.sync

    def sync():
        found = after_sync()
        control(
            proof.addresses.autotask, "POST", "edit",
            {"line": proof.line()["id"], "date": str(proof.effective), "unitChange": 1},
        )  # fmt: skip
        return found

    proof.sync = sync
    report = proof.run()
    assert report.reason.endswith(f"shows {ORDERED + 1} units, not {ORDERED}")


def test_a_write_that_we_do_not_know_of_is_found_out(proof):
    after_sync = proof.sync

    def sync():
        found = after_sync()
        Write.objects.filter(kind=Write.Kind.ADJUST).update(state=Write.State.NOT_APPLIED)
        return found

    proof.sync = sync
    assert proof.run().reason == "Autotask's ledger: Autotask applied 1 adjustments, and we know of 0"


def test_an_entry_that_is_missing_is_found_out(proof):
    audit_log = proof.audit_log

    def forged():
        AuditHead.objects.update(sequence=F("sequence") + 1)  # as if there had been one more
        return audit_log()

    proof.audit_log = forged
    assert "missing at the end" in proof.run().reason


def test_a_far_side_that_is_gone_is_said(proof):
    fault(proof, "error_503", path="Companies/")
    assert proof.run().reason.startswith("Preview: ")


def row(start, end, units, price="2.70", cost="2.35"):
    return {"start": start, "end": end, "units": units, "unit_price": price, "unit_cost": cost, "posted": None}


BEFORE = row("2026-11-01", "2026-11-19", 0, price="2.94")
DURING = row("2026-11-20", "2026-11-30", 12)
AFTER = row("2026-12-01", "2026-12-31", 12)


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ([BEFORE, DURING, AFTER], ""),
        ([BEFORE, DURING, AFTER | {"units": 24}], "2026-12-01 to 2026-12-31 shows 24 units, not 12"),
        ([BEFORE | {"units": 12}, DURING, AFTER], "2026-11-01 to 2026-11-19 shows 12 units, not 0"),
        ([BEFORE, DURING, AFTER | {"unit_price": "2.94"}], "2026-12-01 to 2026-12-31 shows price 2.94 and cost 2.35"),
        ([BEFORE, DURING | {"unit_cost": "2.36"}, AFTER], "2026-11-20 to 2026-11-30 shows price 2.70 and cost 2.36"),
        ([BEFORE, DURING], "the rows end on 2026-11-30, the contract on 2026-12-31"),
        ([], "the rows end on no day, the contract on 2026-12-31"),
    ],
)
def test_every_row_is_compared(rows, said):
    found = _difference(rows, 12, Decimal("2.70"), Decimal("2.35"), date(2026, 11, 20), date(2026, 12, 31))
    assert found.startswith(said)
    assert bool(found) == bool(said)
