"""The examples of the policies: every policy has one, and their money is what the rules bill."""

from dataclasses import asdict
from datetime import date
from decimal import Decimal

import pytest

from connections.policies import Policies
from connections.policy_examples import Step, bill, examples, part
from connections.policy_words import SECTIONS, WORDS
from syncops.bills import billed
from syncops.money import amount, share
from syncops.periods import Period
from syncops.timeline import Level, Term, Timeline

FIVE, FIVE_FIFTY = Decimal("5.00"), Decimal("5.50")
MAY = Period(date(2026, 5, 1), date(2026, 5, 31))
YEAR = Term(date(2026, 1, 1), date(2026, 12, 31))


def billed_by_the_rules(currency, steps):
    timeline = Timeline(tuple((date(2026, 5, step.day), Level(step.units, step.price, Decimal(0))) for step in steps))
    return billed(timeline, [MAY], YEAR, currency, row_starts=[date(2026, 5, step.day) for step in steps])


@pytest.mark.parametrize("currency", ["EUR", "JPY", "KWD"])
@pytest.mark.parametrize(
    "steps",
    [
        [Step(1, 10, FIVE)],
        [Step(1, 10, FIVE), Step(10, 12, FIVE)],
        [Step(1, 10, FIVE), Step(10, 0, FIVE)],
        [Step(1, 10, FIVE), Step(10, 10, FIVE_FIFTY)],
        [Step(1, 10, FIVE), Step(10, 12, FIVE), Step(20, 15, FIVE)],
        [Step(10, 4, Decimal("8.00"))],
    ],
)
def test_a_bill_is_what_the_rules_bill(currency, steps):
    assert bill(currency, *steps) == billed_by_the_rules(currency, steps)


@pytest.mark.parametrize(("units", "days"), [(2, 22), (3, 1), (10, 31)])
def test_a_part_of_a_month_is_what_the_rules_bill(units, days):
    assert part(units, FIVE, days, "EUR") == amount(units, FIVE, share(days, 31), "EUR")


def test_every_value_of_every_policy_has_an_outcome_and_every_policy_its_place():
    found = examples("EUR", str)
    assert set(found) == set(asdict(Policies())) == set(WORDS)
    assert all(set(found[name].outcomes) == set(WORDS[name].values) for name in found)
    assert sorted(name for _, names in SECTIONS for name in names) == sorted(WORDS)


def test_the_amounts_are_those_of_the_worked_examples():
    found = examples("EUR", str)
    assert found["seat_increase"].outcomes["on_date"] == "May 57.10, June 60.00."
    assert found["seat_decrease"].outcomes["on_date"] == "May 42.91, June 40.00."
    assert found["posted_period"].outcomes["next_open"] == "June 60.00. Shortfall of May: 7.10."
    assert found["same_date"].outcomes["next_day"] == "15 from 11 May on. Shortfall of the one day: 0.48."
    assert found["renewal"].outcomes["extend_and_reprice"] == "June 55.00."


def test_a_currency_without_cents_shows_none():
    assert examples("JPY", str)["seat_increase"].outcomes["on_date"] == "May 58, June 60."
