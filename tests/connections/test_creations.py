"""A service or a contract that a person has created: sent once, and found again by its key, whatever was answered."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from uuid import uuid4

import pytest

from connections import creations
from connections.models import Creation, MirroredContract, MirroredService
from connections.psa.types import ContractRequest, ServiceRequest
from connections.refusals import Refused
from portal.audit import breaks
from portal.models import AuditEntry
from tests.fake_psa import FakePsa, a_company
from tests.mappings.mirror import make_connection

NOW = datetime(2026, 5, 10, 12, tzinfo=UTC)
State = Creation.State


class Bench:
    def __init__(self, cast):
        self.cast, self.now = cast, NOW
        self.psa = FakePsa(companies=[a_company()])
        self.connection = make_connection(cast.csp)

    def service(self, key=None, name="Business Basic"):
        key = key or uuid4()
        note = f"Made by the portal ({creations.key_text(key)})"
        return self.make(ServiceRequest(name, "monthly", 20, Decimal(0), Decimal(0), note), key)

    def contract(self, key=None, **changes):
        key = key or uuid4()
        days = {"starts_on": date(2026, 1, 1), "ends_on": date(2026, 12, 31)}
        fields = {"company_id": 1, "name": "CSP", "period": "monthly", "number": creations.key_text(key)} | days
        return self.make(ContractRequest(**(fields | changes)), key)

    def make(self, request, key):
        how = {"actor": self.cast.admin, "clock": lambda: self.now, "psa": self.psa}
        return creations.create(self.connection, request, key, **how)

    def look(self, row, after=0):
        self.now += timedelta(seconds=after)
        return creations.look(row, clock=lambda: self.now, psa=self.psa)

    @property
    def made(self):
        return len(self.psa.notes)


@pytest.fixture
def bench(cast):
    return Bench(cast)


def test_a_service_is_made_proved_mirrored_and_audited(bench):
    row = bench.service()
    there = MirroredService.objects.get(remote_id=row.remote_id)
    assert (row.state, there.name, there.period, bench.made) == (State.MADE, "Business Basic", "monthly", 1)
    entries = AuditEntry.objects.filter(name="Create Service In Autotask")
    assert [one.status for one in entries.order_by("pk")] == ["in_progress", "succeeded"]
    assert list(breaks(bench.cast.csp)) == []


def test_a_contract_is_made_proved_and_mirrored(bench):
    row = bench.contract()
    there = MirroredContract.objects.get(remote_id=row.remote_id)
    assert (row.state, there.company_remote_id, there.ends_on) == (State.MADE, 1, date(2026, 12, 31))


def test_a_second_click_sends_nothing(bench):
    key = uuid4()
    assert bench.service(key) == bench.service(key)
    assert bench.made == 1


def test_a_second_tab_finds_the_one_that_the_first_made(bench):
    bench.service()
    with pytest.raises(Refused, match="is there already"):
        bench.service()
    bench.contract()
    with pytest.raises(Refused, match="is there already"):
        bench.contract()
    bench.contract(starts_on=date(2027, 1, 1), ends_on=date(2027, 12, 31))  # the year after


def test_a_second_tab_while_the_first_is_on_its_way_is_told_so(bench):
    bench.psa.fail_next("create_service", "drop_before")
    bench.service()
    with pytest.raises(Refused, match="is being created already"):
        bench.service()


def test_a_key_of_another_organization_opens_nothing(bench):
    key = uuid4()
    bench.service(key)
    bench.connection = make_connection(bench.cast.other_csp)
    with pytest.raises(Refused, match="too old"):
        bench.service(key)


def test_a_lost_answer_is_found_by_the_key_at_once(bench):
    bench.psa.fail_next("create_service", "drop_after")
    row = bench.service()
    assert (row.state, bench.made) == (State.MADE, 1)


@pytest.mark.parametrize("fault", ["drop_before", "swallow"])
def test_what_never_shows_is_not_made_only_after_the_quiet_time(bench, fault):
    bench.psa.fail_next("create_service", fault)
    row = bench.service()
    assert row.state == State.UNKNOWN
    assert bench.look(row, after=300).state == State.UNKNOWN
    assert bench.look(row, after=100).state == State.NOT_MADE
    assert [verb for verb, _ in bench.psa.calls].count("create_service") == 1
    assert bench.service().state == State.MADE  # a person may press it again now


def test_one_that_shows_late_is_taken_up(bench):
    bench.psa.fail_next("create_contract", "drop_after")
    bench.psa.fail_next("find_contracts", "unavailable")
    row = bench.contract()
    assert row.state == State.UNKNOWN
    assert bench.look(row, after=20).state == State.MADE


def test_killed_while_sending_it_is_looked_for_and_never_sent_again(bench, monkeypatch):
    monkeypatch.setattr(creations, "_send", lambda psa, request: (psa.create_service(request), 1 / 0))
    with pytest.raises(ZeroDivisionError):
        bench.service()
    row = Creation.objects.get()
    assert row.state == State.SENDING
    assert bench.look(row, after=120).state == State.MADE
    assert bench.made == 1


@pytest.mark.parametrize(("fault", "state"), [("reject", State.REFUSED), ("unavailable", State.NOT_MADE)])
def test_what_surely_did_not_happen_is_said_at_once(bench, fault, state):
    bench.psa.fail_next("create_service", fault)
    row = bench.service()
    assert (row.state, bench.made) == (state, 0)
    assert AuditEntry.objects.latest("pk").status == "failed"


def test_two_lookers_settle_it_once(bench):
    bench.psa.fail_next("create_service", "drop_after")
    bench.psa.fail_next("find_services", "unavailable")
    row = bench.service()
    other = Creation.objects.get()
    bench.look(row)
    bench.look(other)
    assert AuditEntry.objects.filter(name="Create Service In Autotask", status="succeeded").count() == 1
