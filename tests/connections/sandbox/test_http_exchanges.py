import http.client
import json
import socket
import time
from decimal import Decimal

import pytest
import requests

from connections.sandbox.http import Request, Response, Router, dumps
from connections.sandbox.stand_in import StandIn


class Echo(StandIn):
    """Answers every request with what it read."""

    def respond(self, request: Request) -> Response:
        if request.path == "/broken":
            raise RuntimeError("a defect")
        return Response(body={"path": request.path, "query": request.query, "sent": request.json()})

    def refusal(self, status: int, text: str) -> Response:
        return Response(status, {"text": text})


@pytest.fixture
def echo(tmp_path):
    stand_in = Echo(record=tmp_path / "record.jsonl")
    stand_in.start()
    yield stand_in
    stand_in.stop()


def test_one_connection_serves_many_requests_without_stalling(echo):
    connection = http.client.HTTPConnection(echo.url.removeprefix("http://"), timeout=5)
    before = time.monotonic()
    for number in range(100):
        connection.request("POST", f"/n/{number}?A=1&a=2", body=json.dumps({"n": number}))
        answer = json.loads(connection.getresponse().read())
        assert answer == {"path": f"/n/{number}", "query": {"a": "2"}, "sent": {"n": number}}
    assert time.monotonic() - before < 2, "each answer waits for a delayed acknowledgement"
    connection.close()


def test_an_answer_leaves_in_one_piece(echo):
    address = echo.url.removeprefix("http://").split(":")
    with socket.create_connection((address[0], int(address[1])), timeout=5) as client:
        client.sendall(b"GET /x HTTP/1.1\r\nHost: x\r\n\r\n")
        assert client.recv(65536).endswith(b"}")


def test_decimals_keep_their_places():
    assert dumps({"price": Decimal("386.6450"), "text": "1.0"}) == '{"price": 386.6450, "text": "1.0"}'
    with pytest.raises(TypeError):
        dumps({"when": object()})


def test_routes_match_without_regard_to_case_and_tell_unknown_from_unsupported():
    def handler(request):
        return Response()

    router = Router()
    router.add("GET", "/v1/things/{id}", handler)
    assert router.find("GET", "/V1/Things/A-7") == (handler, {"id": "A-7"}, True)
    assert router.find("PATCH", "/v1/things/1") == (None, {}, True)
    assert router.find("GET", "/v1/things/1/2") == (None, {}, False)


def test_a_defect_of_the_stand_in_is_an_error_and_not_a_broken_connection(echo, capfd):
    answer = requests.get(f"{echo.url}/broken", timeout=5)
    assert answer.status_code == 500
    assert "own log" in answer.json()["text"]
    assert "RuntimeError: a defect" in capfd.readouterr().err


def test_the_record_has_each_exchange_without_secrets_and_without_control(echo, tmp_path):
    requests.post(
        f"{echo.url}/a?access_token=t", json={"client_secret": "x", "n": [1.50]}, headers={"S": "x"}, timeout=5
    )
    requests.post(f"{echo.url}/_control/latency", json={"seconds": 0}, timeout=5)
    requests.post(f"{echo.url}/_control/faults", json={"fault": "error_500_plain"}, timeout=5)
    requests.get(f"{echo.url}/b", timeout=5)
    requests.post(f"{echo.url}/_control/faults", json={"fault": "error_504_after"}, timeout=5)
    requests.get(f"{echo.url}/c", timeout=5)
    lines = [json.loads(line) for line in (tmp_path / "record.jsonl").read_text().splitlines()]
    assert [(line["method"], line["path"], line["status"]) for line in lines] == [
        ("POST", "/a", 200),
        ("GET", "/c", 200),
    ]
    assert lines[0]["request"] == {"client_secret": "***", "n": [1.5]}
    assert lines[0]["query"] == {"access_token": "***"}
    assert set(lines[0]) == {"method", "path", "query", "request", "status", "response"}


def test_requests_are_counted_by_call_and_by_status(echo):
    for path in ("things/1", "things/2", "things/0f0e1d2c-3b4a-5968-7786-95a4b3c2d1e0/parts"):
        requests.get(f"{echo.url}/{path}", timeout=5)
    counters = requests.get(f"{echo.url}/_control/counters", timeout=5).json()
    assert counters["by_call"] == {"GET /things/{id}": 2, "GET /things/{id}/parts": 1}
    assert (counters["requests"], counters["by_status"], counters["peak"]) == (3, {"200": 3}, 1)
    requests.delete(f"{echo.url}/_control/counters", timeout=5)
    assert requests.get(f"{echo.url}/_control/counters", timeout=5).json()["requests"] == 0


def test_an_unknown_control_endpoint_says_so(echo):
    answer = requests.post(f"{echo.url}/_control/nothing", json={}, timeout=5)
    assert (answer.status_code, answer.json()["error"]) == (404, "no control endpoint POST /_control/nothing")
    assert requests.post(f"{echo.url}/_control/latency", json={}, timeout=5).status_code == 400
