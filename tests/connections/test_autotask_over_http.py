"""The real client on the sandbox: what differs between zones and tenants, and ends the same."""

import pytest

from connections.psa.errors import Why, why
from portal.far_side import Rejected, Unauthorized
from tests.connections.far_sides import CONTRACT, CREDENTIALS, OverHttp, sandbox


@pytest.fixture
def far(tmp_path, settings):
    with sandbox(tmp_path, settings) as server:
        yield OverHttp(server)


def lookups(far):
    calls = far.control("counters")["by_call"]
    return sum(times for call, times in calls.items() if "zoneinformation" in call.lower())


@pytest.mark.parametrize("way", ["slash", "bare", "lower", "version"])
def test_whichever_way_a_zone_writes_its_address_it_is_reached(far, way):
    far.control("modes", {"zone_url": way})
    assert far.psa.contract(CONTRACT).id == CONTRACT
    far.control("faults", {"fault": "zone_moved", "path": "Contracts/[0-9]+$"})
    assert far.psa.contract(CONTRACT).id == CONTRACT
    assert lookups(far) == 2


@pytest.mark.parametrize("status", ["500", "403", "401"])
def test_a_missing_right_never_looks_like_refused_credentials(far, status):
    far.control("modes", {"missing_right": status})
    far.control("rights", {"entity": "Contracts", "allowed": []})
    with pytest.raises(Rejected) as caught:
        far.psa.contract(CONTRACT)
    assert why(caught.value) is Why.MISSING_RIGHT


def test_after_refused_credentials_the_zone_is_looked_up_once_and_the_call_is_not_repeated(tmp_path, settings):
    with sandbox(tmp_path, settings) as server:
        far = OverHttp(server, credentials=type(CREDENTIALS)(CREDENTIALS.user_name, "wrong", "TRACK"))
        with pytest.raises(Unauthorized):
            far.psa.contract(CONTRACT)
        [user] = far.control("users")["users"]
        assert (user["failures"], lookups(far)) == (1, 2)
        far.control("users", {"user_name": user["user_name"], "secret": "wrong", "integration_code": "TRACK"})
        assert far.psa.contract(CONTRACT).id == CONTRACT


def test_a_database_that_moves_on_and_on_is_followed_once(far):
    far.control("faults", {"fault": "zone_moved", "path": "Contracts/[0-9]+$", "times": 2})
    with pytest.raises(Unauthorized):
        far.psa.contract(CONTRACT)
    assert lookups(far) == 2


def test_the_time_of_a_reading_is_that_of_its_first_answer(far):
    far.psa.contract(CONTRACT)
    first = far.psa.as_of
    far.control("clock", {"advance_seconds": 3600})
    far.psa.contract(CONTRACT)
    assert far.psa.as_of == first
