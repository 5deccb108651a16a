import json
import uuid

import pytest

from connections.provider.partner_center.client import code_of
from portal.far_side import Rejected, Unauthorized

API = "https://api.partnercenter.microsoft.com/v1"


def write(client, **more):
    return client.write("POST", "customers", "c", "carts", body={}, **({"request_id": uuid.uuid4()} | more))


def sent(web, name):
    return [call.request.headers.get(name) for call in web.calls]


def test_a_call_carries_its_ids_and_its_token(bare_client, web):
    web.get(f"{API}/customers/a%2Fb", body=b'\xef\xbb\xbf{"id": "a/b", "price": 30.40}')
    correlation_id = uuid.uuid4()
    assert bare_client.get("customers", "a/b", correlation_id=correlation_id)["id"] == "a/b"
    headers = web.calls[0].request.headers
    assert headers["Authorization"] == "Bearer token-1"
    assert headers["MS-CorrelationId"] == str(correlation_id)
    assert uuid.UUID(headers["MS-RequestId"])
    assert (headers["Accept"], headers["MS-Contract-Version"]) == ("application/json", "v1")


def test_a_refused_token_is_replaced_once_under_the_same_request_id(bare_client, web):
    web.post(f"{API}/customers/c/carts", status=401)
    web.post(f"{API}/customers/c/carts", status=201, json={"id": "cart"})
    assert write(bare_client).body == {"id": "cart"}
    assert sent(web, "Authorization") == ["Bearer token-1", "Bearer token-2"]
    assert len(set(sent(web, "MS-RequestId"))) == 1


@pytest.mark.parametrize(
    ("said", "attempts", "words"),
    [
        ({}, 2, "refuses the credentials"),
        ({"code": 900421, "description": "no MFA"}, 1, "without multi-factor"),
        ({"code": "900420", "description": "audience"}, 1, "kind of token"),
    ],
)
def test_refused_credentials_stop_at_once(bare_client, web, said, attempts, words):
    web.get(f"{API}/customers", status=401, json=said)
    with pytest.raises(Unauthorized, match=words) as refusal:
        bare_client.get("customers")
    assert len(web.calls) == attempts
    assert "refresh token" in refusal.value.advice


def test_a_redirect_is_never_followed(bare_client, web):
    web.get(f"{API}/customers", status=307, headers={"Location": "https://elsewhere.example/"})
    with pytest.raises(Rejected, match="redirect"):
        bare_client.get("customers")


def test_a_refusal_can_come_with_status_200(bare_client, web):
    web.get(f"{API}/products/p", json={"code": 400072, "description": "This item isn't available."})
    with pytest.raises(Rejected, match="no longer in Microsoft's catalogue"):
        bare_client.get("products", "p")


def test_a_location_gives_its_path_and_never_its_host(bare_client, web):
    location = "https://elsewhere.example/v1/customers/c/subscriptions/s"
    web.post(f"{API}/customers/c/carts", status=202, headers={"Location": location})
    reply = write(bare_client, etag="abc=")
    assert (reply.status, reply.body, reply.location) == (202, None, ("customers", "c", "subscriptions", "s"))
    assert sent(web, "If-Match") == ['"abc="']


def test_a_refusal_keeps_what_support_needs(bare_client, web):
    said = {"code": 800090, "description": "Subscription quantity cannot be decreased.", "data": []}
    web.post(f"{API}/customers/c/carts", status=400, body=b"\xef\xbb\xbf" + json.dumps(said).encode())
    correlation_id = uuid.uuid4()
    with pytest.raises(Rejected) as refusal:
        write(bare_client, correlation_id=correlation_id)
    assert code_of(refusal.value) == "400 800090"
    assert refusal.value.raw == "HTTP 400, code 800090: Subscription quantity cannot be decreased."
    assert refusal.value.context["correlation_id"] == str(correlation_id)


def test_an_unexplained_refusal_still_says_what_came(bare_client, web):
    web.post(f"{API}/customers/c/carts", status=403, json={"code": 123456, "description": "New rule"})
    with pytest.raises(Rejected, match="HTTP 403, code 123456") as refusal:
        write(bare_client)
    assert "New rule" in refusal.value.raw
