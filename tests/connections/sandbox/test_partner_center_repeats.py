import uuid

import pytest
import requests

from tests.connections.sandbox.partner_center_api import CARTS, NOORDZEE, code, line, read, subscription_path

PREMIUM = subscription_path("noordzee-logistics", 1)


def test_a_repeated_write_with_the_same_request_id_gets_the_first_answer_again(far_side):
    headers = {"MS-RequestId": str(uuid.uuid4())}
    made = [read(far_side.post(CARTS, {"lineItems": [line("m365-basic", 1)]}, headers=headers)) for _ in range(2)]
    assert made[0] == made[1]
    path = f"{CARTS}/{made[0]['id']}/checkout"
    headers = {"MS-RequestId": str(uuid.uuid4())}
    orders = [read(far_side.post(path, headers=headers))["orders"][0]["id"] for _ in range(3)]
    assert len(set(orders)) == 1
    assert len(far_side.control(f"orders?customer={NOORDZEE}")["orders"]) == 9


def test_a_request_id_is_forgotten_after_a_while_and_never_serves_another_call(far_side):
    headers = {"MS-RequestId": str(uuid.uuid4())}
    body = read(far_side.get(PREMIUM))
    first = read(far_side.patch(PREMIUM, body | {"quantity": 50}, headers=headers))
    far_side.patch(PREMIUM, body | {"quantity": 51})
    assert read(far_side.patch(PREMIUM, body | {"quantity": 50}, headers=headers)) == first
    assert read(far_side.get(PREMIUM))["quantity"] == 51
    far_side.advance(seconds=31 * 60)
    assert read(far_side.patch(PREMIUM, body | {"quantity": 52}, headers=headers))["quantity"] == 52


def test_a_refusal_is_repeated_too(far_side):
    headers = {"MS-RequestId": str(uuid.uuid4())}
    body = read(far_side.get(PREMIUM)) | {"quantity": 1}
    assert [code(far_side.patch(PREMIUM, body, headers=headers)) for _ in range(2)] == [(400, 800090)] * 2


def test_a_write_whose_answer_was_lost_is_safe_to_repeat(far_side):
    headers = {"MS-RequestId": str(uuid.uuid4())}
    made = read(far_side.post(CARTS, {"lineItems": [line("m365-basic", 4)]}))
    far_side.control("faults", {"fault": "drop_after", "method": "POST", "path": "checkout"})
    with pytest.raises(requests.ConnectionError):
        far_side.post(f"{CARTS}/{made['id']}/checkout", headers=headers)
    assert len(read(far_side.post(f"{CARTS}/{made['id']}/checkout", headers=headers))["orders"]) == 1
    assert len(far_side.control(f"orders?customer={NOORDZEE}")["orders"]) == 9


def test_a_far_side_that_lies_answers_and_keeps_nothing(far_side):
    far_side.control("faults", {"fault": "swallow", "method": "PATCH"})
    assert read(far_side.change(PREMIUM, quantity=50))["quantity"] == 50
    assert read(far_side.get(PREMIUM))["quantity"] == 48
    assert read(far_side.change(PREMIUM, quantity=50))["quantity"] == 50
    assert len(far_side.control("audit")["records"]) == 1


def test_a_read_can_be_stale_once(far_side):
    far_side.change(PREMIUM, quantity=50)
    far_side.control("faults", {"fault": "stale_read", "method": "GET", "path": "subscriptions"})
    assert [read(far_side.get(PREMIUM))["quantity"] for _ in range(2)] == [48, 50]
