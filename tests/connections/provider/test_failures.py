from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from connections.http import Answer
from connections.provider.partner_center.failures import failure
from portal.far_side import OutcomeUnknown, Rejected, Unauthorized, Unavailable


def refused(status, code=None, headers=None, *, writing=True):
    body = {"code": code, "description": "said", "data": [], "source": "PartnerFD"} if code else None
    return failure(Answer(status, headers or {}, b""), body, correlation_id="c", writing=writing)


@pytest.mark.parametrize(
    ("status", "code", "error", "words"),
    [
        (400, 800090, Rejected, "within 7 days"),
        (400, "900257", Rejected, "within 7 days"),
        (400, 900117, Rejected, "cancellation window"),
        (400, 2006, Rejected, "does not let the quantity"),
        (403, 2006, Rejected, "cannot be bought"),
        (403, 13605, Rejected, "Customer Agreement"),
        (404, 400019, Rejected, "no longer in Microsoft's catalogue"),
        (404, 800008, Rejected, "expired"),
        (404, 20000, Unavailable, "does not show the order yet"),
        (409, 900278, Unavailable, "busy"),
        (409, 1, Unavailable, "busy with this resource"),
        (400, 2055, Unavailable, "somebody else"),
        (412, None, Unavailable, "somebody else"),
        (429, None, Unavailable, "fewer requests"),
        (503, None, Unavailable, "not available"),
        (500, 800094, Unavailable, "nothing was done"),
        (500, 800003, OutcomeUnknown, "HTTP 500"),
        (504, None, OutcomeUnknown, "HTTP 504"),
        (401, 400, Unauthorized, "refuses the credentials"),
        (401, 900421, Unauthorized, "multi-factor"),
        (403, 900309, Unauthorized, "Conditional Access"),
        (403, 900329, Rejected, "application without a user"),
        (418, None, Rejected, "HTTP 418"),
    ],
)
def test_a_refusal_is_named_by_what_to_do_next(status, code, error, words):
    found = refused(status, code)
    assert type(found) is error
    assert words in found.message
    assert found.advice
    assert found.context["status"] == str(status)


@pytest.mark.parametrize("status", [500, 502, 504, 408])
def test_a_fault_of_the_service_only_delays_a_read(status):
    assert type(refused(status, writing=False)) is Unavailable


def test_the_service_says_how_long_to_wait():
    soon = format_datetime(datetime.now(UTC) + timedelta(seconds=90), usegmt=True)
    assert refused(429, headers={"Retry-After": "57"}).retry_after == 57
    assert 80 < refused(503, headers={"Retry-After": soon}).retry_after <= 90
    assert refused(503, headers={"Retry-After": "soon"}).retry_after == 60
    assert refused(409, 900278).retry_after == 180
