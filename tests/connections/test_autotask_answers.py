"""Autotask's answers by what to do next."""

from decimal import Decimal

import pytest

from connections.http import Answer, NoAnswer
from connections.psa.autotask.answers import no_answer, parsed, understood
from connections.psa.errors import Why, why
from portal.far_side import OutcomeUnknown, Rejected, Unauthorized, Unavailable

THREADS = '{"errors":["The Autotask API thread threshold of 3 threads has been exceeded."]}'
HOURLY = '{"errors":["The Autotask API request threshold of 10000 requests in 60 minutes has been exceeded."]}'
REFUSAL = '{"errors":["Reference value on field: contactID of type: Contact does not exist or is invalid."]}'
NO_RIGHT = '{"errors":["The logged in Resource does not have the adequate permissions to create Contract."]}'
PAGE = "<html><body>Runtime Error</body></html>"

# status, body, what a write raises, what a read raises
TABLE = [
    (401, "", Unauthorized, Unauthorized),
    (401, '{"errors":["Unauthorized."]}', Unauthorized, Unauthorized),
    (401, NO_RIGHT, Rejected, Rejected),
    (403, "", Rejected, Rejected),
    (400, '{"Message":"The request is invalid."}', Rejected, Rejected),
    (404, '{"Message":"No HTTP resource was found."}', Rejected, Rejected),
    (405, '{"Message":"The requested resource does not support http method \'GET\'."}', Rejected, Rejected),
    (409, '{"errors":["Conflict."]}', Rejected, Rejected),
    (408, "", OutcomeUnknown, Unavailable),
    (429, "", Unavailable, Unavailable),
    (429, THREADS, Unavailable, Unavailable),
    (500, REFUSAL, Rejected, Rejected),
    (500, NO_RIGHT, Rejected, Rejected),
    (500, THREADS, Unavailable, Unavailable),
    (500, HOURLY, Unavailable, Unavailable),
    (500, '{"errors":["Transaction was deadlocked on lock resources."]}', OutcomeUnknown, Unavailable),
    (500, '{"errors":["Execution Timeout Expired."]}', OutcomeUnknown, Unavailable),
    (500, '{"Message":"An error has occurred."}', OutcomeUnknown, Unavailable),
    (500, '{"errors":[]}', OutcomeUnknown, Unavailable),
    (500, PAGE, OutcomeUnknown, Unavailable),
    (500, "", OutcomeUnknown, Unavailable),
    (502, PAGE, OutcomeUnknown, Unavailable),
    (503, "", Unavailable, Unavailable),
    (504, PAGE, OutcomeUnknown, Unavailable),
    (307, "", OutcomeUnknown, Unavailable),
    (200, "", OutcomeUnknown, Unavailable),
    (200, '{"itemId":', OutcomeUnknown, Unavailable),
    (200, "[1]", OutcomeUnknown, Unavailable),
    (200, REFUSAL, Rejected, Rejected),
]


def answer(status, body="", **headers):
    return Answer(status, headers, body.encode())


@pytest.mark.parametrize(("status", "body", "write", "read"), TABLE)
def test_each_answer_says_what_to_do_next(status, body, write, read):
    for writes, error in ((True, write), (False, read)):
        with pytest.raises(error) as caught:
            understood(answer(status, body), writes=writes)
        assert type(caught.value) is error
        assert caught.value.message
        assert caught.value.advice
        assert caught.value.raw in body or "\n" in caught.value.raw


@pytest.mark.parametrize("body", ['{"itemId":29683363}', '{"itemId":null}', '{"item":null}', '{"items":[]}'])
def test_a_success_needs_no_id(body):
    assert understood(answer(200, body), writes=True) == parsed(body)


def test_what_a_write_without_an_answer_did_is_unknown_and_a_read_is_repeated():
    assert isinstance(no_answer(NoAnswer("it did not answer in time"), writes=True), OutcomeUnknown)
    assert isinstance(no_answer(NoAnswer("it did not answer in time"), writes=False), Unavailable)


def test_money_keeps_every_place():
    assert str(parsed('{"price":386.6450}')["price"]) == "386.6450"
    assert parsed('{"price":0.1}')["price"] == Decimal("0.1")


def test_a_refusal_that_changes_what_comes_next_is_named():
    with pytest.raises(Rejected) as caught:
        understood(answer(500, NO_RIGHT), writes=True)
    assert why(caught.value) is Why.MISSING_RIGHT
    assert caught.value.context["status"] == "500"


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"Retry-After": "7"}, 7),
        ({"Retry-After": "Fri, 20 Nov 2026 10:00:30 GMT", "Date": "Fri, 20 Nov 2026 10:00:00 GMT"}, 30),
        ({"Retry-After": "Fri, 20 Nov 2026 09:00:00 GMT", "Date": "Fri, 20 Nov 2026 10:00:00 GMT"}, 0),
        ({"Retry-After": "soon"}, None),
        ({"Retry-After": "Fri, 20 Nov 2026 10:00:30 GMT"}, None),
        ({}, None),
    ],
)
def test_how_long_to_wait_is_taken_over_where_it_is_told(headers, seconds):
    with pytest.raises(Unavailable) as caught:
        understood(answer(429, "", **headers), writes=False)
    assert caught.value.retry_after == seconds
