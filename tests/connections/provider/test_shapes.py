from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from connections.provider.partner_center.answers import UNREADABLE, json_of
from connections.provider.partner_center.shapes import (
    Cart,
    Subscription,
    amount,
    last_day,
    moment,
    same_id,
    shaped,
    whole,
)
from connections.provider.partner_center.translate import facts
from portal.far_side import OutcomeUnknown, Unavailable


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2021-01-14T16:57:15.0966728Z", datetime(2021, 1, 14, 16, 57, 15, 96672, UTC)),
        ("2021-01-14T16:57:14.498252Z", datetime(2021, 1, 14, 16, 57, 14, 498252, UTC)),
        ("2021-01-14T16:57:14.5", datetime(2021, 1, 14, 16, 57, 14, 500000, UTC)),
        ("2021-01-14T16:57:14z", datetime(2021, 1, 14, 16, 57, 14, tzinfo=UTC)),
        ("2021-10-14T23:59:59+00:00", datetime(2021, 10, 14, 23, 59, 59, tzinfo=UTC)),
        ("2021-10-14T23:59:59-05:00", datetime(2021, 10, 15, 4, 59, 59, tzinfo=UTC)),
        ("2019-08-02T00:00:00", datetime(2019, 8, 2, tzinfo=UTC)),
        ("2019-08-02", datetime(2019, 8, 2, tzinfo=UTC)),
        ("2015-11-25T06: 41: 12Z", datetime(2015, 11, 25, 6, 41, 12, tzinfo=UTC)),
        ("9999-12-31T23:59:59-08:00", datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)),
        ("0001-01-01T00:00:00", None),
        ("", None),
        (None, None),
    ],
)
def test_moments_are_read_in_every_form_that_microsoft_writes(text, expected):
    assert moment(text) == expected


@pytest.mark.parametrize("text", ["yesterday", "2021-13-01T00:00:00Z", "2021-01-14 16:57", "14/01/2021"])
def test_a_text_that_is_no_moment_is_refused(text):
    with pytest.raises(ValueError):
        moment(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2022-01-13T00:00:00Z", date(2022, 1, 13)),
        ("2022-01-13T23:59:59Z", date(2022, 1, 13)),
        ("2016-12-12T08:00:00Z", date(2016, 12, 12)),
        ("2022-01-13T23:30:00-08:00", date(2022, 1, 13)),
        ("9999-12-14T00:00:00Z", None),
        ("0001-01-01T00:00:00", None),
    ],
)
def test_a_last_day_is_never_shifted_and_an_endless_plan_has_none(text, expected):
    assert last_day(text) == expected


def test_numbers_come_as_numbers_or_as_text_and_stay_exact():
    assert [whole(value) for value in (15, "15", "15.0", Decimal("15.0"))] == [15] * 4
    assert [amount(value) for value in ("16", Decimal("30.40"), 0, "0E-20", None, "")] == [
        Decimal(16),
        Decimal("30.4"),
        0,
        0,
        None,
        None,
    ]
    with pytest.raises(ValueError):
        whole("many")


def test_ids_are_compared_without_case():
    assert same_id("A356AC8C-E310", "a356ac8c-e310")
    assert not same_id("A356AC8C-E310", "a356ac8c-e311")


def test_an_answer_may_begin_with_a_byte_order_mark():
    assert json_of(b'\xef\xbb\xbf{"price": 30.40}') == {"price": Decimal("30.40")}
    assert json_of(b"\xef\xbb\xbf") is None
    assert json_of(b"<html>") is UNREADABLE
    assert json_of(b"\xff\xfe") is UNREADABLE


def test_an_answer_of_another_form_is_unknown_after_a_write_and_unavailable_after_a_read():
    with pytest.raises(Unavailable, match="does not look like a subscription"):
        shaped(Subscription, {"id": "x", "status": "active", "quantity": "many"})
    with pytest.raises(OutcomeUnknown, match="does not look like a cart"):
        shaped(Cart, None, written=True)


@pytest.mark.parametrize(
    ("status", "portal"), [("Active", "active"), ("none", "pending"), ("deleted", "deleted"), ("brandNew", "pending")]
)
def test_a_status_is_put_into_the_portals_words(status, portal):
    assert facts(shaped(Subscription, {"id": "x", "status": status, "quantity": "3"})).status == portal
