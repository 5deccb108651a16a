"""Reading what changed from the sandbox, and what it costs."""

from datetime import timedelta

import pytest

from connections import mirror
from connections.models import ConnectionSecret, MirroredCompany, MirroredContract, MirroredLine, MirroredService
from connections.vault import encrypt
from tests.connections.conftest import NOW, SECRETS, make_connection
from tests.connections.far_sides import sandbox
from tests.connections.sandbox.autotask_api import CONTRACT, Api, database

COMPANIES, CONTRACTS, CHANGED = 1_200, 2_600, 10


def a_large_database():
    """Everything was last changed years ago."""
    then = {"lastTrackedModifiedDateTime": "2024-01-01"}
    companies = [
        {"id": 1000 + n, "companyName": f"Company {n}", "companyType": 1, "phone": "1", **then}
        for n in range(COMPANIES)
    ]
    contract = CONTRACT | {"lastModifiedDateTime": "2024-01-01", "contractName": "Monthly"}
    contracts = [
        {"id": 9000 + n, "companyID": 1000 + n % COMPANIES, **contract, "endDate": "2026-02-28"}
        for n in range(CONTRACTS)
    ]
    lines = [{"id": 50_000 + n, "contractID": 9000 + n, "serviceID": 30} for n in range(0, CONTRACTS, 2)]
    services = [service | {"lastModifiedDate": "2024-01-01"} for service in database()["services"]]
    return database(companies=companies, contracts=contracts, lines=lines, services=services)


@pytest.fixture
def connection(cast, unlimited, api):
    connection = make_connection(cast.csp, zone_url=f"{api.url}/ATServicesRest/V1.0")
    for name, value in SECRETS.items():
        sealed = encrypt(value, bound_to=ConnectionSecret.binding(connection, name))
        ConnectionSecret.objects.create(connection=connection, name=name, ciphertext=sealed, set_at=NOW)
    return connection


@pytest.fixture
def api(tmp_path, settings):
    with sandbox(tmp_path, settings, databases=[a_large_database()]) as server:
        api = Api(server.url)
        api.server = server
        api.control("clock", {"now": "2026-05-15T11:30:00+00:00"})
        yield api
        api.close()


def read(start, connection, now):
    return mirror.run_refresh(start(connection, now=now).pk, clock=lambda: now)


def requests_of(api, action):
    before = api.control("counters")["requests"]
    refresh = action()
    return refresh, api.control("counters")["requests"] - before


def test_ten_changed_rows_of_thousands_cost_four_requests(connection, api):
    full = read(mirror.start_refresh, connection, NOW)
    assert (full.state, full.counts["contracts"]) == ("succeeded", CONTRACTS)
    assert abs(full.as_of - (NOW - timedelta(minutes=30))) < timedelta(seconds=30), "the far side's clock, not ours"
    api.control("clock", {"advance_seconds": 3600})
    for n in range(4):
        api.patch("Companies", {"id": 1000 + n, "companyName": f"Patched {n}"})
    for n in range(4):
        api.patch("Contracts", {"id": 9000 + n, "contractName": f"Extended {n}", "endDate": "2026-03-31"})
    api.control("records", {"entity": "Services", "id": 30, "values": {"name": "By a person"}})
    line = {"contractID": 9001, "serviceID": 31, "internalDescription": "new"}
    new_line = api.post("Contracts/9001/Services", line).json()["itemId"]
    refresh, requests = requests_of(api, lambda: read(mirror.start_changes, connection, NOW + timedelta(minutes=5)))
    assert (refresh.state, refresh.message) == ("succeeded", "")
    assert requests == 4
    assert MirroredCompany.objects.filter(name__startswith="Patched").count() == 4
    assert MirroredContract.objects.filter(name__startswith="Extended", ends_on="2026-03-31").count() == 4
    assert MirroredService.objects.get(remote_id=30).name == "By a person"
    assert MirroredLine.objects.get(remote_id=new_line).key == "new"
    assert MirroredCompany.objects.get(remote_id=1001).modified_at.isoformat().startswith("2026-05-15T12:30")


def test_an_api_user_who_sees_much_less_than_before_loses_nothing_here(connection, api):
    read(mirror.start_refresh, connection, NOW)
    api.control("hide", {"entity": "Companies", "ids": [1000 + n for n in range(COMPANIES // 10 + 1)]})
    later = NOW + timedelta(hours=1)
    assert read(mirror.start_changes, connection, later).gone == {}
    held = read(mirror.start_refresh, connection, later)
    assert (held.state, held.gone["companies"]) == ("held", COMPANIES // 10 + 1)
    assert MirroredCompany.objects.count() == COMPANIES + 1
    api.control("hide", {"entity": "Contracts", "ids": [9000 + n for n in range(CONTRACTS // 10)]})
    assert "contracts" not in read(mirror.start_refresh, connection, later + timedelta(hours=1)).message


def test_changes_wait_for_a_far_side_that_is_away_and_go_on(connection, api):
    read(mirror.start_refresh, connection, NOW)
    api.patch("Companies", {"id": 1000, "companyName": "Patched"})
    later = NOW + timedelta(minutes=5)
    for fault in ("half_body", "drop_after", "error_500_plain"):
        api.fault(fault, "Companies/query")
        refresh = read(mirror.start_changes, connection, later)
        assert (refresh.state, refresh.due_at > later) == ("running", True)
        later = refresh.due_at
    assert read(mirror.start_changes, connection, later).state == "succeeded"
    assert MirroredCompany.objects.get(remote_id=1000).name == "Patched"
