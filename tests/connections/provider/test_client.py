import json
import uuid

import pytest
import requests
import responses

from connections.provider.partner_center.client import PartnerCenter, code_of
from portal.far_side import OutcomeUnknown, Rejected, Unauthorized, Unavailable

API = "https://api.partnercenter.microsoft.com/v1"
LINK = {"uri": "/customers?size=2&seekOperation=Next", "method": "GET"}


class Tokens:
    """Gives token-1, then token-2 once the first was forgotten, and so on."""

    def __init__(self):
        self.number = 1

    def token(self):
        return f"token-{self.number}"

    def forget(self, text):
        self.number += text == self.token()


@pytest.fixture
def far_side():
    with responses.RequestsMock() as mock:
        yield mock


@pytest.fixture
def pauses():
    return []


@pytest.fixture
def client(settings, pauses):
    settings.PARTNER_CENTER_URL = API.removesuffix("/v1")
    return PartnerCenter(Tokens(), key=str(uuid.uuid4()), sleep=pauses.append)


def write(client, **more):
    return client.write("POST", "customers", "c", "carts", body={}, **({"request_id": uuid.uuid4()} | more))


def sent(far_side, name):
    return [call.request.headers.get(name) for call in far_side.calls]


def test_a_call_carries_its_ids_and_its_token(client, far_side):
    far_side.get(f"{API}/customers/a%2Fb", body=b'\xef\xbb\xbf{"id": "a/b", "price": 30.40}')
    correlation_id = uuid.uuid4()
    assert client.get("customers", "a/b", correlation_id=correlation_id)["id"] == "a/b"
    headers = far_side.calls[0].request.headers
    assert headers["Authorization"] == "Bearer token-1"
    assert headers["MS-CorrelationId"] == str(correlation_id)
    assert uuid.UUID(headers["MS-RequestId"])
    assert (headers["Accept"], headers["MS-Contract-Version"]) == ("application/json", "v1")


@pytest.mark.parametrize("trouble", [{"status": 503}, {"status": 500, "body": "<html>"}, {"body": requests.Timeout()}])
def test_a_read_in_passing_trouble_is_repeated_under_one_request_id(client, far_side, pauses, trouble):
    far_side.get(f"{API}/customers/c", **trouble)
    far_side.get(f"{API}/customers/c", **trouble)
    far_side.get(f"{API}/customers/c", json={"id": "c"})
    assert client.get("customers", "c") == {"id": "c"}
    assert len(set(sent(far_side, "MS-RequestId"))) == 1
    assert [round(pause, 1) >= usual for pause, usual in zip(pauses, (0.5, 1.5), strict=True)] == [True, True]


def test_a_read_gives_up_after_three_attempts(client, far_side):
    far_side.get(f"{API}/customers/c", status=502)
    with pytest.raises(Unavailable, match="HTTP 502"):
        client.get("customers", "c")
    assert len(far_side.calls) == 3


def test_a_short_throttle_is_waited_for_and_a_long_one_is_left_to_the_caller(client, far_side, pauses):
    throttle = {"statusCode": 429, "message": "Rate limit is exceeded. Try again in 57 seconds."}
    far_side.get(f"{API}/customers/c", status=429, json=throttle, headers={"Retry-After": "3"})
    far_side.get(f"{API}/customers/c", status=429, json=throttle)
    with pytest.raises(Unavailable, match="fewer requests") as busy:
        client.get("customers", "c")
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
def test_a_write_without_a_readable_answer_is_sent_once_and_its_outcome_is_unknown(client, far_side, answer):
    far_side.post(f"{API}/customers/c/carts", **answer)
    with pytest.raises(OutcomeUnknown):
        write(client)
    assert len(far_side.calls) == 1


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
def test_a_write_that_surely_did_nothing_may_be_tried_later(client, far_side, answer):
    far_side.post(f"{API}/customers/c/carts", **answer)
    with pytest.raises(Unavailable):
        write(client)
    assert len(far_side.calls) == 1


def test_a_refused_token_is_replaced_once_under_the_same_request_id(client, far_side):
    far_side.post(f"{API}/customers/c/carts", status=401)
    far_side.post(f"{API}/customers/c/carts", status=201, json={"id": "cart"})
    assert write(client).body == {"id": "cart"}
    assert sent(far_side, "Authorization") == ["Bearer token-1", "Bearer token-2"]
    assert len(set(sent(far_side, "MS-RequestId"))) == 1


@pytest.mark.parametrize(
    ("said", "attempts", "words"),
    [
        ({}, 2, "refuses the credentials"),
        ({"code": 900421, "description": "no MFA"}, 1, "without multi-factor"),
        ({"code": "900420", "description": "audience"}, 1, "kind of token"),
    ],
)
def test_refused_credentials_stop_at_once(client, far_side, said, attempts, words):
    far_side.get(f"{API}/customers", status=401, json=said)
    with pytest.raises(Unauthorized, match=words) as refusal:
        client.get("customers")
    assert len(far_side.calls) == attempts
    assert "refresh token" in refusal.value.advice


def test_a_redirect_is_never_followed(client, far_side):
    far_side.get(f"{API}/customers", status=307, headers={"Location": "https://elsewhere.example/"})
    with pytest.raises(Rejected, match="redirect"):
        client.get("customers")


def test_a_refusal_can_come_with_status_200(client, far_side):
    far_side.get(f"{API}/products/p", json={"code": 400072, "description": "This item isn't available."})
    with pytest.raises(Rejected, match="no longer in Microsoft's catalogue"):
        client.get("products", "p")


def test_the_next_page_is_asked_for_by_a_header_until_nothing_follows(client, far_side):
    link = LINK | {"headers": [{"key": "MS-ContinuationToken", "value": "a+b/c=,"}]}
    far_side.get(f"{API}/customers", json={"items": [{"id": "1"}, {"id": "2"}], "links": {"next": link}})
    far_side.get(f"{API}/customers", json={"items": [{"id": "3"}], "continuationToken": "beside", "links": {}})
    far_side.get(f"{API}/customers", json={"items": [{"id": "4"}], "links": {"self": {}}})
    pages = list(client.pages("customers", params={"size": "2"}))
    assert [[item["id"] for item in page] for page in pages] == [["1", "2"], ["3"], ["4"]]
    assert sent(far_side, "MS-ContinuationToken") == [None, "a+b/c=,", "beside"]
    assert [call.request.params for call in far_side.calls] == [
        {"size": "2"},
        {"size": "2", "seekOperation": "Next"},
        {"size": "2", "seekOperation": "Next"},
    ]


def test_a_collection_may_end_with_a_refusal_and_a_repeated_token_ends_it_too(client, far_side):
    page = {"items": [{"id": "1"}], "continuationToken": "t"}
    far_side.get(f"{API}/customers", json=page)
    far_side.get(f"{API}/customers", status=400, json={"code": 2000, "description": ""})
    assert len(list(client.pages("customers"))) == 1
    far_side.get(f"{API}/relationships", json=page)
    assert len(list(client.pages("relationships"))) == 2
    far_side.get(f"{API}/orders", status=400, json={"code": 2000, "description": ""})
    with pytest.raises(Rejected):
        list(client.pages("orders"))


def test_a_location_gives_its_path_and_never_its_host(client, far_side):
    location = "https://elsewhere.example/v1/customers/c/subscriptions/s"
    far_side.post(f"{API}/customers/c/carts", status=202, headers={"Location": location})
    reply = write(client, etag="abc=")
    assert (reply.status, reply.body, reply.location) == (202, None, ("customers", "c", "subscriptions", "s"))
    assert sent(far_side, "If-Match") == ['"abc="']


def test_a_refusal_keeps_what_support_needs(client, far_side):
    said = {"code": 800090, "description": "Subscription quantity cannot be decreased.", "data": []}
    far_side.post(f"{API}/customers/c/carts", status=400, body=b"\xef\xbb\xbf" + json.dumps(said).encode())
    correlation_id = uuid.uuid4()
    with pytest.raises(Rejected) as refusal:
        write(client, correlation_id=correlation_id)
    assert code_of(refusal.value) == "400 800090"
    assert refusal.value.raw == "HTTP 400, code 800090: Subscription quantity cannot be decreased."
    assert refusal.value.context["correlation_id"] == str(correlation_id)


def test_an_unexplained_refusal_still_says_what_came(client, far_side):
    far_side.post(f"{API}/customers/c/carts", status=403, json={"code": 123456, "description": "New rule"})
    with pytest.raises(Rejected, match="HTTP 403, code 123456") as refusal:
        write(client)
    assert "New rule" in refusal.value.raw
