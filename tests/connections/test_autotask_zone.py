"""Finding the zone of an Autotask database."""

import pytest
import requests
import responses

from connections.psa.autotask.zone import Zone, look_up
from portal.far_side import Unauthorized, Unavailable

DIRECTORY = "https://webservices.autotask.net/atservicesrest/v1.0/zoneInformation"
FOUND = {
    "zoneName": "America East 2",
    "url": "https://webservices14.autotask.net/ATServicesRest/",
    "webUrl": "https://ww14.autotask.net/",
    "ci": 123456,
}
UNKNOWN_USER = {"errors": ["Zone information could not be determined. Verify the API user name."]}
UNKNOWN_CODE = {"errors": ["IntegrationCode is invalid."]}


@pytest.fixture(autouse=True)
def vendors_directory(settings):
    settings.AUTOTASK_ZONE_URL = DIRECTORY


def found(status=200, url=None, **answer):
    if not answer:
        answer = {"json": FOUND | ({"url": url} if url else {})}
    with responses.RequestsMock() as far:
        far.get(DIRECTORY, status=status, **answer)
        zone = look_up("api+csp@example.com", "TRACK", key="key")
        [call] = far.calls
        return zone, call.request


def test_the_zone_is_asked_for_by_user_name_and_without_the_secret():
    zone, request = found()
    assert zone == Zone("https://webservices14.autotask.net/ATServicesRest/V1.0", "https://ww14.autotask.net")
    assert request.url == f"{DIRECTORY}?user=api%2Bcsp%40example.com"
    assert "Secret" not in request.headers


@pytest.mark.parametrize(
    "url",
    [
        "https://webservices14.autotask.net/atservicesrest",
        "https://webservices14.autotask.net/atservicesrest/",
        "https://webservices14.autotask.net/atservicesrest/v1.0/",
        "https://webservices14.autotask.net/atservicesrest/V1.0",
    ],
)
def test_slashes_letter_case_and_version_may_be_there_or_not(url):
    assert found(url=url)[0].url == "https://webservices14.autotask.net/atservicesrest/V1.0"


def test_names_of_the_answer_are_taken_in_either_letter_case():
    assert found(json={"Url": FOUND["url"], "WebUrl": None})[0].web_url == ""


@pytest.mark.parametrize(
    "url",
    [
        "https://evil.example/ATServicesRest/",
        "http://webservices14.autotask.net/ATServicesRest/",
        "https://webservices14.autotask.net.evil.example/",
        "https://user:password@webservices14.autotask.net/",
        "https://webservices14.autotask.net:8443/",
        "not an address",
    ],
)
def test_credentials_are_not_sent_to_an_address_that_is_not_autotasks_own(url):
    with pytest.raises(Unavailable, match="cannot be used"):
        found(url=url)


def test_a_directory_of_ones_own_may_name_any_host(settings):
    settings.AUTOTASK_ZONE_URL = "http://127.0.0.1:9/zoneInformation"
    with responses.RequestsMock() as far:
        far.get("http://127.0.0.1:9/zoneInformation", json={"url": "http://127.0.0.1:10/ATServicesRest/"})
        assert look_up("u", "TRACK", key="key").url == "http://127.0.0.1:10/ATServicesRest/V1.0"


@pytest.mark.parametrize(
    ("answer", "error", "cause", "words"),
    [
        ({"status": 500, "json": UNKNOWN_USER}, Unauthorized, "unknown_user", "API user api+csp@example.com"),
        ({"status": 500, "json": UNKNOWN_CODE}, Unauthorized, "tracking_identifier", "tracking identifier"),
        ({"status": 401, "body": ""}, Unauthorized, "tracking_identifier", "tracking identifier"),
        ({"status": 503, "body": "down"}, Unavailable, "zone_unreachable", "status 503"),
        ({"status": 500, "body": "<html>"}, Unavailable, "zone_unreachable", "status 500"),
        ({"status": 302, "body": ""}, Unavailable, "zone_unreachable", "status 302"),
        ({"status": 200, "body": "<html>"}, Unavailable, "zone_unreachable", "cannot be used"),
        ({"status": 200, "json": {}}, Unavailable, "zone_unreachable", "cannot be used"),
        ({"body": requests.ConnectionError("reset")}, Unavailable, "zone_unreachable", "does not answer"),
    ],
)
def test_each_failure_has_its_own_words(answer, error, cause, words):
    with pytest.raises(error) as caught:
        found(**answer)
    assert caught.value.context["cause"] == cause
    assert words in caught.value.message
    assert caught.value.advice
