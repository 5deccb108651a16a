"""Amounts of Azure months come in: by hand, from files, and from the import of the billed reconciliation."""

from dataclasses import replace
from datetime import date
from decimal import Decimal
from itertools import product

import pytest
from django.db import IntegrityError, transaction
from hypothesis import given
from hypothesis import strategies as st

from connections.models import Connection
from portal.models import AuditEntry, MarginRule, MarginSettings, Subscription
from syncops.azure.amounts import Amount, problem_of
from syncops.azure.entering import Origin, plans_of
from syncops.azure.importing import NotRead, money_of, month_of
from syncops.models import AzureMonth
from syncops.models.azure import in_state
from tests.cast import make_customer
from tests.syncops.azure import APRIL, MAY, an_amount, azure_desk, azure_plan, enter_all, entered, send

IMPORT = Origin(AzureMonth.Source.RECONCILIATION, "G000024135", of_csp=True)
HUNDRED = Decimal(100)


@pytest.fixture
def desk(cast, monkeypatch, db):
    return azure_desk(cast, monkeypatch)


def refusal(desk, **fields):
    amount = an_amount(desk, fields.pop("month", APRIL), fields.pop("cost", "100.00"))
    [judged] = enter_all(desk, [replace(amount, **fields)])
    assert judged.outcome == "refused"
    assert not AzureMonth.objects.exists()
    return judged.problem


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"usage_cost": Decimal(-1)}, "never below zero"),
        ({"price": Decimal("NaN")}, "never below zero"),
        ({"reservations_cost": Decimal(10) ** 11}, "too large"),
        ({"currency": "USD"}, "Convert it first"),
        ({"month": date(2026, 6, 1)}, "has not begun"),
        ({"month": date(2026, 4, 2)}, "has not begun"),
        ({"month": date(2025, 12, 1)}, "was bought on 15 January 2026"),
        ({"month": MAY}, "cannot be complete"),
        ({"subscription_id": 0}, "no such Azure plan"),
    ],
)
def test_what_cannot_be_taken_is_refused_with_what_to_do(desk, fields, words):
    assert words in refusal(desk, **fields)


def test_a_plan_of_somebody_else_and_one_that_is_no_azure_plan_are_not_there(desk, cast):
    theirs = azure_plan(cast.other_csp)
    licence = Subscription.objects.exclude(variant__offer__category="azure_plan").get()
    for plan in (theirs, licence):
        assert "no such Azure plan" in refusal(desk, subscription_id=plan.pk)


def test_what_comes_in_again_unchanged_writes_nothing(desk):
    entered(desk, APRIL)
    before, audited = AzureMonth.objects.get().entered_at, AuditEntry.objects.count()
    desk.clock.wait(60)
    [judged] = enter_all(desk, [an_amount(desk, APRIL)])
    assert (judged.outcome, AzureMonth.objects.get().entered_at, AuditEntry.objects.count()) == (
        "unchanged",
        before,
        audited,
    )


def test_a_correction_is_audited_with_what_was_there_before(desk):
    entered(desk, APRIL)
    entered(desk, APRIL, "90.00", price=Decimal("99.999"))
    row, entry = AzureMonth.objects.get(), AuditEntry.objects.filter(name="Enter Azure Month").latest("pk")
    assert (row.cost, row.price, row.price_rule) == (90, HUNDRED, "")
    assert (entry.before["price"], entry.after["price"]) == ("120.0000", "100.00")


def test_one_plan_and_month_twice_in_one_go_counts_once(desk):
    first, second = enter_all(desk, [an_amount(desk, APRIL), an_amount(desk, APRIL, "5.00")])
    assert (first.outcome, second.outcome) == ("created", "refused")


def test_a_margin_on_the_retail_price_asks_for_it(desk):
    MarginRule.objects.update(kind="erp_discount", percent=10)
    assert "retail amount" in refusal(desk)
    assert entered(desk, APRIL, retail=Decimal(150)).price == 135
    MarginRule.objects.update(kind="markup", percent=20)
    MarginSettings.objects.create(organization=desk.cast.csp, markup_limit=True)
    assert enter_all(desk, [an_amount(desk, APRIL)])[0].outcome == "refused"
    assert entered(desk, APRIL, "101.00", price=Decimal(110)).price == 110


def test_a_reseller_never_sees_what_its_csp_pays(cast, db):
    plan = azure_plan(cast.reseller)
    MarginRule.objects.create(organization=cast.csp, audience="resellers", kind="markup", percent=Decimal(10))
    amount = Amount(plan.pk, APRIL, Decimal(300), Decimal(100), "EUR", is_complete=True)
    from portal.audit import Actor
    from syncops.azure.entering import enter
    from tests.syncops.desk import NOON

    enter(cast.reseller, [amount], IMPORT, actor=Actor.system("import"), today=NOON.date(), now=NOON)
    row = AzureMonth.objects.get()
    assert (row.cost, row.price) == (440, 528)  # 400 plus 10 %, then plus 20 %
    assert (row.usage_cost, row.reservations_cost) == (330, 110)
    assert "400" not in str(AuditEntry.objects.get(name="Enter Azure Month").after)


def test_plans_are_found_by_their_ids_at_microsoft(desk, cast):
    for name in ("one", "other"):
        azure_plan(cast.csp, name, customer=make_customer(cast.csp, name))
    Subscription.objects.filter(external_id__in=("one", "other")).update(external_id="twice")
    assert plans_of(cast.csp, external_ids=["Azure plan", "twice", "none"]) == {"Azure plan": desk.subscription.pk}


@pytest.mark.parametrize(
    "fields", [{"month": date(2026, 4, 2)}, {"price": -1}, {"currency": "USD"}, {"operation": True}, {}], ids=str
)
def test_the_database_itself_refuses_what_must_not_be(desk, fields):
    row = entered(desk, APRIL)
    if "currency" in fields:
        fields = fields | {"connection": Connection.objects.get()}
    if "operation" in fields:
        fields = {"operation": desk.subscription.operations.first()}
    row.pk = row.pk if fields else None  # or the same plan and month once more
    for name, value in fields.items():
        setattr(row, name, value)
    with pytest.raises(IntegrityError), transaction.atomic():
        row.save()


def test_a_filter_and_a_badge_mean_the_same_state(desk):
    """Every combination of what decides: the state of a row, and the condition that finds rows in it."""
    desk.clock.now = desk.clock.now.replace(month=6)
    send(desk, entered(desk, MAY))
    values = product(
        ("queued", "failed", "succeeded", "dismissed", "superseded"),
        (None, desk.clock.now),
        (None, desk.clock.now),
        (True, False),
        (("120", "120"), ("0", "0"), ("0", "120")),
    )
    from syncops.models import SyncOperation

    for state, set_at, posted_at, complete, (price, sent) in values:
        SyncOperation.objects.filter(pk=AzureMonth.objects.get().operation_id).update(state=state)
        cost = Decimal(0) if price == "0" else HUNDRED
        AzureMonth.objects.update(
            set_at=set_at, posted_at=posted_at, is_complete=complete, price=price, cost=cost, sent_price=sent
        )
        shown = AzureMonth.objects.select_related("operation").get()
        found = [one for one in AzureMonth.State if AzureMonth.objects.filter(in_state(one)).exists()]
        assert found == [shown.state], (state, set_at, posted_at, complete, price, sent)


@given(st.decimals(0, 9_999_999, places=2), st.sampled_from(["", " ", ",", ".", "'", "\u00a0"]), st.sampled_from(",."))
def test_an_amount_is_read_as_it_was_meant_or_not_at_all(amount, thousands, point):
    text = f"{amount:,.2f}".replace(",", "T").replace(".", point).replace("T", thousands)
    if thousands == point:
        return
    assert money_of(text) == amount


@pytest.mark.parametrize("text", ["1,234", "12.345,6.7", "abc", "1e5", "", "--1", "1,23,456", "1.234.56", "∞", "१२"])
def test_what_can_be_read_in_two_ways_or_none_is_refused(text):
    with pytest.raises(NotRead):
        money_of(text)


def test_months_are_read_as_they_are_written():
    assert month_of("2026-05") == month_of("2026-05-31") == month_of("2026-5") == MAY
    for text in ("05/2026", "2026-13", "0026-05", "May", ""):
        with pytest.raises(NotRead):
            month_of(text)


@given(st.dates(date(2026, 1, 1), date(2026, 12, 31)), st.dates(date(2026, 1, 1), date(2026, 12, 31)), st.booleans())
def test_only_a_month_between_purchase_and_today_is_taken(day, today, complete):
    amount = Amount(1, day.replace(day=1), HUNDRED, Decimal(0), "EUR", is_complete=complete)
    problem = problem_of(amount, currency="EUR", bought_on=date(2026, 3, 15), today=today)
    fits = date(2026, 3, 1) <= amount.month <= today.replace(day=1)
    running = complete and amount.month == today.replace(day=1)
    assert (problem == "") == (fits and not running)
