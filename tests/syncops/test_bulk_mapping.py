"""Which subscriptions have one certain place, from when they are billed, and why the others are left to a person."""

from datetime import date

import pytest
from django.db import connection as database
from django.test.utils import CaptureQueriesContext

from connections.models import MirroredLine
from mappings.actions import choose_default_contract, map_customer, map_offer
from mappings.models import DefaultContract
from portal.audit import Actor
from portal.models import Subscription
from syncops.bulk_mapping import candidates, mappable, rehearse, unmapped
from syncops.preview import first_day_billed
from tests.cast import TODAY, make_customer, make_subscription, make_variant
from tests.fake_psa import a_company, a_contract, a_service
from tests.mappings.mirror import READ_AT, company_row, contract_row, service_row
from tests.syncops.desk import NOON


@pytest.fixture
def known(desk):
    """A desk whose customer and offer are mapped, and whose mirror is filled; nothing is on a contract yet."""
    common = {"connection": desk.connection, "actor": Actor.user(desk.cast.admin), "at": NOON}
    company_row(desk.connection), service_row(desk.connection)
    Subscription.objects.update(created_on=date(2026, 5, 1))
    desk.subscription.refresh_from_db()
    map_customer(customer=desk.subscription.customer, company=a_company(), **common)
    map_offer(variant=desk.subscription.variant, service=a_service(), **common)
    return desk


def judged(desk, *rows, since="today"):
    found = list(
        mappable(desk.connection).filter(pk__in=[row.pk for row in rows or [desk.subscription]]).order_by("pk")
    )
    return candidates(desk.connection, found, since=since, today=TODAY)


def codes(candidate):
    return [one.code for one in candidate.reasons]


def test_a_mapped_customer_a_mapped_offer_and_one_contract_make_it_certain(known):
    (one,) = judged(known)
    assert (one.state, one.contract.id, one.first_day) == ("Suggested", 100, TODAY)
    assert (one.choice.company_id, one.choice.service_id, one.choice.contract_id) == (1, 10, 100)


def test_what_is_not_mapped_yet_is_named(desk):
    (one,) = judged(desk)
    assert codes(one) == ["customer_not_mapped", "offer_not_mapped"]


def test_several_contracts_are_a_choice_until_one_is_the_default(known):
    contract_row(known.connection, 101, "Second")
    (one,) = judged(known)
    assert (one.state, codes(one)) == ("Conflict", ["several_contracts"])
    assert sorted(each.id for each in one.contracts) == [100, 101]
    common = {"connection": known.connection, "actor": Actor.user(known.cast.admin), "at": NOON}
    for contract in (a_contract(), a_contract(101, "Second")):
        choose_default_contract(customer=known.subscription.customer, contract=contract, **common)
    (one,) = judged(known)
    assert one.contract.id == 101
    assert DefaultContract.objects.count() == 1


def test_a_default_contract_that_ended_does_not_count(known):
    contract_row(known.connection, 101, "Ended", ends_on=date(2026, 5, 1))
    chosen = {"contract": a_contract(101, "Ended"), "actor": Actor.user(known.cast.admin), "at": NOON}
    choose_default_contract(connection=known.connection, customer=known.subscription.customer, **chosen)
    (one,) = judged(known)
    assert one.contract.id == 100


def test_a_company_without_a_fitting_contract_says_so(known):
    annual = make_subscription(known.subscription.customer, make_variant(known.cast.csp, "Yearly", billing="annual"))
    map_offer(
        connection=known.connection,
        variant=annual.variant,
        service=a_service(11, "Yearly", period="yearly"),
        actor=Actor.user(known.cast.admin),
        at=NOON,
    )
    (one,) = judged(known, annual)
    assert codes(one) == ["no_contract"]


def test_what_is_over_or_billed_by_others_is_not_asked_for(known):
    known.map()
    over = make_subscription(known.subscription.customer, known.subscription.variant, status="deleted")
    theirs = make_subscription(make_customer(known.cast.reseller), known.subscription.variant)
    rows = mappable(known.connection)
    assert not rows.filter(pk__in=[over.pk, theirs.pk]).exists()
    assert not unmapped(rows).filter(pk=known.subscription.pk).exists()


@pytest.mark.parametrize(
    ("since", "bought", "starts", "day"),
    [
        ("today", date(2026, 2, 3), date(2026, 4, 20), date(2026, 5, 10)),
        ("open_period", date(2026, 2, 3), date(2026, 4, 20), date(2026, 5, 1)),
        ("open_period", date(2026, 5, 6), date(2026, 5, 6), date(2026, 5, 6)),
        ("term", date(2026, 2, 3), date(2026, 4, 20), date(2026, 4, 20)),
        ("term", date(2025, 2, 3), date(2025, 8, 3), date(2026, 1, 1)),
        ("today", date(2026, 5, 10), date(2026, 5, 10), date(2026, 5, 10)),
    ],
    ids=["today", "period", "bought in the period", "term", "before the contract", "bought today"],
)
def test_the_first_day_billed_is_the_one_chosen_and_never_outside_the_contract(desk, since, bought, starts, day):
    desk.subscription.created_on, desk.subscription.starts_on = bought, starts
    assert first_day_billed(desk.subscription, a_contract(), TODAY, since) == day


def test_a_rehearsal_tells_the_line_and_the_next_two_bills_from_the_mirror_alone(known):
    (one,) = judged(known, since="open_period")
    preview = rehearse(one, today=TODAY)
    assert known.psa.calls == []
    assert (preview.units, preview.effective) == (10, date(2026, 5, 1))
    assert [(bill.label, bill.before, bill.after) for bill in preview.bills] == [
        ("This period", 0, preview.unit_price * 10),
        ("Next period", 0, preview.unit_price * 10),
    ]


def test_a_rehearsal_finds_the_line_that_is_there_already(known):
    MirroredLine.objects.create(
        connection=known.connection, remote_id=5, contract_remote_id=100, service_remote_id=10, read_at=READ_AT
    )
    (one,) = judged(known)
    assert rehearse(one, today=TODAY).needs_line_choice


def test_judging_takes_as_many_queries_for_ten_as_for_twenty(known):
    rows, counts = [], []
    for _ in range(2):
        rows += [
            make_subscription(make_customer(known.cast.csp, f"C{len(rows)}{n}"), known.subscription.variant)
            for n in range(10)
        ]
        found = list(mappable(known.connection).filter(pk__in=[row.pk for row in rows]))
        with CaptureQueriesContext(database) as queries:
            candidates(known.connection, found, since="today", today=TODAY)
        counts.append(len(queries))
    assert counts[0] == counts[1] <= 3
