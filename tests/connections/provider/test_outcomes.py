import uuid

import pytest
import requests

from portal.far_side import OutcomeUnknown, Unavailable

API = "https://api.partnercenter.microsoft.com/v1"


def write(client, **more):
    return client.write("POST", "customers", "c", "carts", body={}, **({"request_id": uuid.uuid4()} | more))


def sent(web, name):
    return [call.request.headers.get(name) for call in web.calls]


@pytest.mark.parametrize("trouble", [{"status": 503}, {"status": 500, "body": "<html>"}, {"body": requests.Timeout()}])
def test_a_read_in_passing_trouble_is_repeated_under_one_request_id(bare_client, web, pauses, trouble):
    web.get(f"{API}/customers/c", **trouble)
    web.get(f"{API}/customers/c", **trouble)
    web.get(f"{API}/customers/c", json={"id": "c"})
    assert bare_client.get("customers", "c") == {"id": "c"}
    assert len(set(sent(web, "MS-RequestId"))) == 1
    assert [round(pause, 1) >= usual for pause, usual in zip(pauses, (0.5, 1.5), strict=True)] == [True, True]


def test_a_read_gives_up_after_three_attempts(bare_client, web):
    web.get(f"{API}/customers/c", status=502)
    with pytest.raises(Unavailable, match="HTTP 502"):
        bare_client.get("customers", "c")
    assert len(web.calls) == 3


def test_a_short_throttle_is_waited_for_and_a_long_one_is_left_to_the_caller(bare_client, web, pauses):
    throttle = {"statusCode": 429, "message": "Rate limit is exceeded. Try again in 57 seconds."}
    web.get(f"{API}/customers/c", status=429, json=throttle, headers={"Retry-After": "3"})
    web.get(f"{API}/customers/c", status=429, json=throttle)
    with pytest.raises(Unavailable, match="fewer requests") as busy:
        bare_client.get("customers", "c")
    assert (busy.value.retry_after, len(pauses), pauses[0] >= 3) == (57.0, 1, True)


@pytest.mark.parametrize(
    "answer",
    [
        {"status": 500, "body": "<html>Server Error</html>"},
        {"status": 500, "json": {"code": 800003, "description": "Unexpected service error"}},
        {"status": 502},
        {"status": 504},
        {"status": 408},
        {"status": 201, "body": "{ half"},
        {"body": requests.ReadTimeout()},
        {"body": requests.ConnectionError("reset")},
        {"body": requests.exceptions.ChunkedEncodingError()},
    ],
    ids=str,
)
def test_a_write_without_a_readable_answer_is_sent_once_and_its_outcome_is_unknown(bare_client, web, answer):
    web.post(f"{API}/customers/c/carts", **answer)
    with pytest.raises(OutcomeUnknown):
        write(bare_client)
    assert len(web.calls) == 1


@pytest.mark.parametrize(
    "answer",
    [
        {"status": 429},
        {"status": 503},
        {"status": 409, "json": {"code": 800064, "description": "Cart is being processed"}},
        {"status": 500, "json": {"code": 800005, "description": "Create order isn't successful"}},
        {"body": requests.ConnectTimeout()},
    ],
    ids=str,
)
def test_a_write_that_surely_did_nothing_may_be_tried_later(bare_client, web, answer):
    web.post(f"{API}/customers/c/carts", **answer)
    with pytest.raises(Unavailable):
        write(bare_client)
    assert len(web.calls) == 1
