import threading

import pytest
import requests

from tests.connections.sandbox.autotask_api import USER, Api, database

ZONE = "atservicesrest/v1.0/zoneInformation"


def zone(autotask, user="api@example.com", **headers):
    return requests.get(f"{autotask.url}/{ZONE}", params={"user": user}, headers=headers, timeout=5)


def test_the_zone_needs_no_credentials_and_leads_to_the_api(autotask):
    answer = zone(autotask, "API@example.com").json()
    assert answer["url"] == f"{autotask.url}/ATServicesRest/"
    assert isinstance(answer["ci"], int)
    assert requests.get(f"{autotask.url}/ATSERVICESREST/versioninformation", timeout=5).json() == {
        "apiVersions": ["V1.0"]
    }


@pytest.mark.parametrize(
    ("way", "end"),
    [
        ("slash", "/ATServicesRest/"),
        ("bare", "/ATServicesRest"),
        ("lower", "/atservicesrest/"),
        ("version", "/ATServicesRest/v1.0/"),
    ],
)
def test_zones_write_their_address_in_several_ways(autotask, way, end):
    autotask.control("modes", {"zone_url": way})
    assert zone(autotask).json()["url"] == f"{autotask.url}{end}"


def test_an_unknown_user_or_tracking_identifier_has_no_zone(autotask):
    assert zone(autotask, "nobody@example.com").status_code == 500
    assert "Zone information" in zone(autotask, "").json()["errors"][0]
    assert zone(autotask, ApiIntegrationCode="OTHER").json() == {"errors": ["IntegrationCode is invalid."]}


@pytest.mark.parametrize("wrong", ["user_name", "secret", "integration_code"])
def test_any_wrong_header_is_unauthorized_with_an_empty_body(autotask, wrong):
    api = Api(autotask.url, USER | {wrong: "wrong"})
    assert (api.get("Companies/10").status_code, api.last.content) == (401, b"")
    autotask.control("modes", {"unauthorized_body": "errors"})
    assert api.get("Companies/10").json() == {"errors": ["Unauthorized."]}
    api.close()


def test_a_user_is_locked_after_repeated_failures_until_an_administrator_unlocks_it(autotask):
    stranger = Api(autotask.url, USER | {"secret": "guess"})
    for _ in range(9):
        stranger.get("Companies/10")
    for _ in range(2):  # a success starts the count again
        assert autotask.get("Companies/10").status_code == 200
    for _ in range(10):
        stranger.get("Companies/10")
    stranger.close()
    assert autotask.get("Companies/10").status_code == 401
    assert autotask.control("users")["users"][0]["locked"] is True
    assert zone(autotask).status_code == 200
    autotask.control("unlock", {"user_name": USER["user_name"]})
    assert autotask.get("Companies/10").status_code == 200


def test_revoked_rights_show_in_the_entity_information_and_refuse_the_call(autotask):
    autotask.control("rights", {"entity": "ContractServiceAdjustments", "allowed": []})
    info = autotask.get("ContractServiceAdjustments/entityInformation").json()["info"]
    assert (info["canCreate"], info["userAccessForCreate"]) == (True, "None")
    autotask.adjust("2026-05-20", 1)
    assert "does not have the adequate permissions to create ContractServiceAdjustment" in autotask.errors()
    autotask.control("rights", {"entity": "ContractServiceAdjustments", "allowed": ["create"]})
    assert autotask.adjust("2026-05-20", 1).status_code == 200


@pytest.mark.parametrize("status", ["500", "403", "401"])
def test_a_missing_right_is_refused_with_one_of_three_statuses_and_the_same_text(autotask, status):
    autotask.control("modes", {"missing_right": status})
    autotask.control("rights", {"entity": "Contracts", "allowed": []})
    answer = autotask.get("Contracts/70")
    assert (str(answer.status_code), "adequate permissions to view Contract" in answer.text) == (status, True)


def test_a_moved_database_answers_at_its_new_address_only(autotask):
    autotask.control("zone", {})
    assert autotask.get("Companies/10").status_code == 401
    new = zone(autotask).json()["url"]
    assert new == f"{autotask.url}/zone1/ATServicesRest/"
    assert autotask.get(f"{new}V1.0/Companies/10").json()["item"]["id"] == 10


def test_a_user_sees_its_own_database_only(start_autotask):
    other = {"user_name": "other@example.com", "secret": "o", "integration_code": "O"}
    second = database(key="second", currency="GBP", users=[other], companies=[], contracts=[], lines=[])
    first = start_autotask(databases=[database(), second])
    api = Api(first.url, other)
    assert api.find("Companies", "id", "exist") == [0]
    assert [currency["name"] for currency in api.query("Currencies", {"op": "exist", "field": "id"})] == ["GBP"]
    assert first.find("Companies", "id", "exist") == [0, 10, 11, 12]
    assert first.control("counters")["last_hour"] == {"main": 1, "second": 2}
    api.close()


def test_the_hour_is_counted_shown_slowed_and_limited(autotask):
    autotask.control("modes", {"hourly_limit": 4, "hourly_latency": 0.05})
    seen = [autotask.get("ThresholdInformation").json()["currentTimeframeRequestCount"] for _ in range(4)]
    assert seen == [1, 2, 3, 4]
    assert autotask.last.elapsed.total_seconds() >= 0.05
    assert autotask.get("Companies/10").status_code == 429
    autotask.control("clock", {"advance_seconds": 3601})
    assert autotask.get("Companies/10").status_code == 200


def test_a_fourth_thread_on_one_entity_is_refused_and_other_entities_are_free(autotask):
    gate = threading.Barrier(4)
    statuses = []

    def read(path):
        api = Api(autotask.url)
        gate.wait()
        statuses.append((path, api.get(path).status_code))
        api.close()

    def all_at_once(*paths):
        statuses.clear()
        threads = [threading.Thread(target=read, args=(path,)) for path in paths]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return sorted(status for _path, status in statuses)

    autotask.control("latency", {"seconds": 0.4})
    assert all_at_once(*["Companies/10"] * 4) == [200, 200, 200, 429]
    assert all_at_once(*["Companies/10"] * 3, "Services/30") == [200] * 4
    autotask.control("modes", {"threads": None})
    assert all_at_once(*["Companies/10"] * 4) == [200] * 4
    assert autotask.control("counters")["peak_by_entity"]["Companies"] == 4
