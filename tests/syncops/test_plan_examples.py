"""What is sent for one line: the worked examples as a table, then the corners."""

from datetime import date

import pytest

from syncops.plans import BeyondContract, plan
from syncops.timeline import Term, Timeline
from tests.syncops.tables import YEAR, day, level, line, words


def planned(actual: dict, desired: dict, *, contract: Term = YEAR, closed: str | None = None):
    through = day(closed) if closed else None
    return plan(line(desired), line(actual), contract=contract, currency="EUR", closed_through=through)


@pytest.mark.parametrize(
    ("actual", "desired", "closed", "sent"),
    [
        ({"05-01": "10"}, {"05-01": "10", "05-10": "12"}, None, ["05-10 +2"]),
        ({"05-01": "10"}, {"05-01": "10", "05-10": "9"}, None, ["05-10 -1"]),
        (
            {"05-01": "10", "05-20": "15"},
            {"05-01": "10", "05-10": "12", "05-20": "15"},
            None,
            ["05-10 +2", "05-20 -2"],
        ),
        ({"05-01": "10@5.00"}, {"05-01": "10@5.50"}, "05-31", ["06-01 +0 @5.50"]),
        ({"05-01": "10", "05-20": "2"}, {"05-01": "10", "05-10": "5"}, None, ["05-20 +8", "05-10 -5"]),
        ({"05-01": "10@5.00"}, {"05-01": "10@5.00", "05-17": "0@5.00"}, None, ["05-17 -10"]),
        ({"05-01": "3@8.00"}, {"05-01": "3@8.00", "2027-01-15": "4@8.00"}, None, []),
    ],
)
def test_the_worked_examples(actual, desired, closed, sent):
    found = planned(actual, desired, closed=closed)
    assert words(found.adjustments) == sent
    assert len(found.batches) == bool(sent)


def test_the_last_value_of_a_day_wins():
    desired = line({"05-01": "10"}).with_units(day("05-10"), 12).with_units(day("05-10"), 9)
    found = plan(desired, line({"05-01": "10"}), contract=YEAR, currency="EUR")
    assert words(found.adjustments) == ["05-10 -1"]


def test_a_step_beyond_the_contract_names_the_end_date_that_it_needs():
    found = planned({"05-01": "3@8.00"}, {"05-01": "3@8.00", "2027-01-15": "4@8.00"})
    assert found.beyond == (BeyondContract(date(2027, 1, 15), level("4@8.00"), end_needed=date(2027, 1, 15)),)
    assert found.is_empty


def test_a_step_beyond_the_contract_that_changes_nothing_to_bill_is_not_told():
    assert planned({}, {"05-01": "0@5", "2027-01-15": "0@6"}).beyond == ()


@pytest.mark.parametrize(
    ("actual", "desired", "sent"),
    [
        pytest.param(
            {"05-01": "10@5", "07-01": "10@6"},
            {"05-01": "10@5.50", "07-01": "10@6"},
            ["05-01 +0 @5.50", "07-01 +0 @6"],
            id="a later price that an older one overwrites is sent again",
        ),
        pytest.param(
            {"05-01": "10@5", "07-01": "10@6"},
            {"05-01": "10@6"},
            ["05-01 +0 @6"],
            id="a later price that the older one sets as well is not",
        ),
        pytest.param({"05-01": "10@5"}, {"05-01": "8@6"}, ["05-01 -2 @6"], id="fewer units at another price"),
        pytest.param(
            {"05-01": "10@5/4"},
            {"05-01": "10@5/4", "06-01": "12@5/4.50"},
            ["06-01 +2 /4.50"],
            id="a price that stays is not sent with a new cost",
        ),
        pytest.param(
            {"05-01": "4@5", "05-20": "2@6"},
            {"05-01": "4@5", "05-10": "2@6"},
            ["05-20 +2", "05-10 -2 @6"],
            id="what an older decrease takes and a newer increase gives back never was 0",
        ),
        pytest.param({"05-01": "10@5"}, {"05-01": "12@5"}, ["05-01 +2"], id="a contract's first day is no return"),
        pytest.param({"05-01": "10@5"}, {"05-01": "10@0"}, ["05-01 +0 @0"], id="a price of 0 is a price"),
        pytest.param({}, {"05-10": "3@5/4"}, ["05-10 +3 @5 /4"], id="a new line gets units, price and cost at once"),
        pytest.param({}, {"05-10": "3"}, ["05-10 +3"], id="a price that is not managed is left to Autotask"),
        pytest.param(
            {"05-01": "10@5"}, {"05-01": "12"}, ["05-01 +2"], id="a price that is not managed is not compared"
        ),
        pytest.param(
            {"05-01": "10@5"},
            {"05-01": "10@5", "06-01": "0@5", "08-01": "10@5"},
            ["08-01 +10 @5", "06-01 -10"],
            id="when units return the price is sent again",
        ),
        pytest.param(
            {"05-01": "10@5", "06-01": "0"},
            {"05-01": "10@5"},
            ["06-01 +10 @5"],
            id="no price is known where units are 0",
        ),
        pytest.param(
            {"05-01": "10@5", "06-01": "0"}, {"05-01": "10@5", "06-01": "0@6"}, [], id="nor is it compared there"
        ),
        pytest.param({}, {"04-01": "3@5"}, ["05-01 +3 @5"], id="what began before the contract begins with it"),
        pytest.param({"04-01": "3@5"}, {"04-10": "3@5"}, [], id="before the contract nothing is compared"),
        pytest.param(
            {"05-01": "3@5"}, {"05-01": "3@5", "12-31": "4@5"}, ["12-31 +1"], id="the last day can be changed"
        ),
    ],
)
def test_prices_and_edges(actual, desired, sent):
    assert words(planned(actual, desired).adjustments) == sent


def test_a_line_that_is_closed_to_its_end_gets_nothing():
    assert planned({"05-01": "3"}, {"05-01": "4"}, closed="12-31").is_empty


def test_the_first_open_day_is_the_day_after_the_last_closed_one():
    found = planned({"05-01": "3"}, {"05-01": "4", "06-01": "5"}, closed="06-30")
    assert words(found.adjustments) == ["07-01 +2"]


def test_a_contract_of_one_day():
    found = planned({}, {"05-10": "3@5"}, contract=Term(day("05-10"), day("05-10")))
    assert words(found.adjustments) == ["05-10 +3 @5"]


def test_a_priced_decrease_may_go_before_an_increase_where_no_day_falls_below_both_its_ends():
    actual = {"05-01": "10@5", "05-20": "8@5"}
    found = planned(actual, {"05-01": "15@5.50", "05-10": "13@6", "05-20": "13@7", "06-01": "0@7"})
    assert [words(batch) for batch in found.batches] == [["05-01 +5 @5.50", "05-10 -2 @6", "05-20 +2 @7", "06-01 -13"]]


def test_two_batches_where_no_single_order_is_lawful():
    """The increase must be first, or 20 May falls to 8; the decrease must be first, or its price overwrites 7."""
    found = planned({"05-01": "10@5"}, {"05-01": "10@5", "05-10": "8@6", "05-20": "10@7"})
    assert [words(batch) for batch in found.batches] == [["05-20 +2 @7"], ["05-10 -2 @6", "05-20 +0 @7"]]
    assert words(found.adjustments) == ["05-20 +2 @7", "05-10 -2 @6", "05-20 +0 @7"]


def test_the_second_batch_is_what_a_new_plan_finds_after_the_first():
    desired = line({"05-01": "10@5", "05-10": "8@6", "05-20": "10@7"})
    after_the_first = line({"05-01": "10@5", "05-20": "12@7"})
    again = plan(desired, after_the_first, contract=YEAR, currency="EUR")
    assert [words(batch) for batch in again.batches] == [["05-10 -2 @6", "05-20 +0 @7"]]


def test_nothing_wanted_and_nothing_there_is_an_empty_plan():
    found = plan(Timeline(), Timeline(), contract=YEAR, currency="EUR")
    assert (found.is_empty, found.shortfalls, found.beyond) == (True, (), ())
