"""An Azure plan leaves its line only between two months."""

from datetime import date

import pytest

from portal.audit import Actor
from syncops.actions import NotPossible, mapping_payload
from syncops.azure.leaving import why_not_leave
from syncops.ending import end_mapping
from syncops.move_preview import carried_over
from syncops.undoing import undo_operation
from tests.syncops.azure import JUNE, MAY, azure_desk, sent


@pytest.fixture
def desk(cast, monkeypatch, db):
    one = azure_desk(cast, monkeypatch)
    one.clock.now = one.clock.now.replace(month=6, day=20)
    one.row = sent(one, MAY)
    return one


def mapping_of(desk):
    rows = desk.subscription.mappings.select_related("connection", "subscription__variant__offer")
    return rows.get(ends_on=None)


def end(desk, day, *, zero=True):
    actor, now = Actor.user(desk.cast.admin), desk.clock.now
    return end_mapping(mapping_of(desk), day=day, set_to_zero=zero, actor=actor, today=now.date(), now=now)


def test_within_a_month_it_does_not_and_is_told_when_it_can(desk):
    with pytest.raises(NotPossible, match="first day of a month"):
        end(desk, date(2026, 6, 10))


def test_between_two_months_it_does_and_the_month_before_is_billed_whole(desk):
    end(desk, JUNE)
    desk.drain()
    rows = {row.starts_on: row for row in desk.psa.rows(desk.row.operation.mapping.line_id)}
    assert (rows[MAY].price, rows[JUNE].units) == (120, 0)


def test_a_month_that_was_set_on_the_line_keeps_it_there_until_it_is_undone(desk):
    assert "Undo that first" in why_not_leave(mapping_of(desk), MAY)
    undo_operation(desk.row.operation, actor=desk.cast.billing, now=desk.clock.now)
    desk.drain()
    assert why_not_leave(mapping_of(desk), MAY) == ""


def test_no_price_goes_along_to_another_line(desk):
    assert carried_over(mapping_of(desk), MAY)["price"] == "0"
    assert mapping_payload(desk.subscription, mapping_of(desk).connection, MAY)["price"] == "0"
