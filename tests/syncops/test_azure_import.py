"""Amounts of Azure months from a file: a dry run row by row, then all of it, or the part that a person accepts."""

from decimal import Decimal

import pytest

from portal.actions.imports import NotPossible, accept_import, start_import
from portal.audit import Actor
from portal.import_run import run_import
from portal.imports import KINDS
from portal.models import AuditEntry
from syncops.azure.importing import HEADER, KIND, exported
from syncops.azure.listing import plans_in
from syncops.models import AzureMonth
from tests.cast import make_customer
from tests.syncops.azure import APRIL, azure_desk, azure_plan, entered

HEADINGS = "Month;Subscription id;Usage cost;Reservations cost;Price;Complete\n"


@pytest.fixture
def desk(cast, monkeypatch, db):
    one = azure_desk(cast, monkeypatch)
    azure_plan(cast.csp, "AZ-2", customer=make_customer(cast.csp, "Fabrikam"))
    return one


def hand_in(desk, text, *, apply=False, partial=False):
    cast, now, kind = desk.cast, desk.clock.now, KINDS[KIND]
    place, actor = kind.place(cast.csp.pk, cast.csp.pk), Actor.user(cast.billing)
    made = {"content": text.encode(), "name": "april.csv", "options": {}, "actor": actor, "now": now}
    run = run_import(start_import(kind, place, **made).pk, clock=lambda: now)
    if apply:
        accept_import(run, kind, partial=partial, actor=actor, now=now)
        run = run_import(run.pk, clock=lambda: now)
    return run


def told(run):
    return [(row.effect, " ".join(text for text, _ in row.reasons) or row.words) for row in run.rows.order_by("number")]


@pytest.fixture
def today(desk, time_machine):
    time_machine.move_to(desk.clock.now, tick=False)
    return desk


def test_the_dry_run_says_per_row_what_would_be_and_changes_nothing(today):
    entered(today, APRIL, "80.00")
    rows = "2026-04;Azure plan;1.234,50;0;;yes\n2026-04;AZ-2;100;10,5;150;no\n2026-04;nobody;1;;;\n2026-04;AZ-2;;;;\n"
    run = hand_in(today, HEADINGS + rows)
    assert told(run) == [
        ("change", "Cost 1,234.50, price 1,481.40 EUR (list price plus 20 %), complete. Instead of 96.00."),
        ("create", "Cost 110.50, price 150.00 EUR (as given), not complete yet."),
        ("refuse", "No Azure plan of yours has this subscription id."),
        ("skip", "No amount is given."),
    ]
    assert run.money == [["Price", "1535.40", "EUR"]]
    assert AzureMonth.objects.get().cost == 80


def test_with_a_refused_row_nothing_is_applied_unless_the_person_accepts_the_rest(today):
    text = HEADINGS + "2026-04;Azure plan;10;0;;yes\n2026-04;nobody;1;;;\n"
    with pytest.raises(NotPossible):
        hand_in(today, text, apply=True)
    assert not AzureMonth.objects.exists()
    hand_in(today, text, apply=True, partial=True)
    row = AzureMonth.objects.get()
    assert (row.cost, row.price, row.is_complete, row.source, row.source_name) == (10, 12, True, "file", "april.csv")
    assert AuditEntry.objects.filter(name="Enter Azure Month").count() == 1


def test_two_rows_that_say_different_things_of_one_plan_and_month_are_both_refused(today):
    run = hand_in(today, HEADINGS + "2026-04;AZ-2;10;;;\n2026-04;AZ-2;20;;;\n2026-03;AZ-2;5;;;\n")
    assert [effect for effect, _ in told(run)] == ["refuse", "refuse", "create"]


def test_two_plans_with_the_same_amount_are_no_contradiction(today):
    run = hand_in(today, HEADINGS + "2026-04;AZ-2;10;;;\n2026-04;Azure plan;10;;;\n")
    assert [effect for effect, _ in told(run)] == ["create", "create"]


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ("04/2026;AZ-2;10;;;", "is no month"),
        ("2026-04;AZ-2;1,234;;;", "no amount that can be read in one way"),
        ("2026-04;AZ-2;10;;;perhaps", "neither yes nor no"),
        ("2026-04;AZ-2;-10;;;", "never below zero"),
        ("2026-06;AZ-2;10;;;", "has not begun"),
        ("2026-05;AZ-2;10;;;yes", "cannot be complete"),
        ("2026-04;AZ-2;=1+1;;;", "no amount"),
    ],
)
def test_a_row_that_cannot_be_taken_says_why(today, row, words):
    [(effect, said)] = told(hand_in(today, HEADINGS + row + "\n"))
    assert (effect, words in said) == ("refuse", True)


def test_what_was_exported_and_filled_in_comes_back(today):
    entered(today, APRIL, "80.00", price=Decimal("99.50"))
    rows = list(exported(plans_in(today.cast.csp, APRIL), APRIL))
    lines = [",".join("" if cell is None else str(cell) for cell in row) for row in (HEADER, *rows)]
    run = hand_in(today, "\n".join(lines).replace("AZ-2,,", "AZ-2,50.00,"))
    assert [effect for effect, _ in told(run)] == ["same", "create"]


def test_applied_twice_it_writes_once(today):
    text = HEADINGS + "2026-04;Azure plan;10;0;;yes\n"
    hand_in(today, text, apply=True)
    assert [effect for effect, _ in told(hand_in(today, text))] == ["same"]
    assert AuditEntry.objects.filter(name="Enter Azure Month").count() == 1


def test_nobody_hands_in_a_file_for_another_organization(today):
    assert KINDS[KIND].place(today.cast.csp.pk, today.cast.other_csp.pk) is None
