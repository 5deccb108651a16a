"""The engine and the Autotask stand-in over real HTTP: what its own ledger shows in the end."""

from datetime import date

import pytest

from syncops.models import SyncOperation
from tests.syncops.site import TODAY, open_site

State = SyncOperation.State


@pytest.fixture
def site(cast, tmp_path, settings):
    with open_site(cast, tmp_path, settings) as site:
        yield site


@pytest.fixture
def mapped(site):
    assert site.settle(site.map()).state == State.SUCCEEDED
    return site


def test_the_far_sides_ledger_shows_the_units_and_the_price(mapped):
    assert ("2026-05-10", "2026-05-31", 10, "5.0000") in [
        (start, end, units, f"{float(price):.4f}") for start, end, units, price in mapped.rows()
    ]
    assert mapped.units(date(2026, 5, 9)) == 0
    assert mapped.units(date(2026, 12, 31)) == 10


@pytest.mark.parametrize(
    "fault",
    [
        "drop_before",
        "drop_after",
        "half_body",
        "error_500_plain",
        "too_many_retry_after",
        "error_503",
        "error_504_after",
    ],
)
def test_after_this_fault_the_ledger_is_right_and_nothing_was_applied_twice(mapped, fault):
    before = mapped.writes()
    mapped.fault(fault)
    operation = mapped.settle(mapped.change(12), seconds=25)
    assert (operation.state, mapped.units(TODAY), mapped.writes() - before) == (State.SUCCEEDED, 12, 1)


def test_a_refusal_of_the_far_side_fails_the_operation_and_changes_nothing(mapped):
    mapped.fault("error_500_json")
    operation = mapped.settle(mapped.change(12))
    assert (operation.state, mapped.units(TODAY)) == (State.FAILED, 10)
    assert operation.raw_answer


def test_an_adjustment_that_is_accepted_and_dropped_fails_the_operation(mapped):
    mapped.fault("swallow")
    operation = mapped.settle(mapped.change(12))
    assert (operation.state, operation.error_kind) == (State.FAILED, "accepted_not_applied")


def test_refused_credentials_stop_the_connection_at_once(mapped):
    mapped.control("faults", {"fault": "unauthorized", "times": None})
    mapped.change(12)
    mapped.drain()
    requests = mapped.control("counters", method="GET")["requests"]
    for _ in range(3):
        mapped.drain()
    assert mapped.control("counters", method="GET")["requests"] == requests
    mapped.connection.refresh_from_db()
    assert mapped.connection.state == "unauthorized"


def test_a_posted_period_is_left_alone_and_told_in_money(mapped):
    mapped.control("post", {"contract": 70, "through": "2026-05-31"})
    operation = mapped.settle(mapped.change(12))
    assert operation.state == State.SUCCEEDED
    assert [mapped.units(day) for day in (TODAY, date(2026, 6, 1))] == [10, 12]
    assert [str(gap.amount) for gap in operation.shortfalls.all()] == ["7.1000"]  # 2 x 5.00 x 22/31 as 0.7097


def test_late_changes_converge_on_the_far_sides_own_ledger(mapped):
    for quantity, day in (
        (15, date(2026, 5, 20)),
        (12, date(2026, 5, 15)),
        (20, date(2026, 7, 3)),
        (9, date(2026, 6, 10)),
    ):
        assert mapped.settle(mapped.change(quantity, day)).state == State.SUCCEEDED
    days = {TODAY: 10, date(2026, 5, 15): 12, date(2026, 5, 20): 15, date(2026, 6, 10): 9, date(2026, 7, 3): 20}
    assert {day: mapped.units(day) for day in days} == days


def test_what_a_person_adds_in_autotask_stays(mapped):
    (line,) = mapped.control("ledger", method="GET", key="SUB-1")["lines"]
    mapped.control("edit", {"line": line["id"], "date": "2026-05-12", "unitChange": 1})
    mapped.settle(mapped.change(12, date(2026, 5, 15)))
    assert mapped.units(date(2026, 5, 15)) == 13
