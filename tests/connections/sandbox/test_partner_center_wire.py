import json
import re
import uuid
from datetime import UTC, datetime

import pytest

from connections.sandbox.partner_center.throttle import Throttle
from tests.connections.sandbox.partner_center_api import (
    CARTS,
    NOORDZEE,
    PartnerCenter,
    code,
    line,
    read,
    subscription_path,
)

PREMIUM = subscription_path("noordzee-logistics", 1)


def test_request_and_correlation_ids_are_echoed_and_sometimes_doubled(far_side):
    ids = {"MS-RequestId": str(uuid.uuid4()), "MS-CorrelationId": str(uuid.uuid4())}
    response = far_side.get("/customers", headers=ids)
    assert {name: response.headers[name] for name in ids} == ids
    assert response.headers["X-Locale"] == "en-US"
    far_side.control("modes", {"doubled_headers": True})
    doubled = far_side.get("/customers/nothing", headers=ids).headers["MS-RequestId"]
    assert doubled == f"{ids['MS-RequestId']},{ids['MS-RequestId']}"


def test_throttling_has_a_body_of_its_own(far_side):
    far_side.control("faults", {"fault": "too_many_retry_after", "text": "57"})
    response = far_side.get("/customers")
    assert (response.status_code, response.headers["Retry-After"]) == (429, "57")
    assert response.json() == {"statusCode": 429, "message": "Rate limit is exceeded. Try again in 57 seconds."}
    far_side.control("faults", {"fault": "too_many"})
    assert "Retry-After" not in far_side.get("/customers").headers


def test_calls_are_limited_for_each_customer(far_side):
    far_side.control("modes", {"calls_per_minute": 2})
    answers = [far_side.get(PREMIUM) for _ in range(4)]
    assert [answer.status_code for answer in answers] == [200, 200, 429, 429]
    assert int(answers[-1].headers["Retry-After"]) > int(answers[-2].headers["Retry-After"])
    assert far_side.get("/customers").status_code == 200


def test_a_throttle_recovers_with_time():
    now = [0.0]
    throttle = Throttle(clock=lambda: now[0])
    waits = [throttle.waiting("partner", 60) for _ in range(62)]
    assert waits[:60] == [0] * 60
    assert waits[60:] == [1, 2]
    now[0] += 3
    assert throttle.waiting("partner", 60) == 0
    assert throttle.waiting("another", 60) == 0


@pytest.mark.parametrize(("mode", "carts", "checkouts"), [("never", 0, 0), ("checkout", 0, 1), ("always", 1, 1)])
def test_bodies_begin_with_a_byte_order_mark_where_it_is_switched_on(far_side, mode, carts, checkouts):
    far_side.control("modes", {"bom": mode})
    made = far_side.post(CARTS, {"lineItems": [line("m365-basic", 1)]})
    placed = far_side.post(f"{CARTS}/{read(made)['id']}/checkout")
    marks = [response.content.startswith(b"\xef\xbb\xbf") for response in (made, placed)]
    assert marks == [bool(carts), bool(checkouts)]


def moments(far_side):
    """Every date of Noordzee's subscriptions as text."""
    items = read(far_side.get(f"/customers/{NOORDZEE}/subscriptions"))["items"]
    return [item[name] for item in items for name in ("creationDate", "effectiveStartDate", "commitmentEndDate")]


def zone(text):
    return re.search(r"\d(Z|\+00:00|)$", text)[1]


def test_moments_are_written_in_several_forms_that_mean_the_same(far_side):
    mixed = moments(far_side)
    far_side.control("modes", {"dates": "plain"})
    plain = moments(far_side)
    assert {zone(text) for text in mixed} == {"Z", "+00:00", ""}
    assert {zone(text) for text in plain} == {"Z"}
    assert any(re.search(r"\.\d{7}Z$", text) for text in mixed)
    assert [datetime.fromisoformat(text).replace(tzinfo=UTC) for text in mixed] == [
        datetime.fromisoformat(text).replace(tzinfo=UTC) for text in plain
    ]


def test_amounts_can_come_as_text(far_side):
    far_side.control("modes", {"numbers": "strings"})
    made = read(far_side.post(CARTS, {"lineItems": [line("m365-basic", 1)]}))
    assert made["lineItems"][0]["pricing"]["listPrice"] == "4.70"
    assert made["lineItems"][0]["quantity"] == 1


def test_unknown_addresses_and_methods_are_refused(far_side):
    assert code(far_side.get("/nothing")) == (404, 1000)
    assert far_side.post("/customers", {}).status_code == 405
    assert code(far_side.patch(PREMIUM, [1])) == (400, 800002)


def test_an_unknown_mode_changes_nothing(far_side):
    response = far_side.session.post(f"{far_side.url}/_control/modes", json={"bom": "never", "colour": 1})
    assert response.status_code == 400
    assert far_side.control("modes")["bom"] == "checkout"


def test_a_reset_brings_everything_back(far_side):
    far_side.change(PREMIUM, quantity=50)
    far_side.control("modes", {"bom": "always"})
    far_side.control("reset", {"today": "2026-03-18"})
    far_side.sign_in()
    assert read(far_side.get(PREMIUM))["quantity"] == 48
    assert far_side.control("audit") == {"records": []}
    assert far_side.control("modes")["bom"] == "checkout"


def test_the_ledger_outlives_the_server_and_a_fresh_one_does_not(far_side, tmp_path):
    far_side.change(PREMIUM, quantity=50)
    far_side.server.stop()
    with PartnerCenter(tmp_path / "partner-center") as again:
        assert read(again.get(PREMIUM))["quantity"] == 50
    with PartnerCenter(tmp_path / "partner-center", fresh=True) as fresh:
        assert read(fresh.get(PREMIUM))["quantity"] == 48


def test_exchanges_are_recorded_without_secrets(tmp_path):
    record = tmp_path / "record.jsonl"
    with PartnerCenter(tmp_path, record=record) as far_side:
        far_side.get(PREMIUM)
    lines = [json.loads(text) for text in record.read_text().splitlines()]
    assert [each["status"] for each in lines] == [200, 200]
    assert lines[0]["response"]["access_token"] == "***"
    assert lines[1]["response"]["quantity"] == 48
