import threading
import time

import pytest
import requests

from tests.connections.sandbox.autotask_api import Api

ADJUSTMENTS = "ContractServiceAdjustments"
LINE = {"field": "contractServiceID", "op": "eq", "value": 90}


def outcome(autotask):
    """What the client sees of one adjustment, and how often it was applied."""
    try:
        answer = autotask.adjust("2026-05-20", 1)
        seen = answer.status_code
    except requests.RequestException as error:
        seen = type(error).__name__
    applied = autotask.control("journal", line=90)["adjustments"]
    return seen, [entry["outcome"] for entry in applied]


@pytest.mark.parametrize(
    ("fault", "seen", "applied"),
    [
        ("drop_before", "ConnectionError", []),
        ("drop_after", "ConnectionError", ["applied"]),
        ("half_body", "ChunkedEncodingError", ["applied"]),
        ("half_body_before", "ChunkedEncodingError", []),
        ("error_500_after", 500, ["applied"]),
        ("error_502_after", 502, ["applied"]),
        ("error_504_after", 504, ["applied"]),
        ("error_500_json", 500, []),
        ("error_500_plain", 500, []),
        ("error_502", 502, []),
        ("error_503", 503, []),
        ("error_504", 504, []),
        ("too_many", 429, []),
        ("too_many_retry_after", 429, []),
        ("slow:0.05", 200, ["applied"]),
        ("slow_after:0.05", 200, ["applied"]),
        ("swallow", 200, ["swallowed"]),
    ],
)
def test_what_a_fault_shows_and_what_it_leaves_in_the_ledger(autotask, fault, seen, applied):
    autotask.fault(fault, ADJUSTMENTS, "POST")
    assert outcome(autotask) == (seen, applied)
    units = 11 if "applied" in applied else 10
    assert autotask.rows()[-1] == ("12-01", units, 5)
    autotask.adjust("2026-06-01", 1)
    assert autotask.last.status_code == 200


def test_the_refusals_have_autotasks_shapes(autotask):
    autotask.fault("error_500_json", text="Transaction was deadlocked.")
    assert autotask.get("Companies/10").json() == {"errors": ["Transaction was deadlocked."]}
    autotask.fault("too_many_retry_after", text="7")
    assert autotask.get("Companies/10").headers["Retry-After"] == "7"
    autotask.fault("too_many")
    assert "Retry-After" not in autotask.get("Companies/10").headers


def test_a_client_that_left_finds_the_slow_write_applied_later(autotask):
    autotask.fault("slow:0.3", ADJUSTMENTS)
    with pytest.raises(requests.ReadTimeout):
        autotask.session.post(
            autotask.base + ADJUSTMENTS,
            json={"contractServiceID": 90, "effectiveDate": "2026-05-20", "unitChange": 1},
            timeout=0.05,
        )
    assert autotask.control("journal", line=90)["adjustments"] == []
    until = time.monotonic() + 5
    while not autotask.control("journal", line=90)["adjustments"] and time.monotonic() < until:
        time.sleep(0.01)
    assert autotask.rows()[-1] == ("12-01", 11, 5)


def test_slow_requests_do_not_hold_up_others(autotask):
    autotask.fault("slow:5", "Companies", times=2)
    threads = [threading.Thread(target=_read_until_closed, args=(autotask.url,)) for _ in range(2)]
    for thread in threads:
        thread.start()
    before = time.monotonic()
    assert autotask.get("Services/30").status_code == 200
    assert time.monotonic() - before < 2
    autotask.server.stop()
    for thread in threads:
        thread.join(3)
        assert not thread.is_alive()


def _read_until_closed(url):
    api = Api(url)
    with pytest.raises(requests.ConnectionError):
        api.get("Companies/10")
    api.close()


def test_a_stale_read_shows_the_rows_before_the_last_write_and_the_next_one_does_not(autotask):
    def units():
        return sorted((row["startDate"][5:10], row["units"]) for row in autotask.query("ContractServiceUnits", LINE))

    before = units()
    autotask.adjust("2026-05-20", 1)
    autotask.fault("stale_read", "ContractServiceUnits/query")
    assert units() == before
    assert ("05-20", 11) in units()


def test_unauthorized_lasts_until_the_faults_are_cleared(autotask):
    autotask.fault("unauthorized")
    assert [autotask.get("Companies/10").status_code for _ in range(3)] == [401] * 3
    assert requests.delete(f"{autotask.url}/_control/faults", timeout=5).json() == {"faults": []}
    assert autotask.get("Companies/10").status_code == 200


def test_a_zone_may_move_in_the_middle_of_the_work(autotask):
    autotask.fault("zone_moved", ADJUSTMENTS)
    assert outcome(autotask) == (401, [])
    answer = requests.get(
        f"{autotask.url}/atservicesrest/v1.0/zoneInformation", params={"user": "api@example.com"}, timeout=5
    )
    autotask.base = answer.json()["url"] + "V1.0/"
    assert outcome(autotask) == (200, ["applied"])


def test_a_fault_hits_the_requests_that_it_names_after_letting_some_through(autotask):
    autotask.fault("error_503", "contracts/70", "GET", skip=1, times=2)
    paths = ["Contracts/70", "Companies/10", "Contracts/70", "Contracts/70/Services", "Contracts/70"]
    assert [autotask.get(path).status_code for path in paths] == [200, 200, 503, 503, 200]
    assert autotask.control("faults")["faults"][0]["hits"] == 2


@pytest.mark.parametrize(
    "script", [{"fault": "explode"}, {"fault": "drop_before", "path": "("}, {"fault": "slow:x"}, 3]
)
def test_a_script_that_makes_no_sense_is_refused(autotask, script):
    answer = requests.post(f"{autotask.url}/_control/faults", json=script, timeout=5)
    assert answer.status_code == 400
    assert autotask.control("faults") == {"faults": []}
