"""What a plan does to the bills, told before it is sent."""

from decimal import Decimal

import pytest
from hypothesis import given

from syncops.plans import plan, preview
from syncops.timeline import Row, Term, actual_timeline, closed_through
from tests.syncops.lines import BRIEF, lines
from tests.syncops.tables import YEAR, day, line, row


def months(what: str, *, posted: int = 0) -> list:
    ends = ["05-31", "06-30", "07-31", "08-31", "09-30", "10-31", "11-30", "12-31"]
    return [row(f"{end[:2]}-01", end, what, posted=index < posted) for index, end in enumerate(ends)]


def seen(rows: list, desired: dict, today: str, *, contract: Term = YEAR, currency: str = "EUR"):
    found = plan(
        line(desired),
        actual_timeline(rows),
        contract=contract,
        currency=currency,
        closed_through=closed_through(rows),
        rows=rows,
    )
    return preview(found, rows, contract, currency, day(today))


def test_two_more_units_from_within_this_period():
    found = seen(months("10@5"), {"05-01": "10@5", "05-10": "12@5"}, "05-12")
    assert (found.this_period.start, found.this_period.end) == (day("05-01"), day("05-31"))
    # 10 x 5 x 9/31 (0.2903) = 14.52 and 12 x 5 x 22/31 (0.7097) = 42.58
    assert (found.this_period.before, found.this_period.after) == (Decimal("50.00"), Decimal("57.10"))
    assert (found.next_period.before, found.next_period.after) == (Decimal("50.00"), Decimal("60.00"))
    assert found.next_period.change == Decimal("10.00")
    assert found.earlier is None
    (only,) = found.lines
    assert (only.landing, only.this_period, only.next_period) == ("open", Decimal("7.10"), Decimal("10.00"))
    assert only.period.start == day("05-01")


@pytest.mark.parametrize(
    ("effective", "landing"),
    [("05-20", "open"), ("06-30", "open"), ("07-01", "next"), ("07-31", "next"), ("08-01", "future")],
)
def test_where_an_adjustment_lands(effective, landing):
    found = seen(months("1@5"), {"05-01": "1@5", effective: "2@5"}, "06-10")
    assert [one.landing for one in found.lines] == [landing]


@pytest.mark.parametrize(("effective", "landing"), [("05-01", "posted"), ("05-31", "posted"), ("06-01", "next")])
def test_an_adjustment_that_was_planned_before_a_period_was_posted(effective, landing):
    planned_before = plan(line({effective: "2@5"}), line({}), contract=YEAR, currency="EUR")
    found = preview(planned_before, months("0", posted=1), YEAR, "EUR", day("05-12"))
    assert [one.landing for one in found.lines] == [landing]


def test_older_open_periods_are_told_as_one():
    found = seen(months("1@10"), {"05-01": "1@10", "05-17": "2@10"}, "07-04")
    assert (found.earlier.start, found.earlier.end) == (day("05-01"), day("06-30"))
    # May: 1 x 10 x 0.5161 and 2 x 10 x 0.4839; June: 2 x 10
    assert (found.earlier.before, found.earlier.after) == (Decimal("20.00"), Decimal("34.84"))
    assert found.this_period.change == Decimal("10.00")


def test_a_row_that_was_split_before_stays_split():
    parts = [row("05-01", "05-10", "1@10"), row("05-11", "05-20", "1@10"), row("05-21", "05-31", "1@10")]
    found = seen([*parts, *months("1@10")[1:]], {"05-01": "1@10"}, "05-12")
    assert found.this_period.before == Decimal("10.01")  # 3.23 + 3.23 + 3.55


def test_a_new_line_has_no_bill_before():
    found = seen([], {"05-10": "3@10"}, "05-10")
    assert (found.this_period.before, found.this_period.after) == (Decimal("0.00"), Decimal("21.29"))


def test_a_price_that_nobody_knows_leaves_the_bill_untold():
    found = seen([], {"05-10": "3"}, "05-10")
    assert (found.this_period.before, found.this_period.after) == (Decimal("0.00"), None)
    assert (found.this_period.change, found.lines[0].this_period) == (None, None)


def test_the_last_period_has_none_after_it_and_bills_its_part():
    contract = Term(day("05-01"), day("06-15"))
    found = seen([], {"05-01": "1@10"}, "06-20", contract=contract)
    assert found.next_period is None
    assert found.lines[0].next_period is None
    assert found.this_period.after == Decimal("5.00")


def test_a_yearly_contract_in_yen():
    contract = Term(day("05-01"), day("2028-04-30"), "yearly")
    found = seen([], {"05-01": "2@1200", "05-31": "3@1200"}, "05-03", contract=contract, currency="JPY")
    # 2 x 1200 x 30/365 (0.0822) = 197 and 3 x 1200 x 335/365 (0.9178) = 3304
    assert (found.this_period.after, found.next_period.after) == (Decimal("3501"), Decimal("3600"))


@BRIEF
@given(line=lines())
def test_the_lines_of_a_preview_add_up_to_its_bills(line):
    found = plan(line.wanted, line.held, contract=line.contract, currency="EUR")
    rows = [Row(day, day, units, units * (price or 0), None) for day, (units, price, _) in line.held_days.items()]
    told = preview(found, rows, line.contract, "EUR", line.contract.start)
    for bill, parts in (
        (told.this_period, [one.this_period for one in told.lines]),
        (told.next_period, [one.next_period for one in told.lines]),
    ):
        if bill and None not in (bill.change, *parts):
            assert sum(parts) == bill.change
