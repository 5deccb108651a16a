"""What was previewed beside what came of it."""

from datetime import date
from decimal import Decimal

import pytest
from django.urls import reverse

from syncops.comparison import compare
from syncops.timeline import Adjustment, Level, Term, Timeline
from tests.syncops.desk import operation_of

TERM, TEN = Term(date(2026, 1, 1), date(2026, 12, 31)), Decimal(10)


def bill(label, start, end, after):
    return {"label": label, "start": start, "end": end, "before": "100.00", "after": after, "currency": "EUR"}


PREVIEW = {
    "adjustments": [{"effective": "2026-05-16", "unit_change": 2, "price": None, "cost": None}],
    "bills": [
        bill("This period", "2026-05-01", "2026-05-31", "110.32"),
        bill("Next period", "2026-06-01", "2026-06-30", "120.00"),
    ],
}


def line(*steps):
    return Timeline.from_steps((date(2026, *day), Level(units, TEN)) for *day, units in steps)


def test_what_came_about_as_it_was_shown_agrees():
    sent = [Adjustment(date(2026, 5, 16), 2)]
    compared = compare(PREVIEW, sent, line((5, 1, 10), (5, 16, 12)), [], TERM)
    assert [one.found for one in compared.bills] == [Decimal("110.32"), Decimal("120.00")]
    assert compared.agrees


def test_what_somebody_else_added_shows_in_money():
    sent = [Adjustment(date(2026, 5, 16), 2)]
    compared = compare(PREVIEW, sent, line((5, 1, 10), (5, 16, 12), (6, 1, 13)), [], TERM)
    assert [one.change for one in compared.bills] == [Decimal("0.00"), Decimal("10.00")]
    assert not compared.agrees


@pytest.mark.parametrize(
    ("sent", "units"),
    [
        ([Adjustment(date(2026, 5, 17), 2)], [(16, 2, 0), (17, 0, 2)]),
        ([], [(16, 2, 0)]),
        ([Adjustment(date(2026, 5, 16), 3), Adjustment(date(2026, 5, 16), -1)], [(16, 2, 2)]),
    ],
)
def test_units_are_compared_by_date(sent, units):
    compared = compare(PREVIEW, sent, line((5, 1, 10)), [], TERM)
    assert [(one.effective.day, one.previewed, one.sent) for one in compared.units] == units


def test_a_price_that_is_not_known_is_no_agreement():
    unknown = Timeline.from_steps([(date(2026, 5, 1), Level(10))])
    compared = compare(PREVIEW, [], unknown, [], TERM)
    assert [(one.found, one.change) for one in compared.bills] == [(None, None), (None, None)]
    assert not compared.agrees


def page_of(desk, as_user):
    return as_user(desk.cast.reader).get(reverse("syncops:operation_detail", args=[operation_of(desk).pk]))


def test_the_page_says_that_it_came_about_as_previewed(mapped, as_user):
    page = page_of(mapped, as_user)
    assert page.context["comparison"].bills
    assert "As previewed" in page.content.decode()


def test_the_page_says_what_differs(desk, as_user):
    desk.map()
    desk.psa.meanwhile("adjust", lambda: desk.psa.edit(max(desk.psa._lines), desk.today, 13))
    desk.drain()
    page = page_of(desk, as_user)
    assert not page.context["comparison"].agrees
    assert "Differs" in page.content.decode()


def test_the_page_draws_the_line_and_tells_it_from_the_change_on(mapped, as_user):
    mapped.change_quantity(12)
    mapped.drain()
    operation = operation_of(mapped, "change_quantity")
    text = as_user(mapped.cast.reader).get(operation.get_absolute_url()).content.decode()
    picture = text.partition('<svg class="chart"')[2].partition("</svg>")[0]
    assert 'class="after" d="M44' in picture
    assert "style=" not in picture
    story = text.partition("Time line")[2]
    told = ["Quantity changed", "Written down to be sent", "Run 1", "Read back", "Proved: the line shows what was"]
    assert sorted(told, key=story.find) == told
    assert -1 not in map(story.find, told)
