"""The other way to set a price: units to 0, then back at the new price."""

from collections import Counter

import pytest
from hypothesis import given

from syncops.plans import Plan, plan
from tests.syncops import laws
from tests.syncops.lines import BRIEF, Line, agrees, lines
from tests.syncops.tables import YEAR, line, words


def planned(line: Line) -> Plan:
    return plan(
        line.wanted,
        line.held,
        contract=line.contract,
        currency="EUR",
        closed_through=line.closed,
        price_change="zero_and_restore",
    )


@pytest.mark.parametrize(
    ("actual", "desired", "sent"),
    [
        ({"05-01": "10@5/4"}, {"05-01": "10@5/4", "06-01": "10@6/4"}, ["06-01 -10", "06-01 +10 @6 /4"]),
        ({"05-01": "10@5"}, {"05-01": "10@5", "06-01": "12@6"}, ["06-01 -10", "06-01 +12 @6"]),
        ({"05-01": "10@5"}, {"05-01": "12@5"}, ["05-01 +2"]),
        ({}, {"05-01": "12@5"}, ["05-01 +12 @5"]),
        ({"05-01": "5@5", "06-01": "0"}, {"05-01": "10@5"}, ["05-01 +5", "06-01 +5 @5"]),
        ({"05-01": "10@5"}, {"05-01": "10@6", "06-01": "12@6"}, ["05-01 -10", "05-01 +10 @6", "06-01 +2"]),
        (
            {"05-03": "2@6", "05-04": "2@5"},
            {"05-03": "3@6", "05-04": "2@5", "06-01": "2@7"},
            ["05-03 +1", "05-04 -1", "06-01 -2", "06-01 +2 @7"],
        ),
        ({"05-03": "2@6", "05-04": "2@5"}, {"05-03": "3@6", "05-04": "2@5"}, ["05-03 +1", "05-04 -1"]),
        (
            {"05-01": "10@5", "06-01": "4@5"},
            {"05-01": "10@6", "06-01": "4@6"},
            ["06-01 +6", "05-01 -10", "05-01 +10 @6", "06-01 -6"],
        ),
    ],
    ids=[
        "a new price",
        "with more units",
        "no new price",
        "a new line",
        "a price that is not known",
        "more units later",
        "dates before the new price only change their units",
        "no new price on any date",
        "a later date with fewer units is raised first",
    ],
)
def test_a_price_change_sends_two_on_one_date(actual, desired, sent):
    found = plan(line(desired), line(actual), contract=YEAR, currency="EUR", price_change="zero_and_restore")
    assert words(found.adjustments) == sent


@BRIEF
@given(line=lines())
def test_no_batch_sends_more_than_two_on_one_date(line):
    for batch in planned(line).batches:
        assert max(Counter(change.effective for change in batch).values()) <= 2


@BRIEF
@given(line=lines())
def test_no_day_ever_falls_below_zero(line):
    for state in line.replay(planned(line).adjustments):
        assert all(units >= 0 for units, *_ in state.values())


@BRIEF
@given(line=lines())
def test_it_converges_where_a_price_alone_is_ignored(line):
    """Autotask as the policy is meant for: an adjustment without more units sets no price."""
    deaf = [c if c.unit_change > 0 else type(c)(c.effective, c.unit_change) for c in planned(line).adjustments]
    final = line.replay(deaf)[-1]
    assert all(agrees(final[day], wanted) for day, wanted in line.wanted_days.items() if line.is_open(day))


@pytest.mark.parametrize(
    "law",
    [
        laws.converges,
        laws.sends_nothing_to_a_line_that_is_right,
        laws.leaves_closed_days_alone_and_tells_what_they_lack,
        laws.stays_inside_the_contract_and_tells_what_lies_beyond,
    ],
    ids=lambda law: law.__name__,
)
@BRIEF
@given(line=lines())
def test_the_other_laws_hold_as_well(law, line):
    law(line, planned)
