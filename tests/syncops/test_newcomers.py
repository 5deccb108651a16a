"""New subscriptions of mapped customers and offers, mapped without a click where the policy says so."""

from datetime import timedelta

import pytest
from django.urls import reverse

from connections.models import MirroredContract
from mappings.actions import choose_default_contract
from mappings.models import CustomerMapping, OfferMapping, SubscriptionMapping
from mappings.resolve import contract_of
from portal.audit import Actor
from portal.models import AuditEntry
from syncops import newcomers
from syncops.models import Newcomer, SyncOperation
from tests.cast import make_subscription
from tests.fake_psa import a_contract
from tests.mappings.mirror import company_row, contract_row, make_connection, service_row
from tests.syncops.desk import NOON

State = Newcomer.State


@pytest.fixture
def mapping(desk, time_machine):
    """Customer and offer are mapped, and the policy is on; nothing is bought yet."""
    time_machine.move_to(NOON, tick=False)
    desk.decide(map_new_subscriptions=True)
    desk.connection.refresh_from_db()
    company_row(desk.connection)
    service_row(desk.connection)
    here = {"connection": desk.connection, "created_at": NOON}
    CustomerMapping.objects.create(customer=desk.subscription.customer, company_id=1, company_name="Contoso", **here)
    OfferMapping.objects.create(variant=desk.subscription.variant, service_id=10, service_name="Basic", **here)
    return desk


def work(desk):
    newcomers.map_newcomers(clock=lambda: desk.clock.now, psa=lambda connection, **how: desk.psa)


def come(desk):
    """Microsoft provisioned it."""
    desk.record("activated", status="active")
    work(desk)
    return Newcomer.objects.get()


def another_contract(desk):
    desk.psa.put_contract(a_contract(101, "Another"))
    return contract_row(desk.connection, 101, "Another")


def test_a_new_subscription_is_mapped_billed_and_announced_without_a_click(mapping):
    row = come(mapping)
    mapping.drain()
    assert (row.state, row.contract_name) == (State.MAPPED, "Microsoft 365 (CSP)")
    assert mapping.units(mapping.today) == 10
    entry = AuditEntry.objects.get(name="Trigger Subscription Mapping To Connection", status="in_progress")
    assert entry.actor_label == "system: new subscriptions"


def test_where_the_policy_is_off_nothing_is_even_written_down(mapping):
    mapping.decide()
    mapping.record("activated", status="active")
    assert not Newcomer.objects.exists()


def test_the_default_contract_of_its_customer_and_period_takes_it(mapping):
    contract = contract_of(another_contract(mapping))
    who = {"actor": Actor.user(mapping.cast.admin), "at": NOON}
    customer = mapping.subscription.customer
    choose_default_contract(connection=mapping.connection, customer=customer, contract=contract, **who)
    assert come(mapping).contract_name == "Another"


def two_contracts(desk):
    another_contract(desk)


def a_line_is_there(desk):
    desk.psa.add_line(100, 10, units=10)


def no_customer(desk):
    CustomerMapping.objects.all().delete()


def two_policies(desk):
    make_connection(desk.cast.csp, "Second", policies_json={"map_new_subscriptions": True})


def ended(desk):
    desk.psa.put_contract(a_contract(ends_on=desk.today - timedelta(days=1)))


@pytest.mark.parametrize(
    ("spoil", "why"),
    [
        (two_contracts, "2 contracts that can bill it"),
        (a_line_is_there, "holds a line of"),
        (no_customer, "is not mapped to a company yet"),
        (two_policies, "2 connections map new subscriptions"),
        (ended, "ended on"),
    ],
)
def test_what_is_not_certain_is_left_to_a_person_and_the_reason_said(mapping, spoil, why):
    spoil(mapping)
    row = come(mapping)
    assert (row.state, SubscriptionMapping.objects.count()) == (State.LEFT, 0)
    assert why in row.reasons[0][0]


def test_one_that_was_bought_long_ago_is_not_new_and_a_person_chooses_from_when_it_is_billed(mapping):
    mapping.subscription.created_on = mapping.today - timedelta(days=40)
    mapping.subscription.save(update_fields=["created_on"])
    mapping.record("activated", status="active")
    assert not Newcomer.objects.exists()


def test_one_that_waited_too_long_is_left_to_a_person(mapping):
    mapping.record("activated", status="active")
    mapping.clock.now += timedelta(days=40)
    work(mapping)
    assert "so it is not a new one" in Newcomer.objects.get().reasons[0][0]


def test_many_at_once_from_an_import_are_taken_in_once(mapping):
    first = mapping.subscription
    rows = [first] + [
        make_subscription(first.customer, first.variant, created_on=mapping.today, external_id=f"SUB-{number}")
        for number in (2, 3)
    ]
    assert newcomers.take_in(rows, at=NOON) == 3
    assert newcomers.take_in(rows, at=NOON) == 0
    work(mapping)
    mapping.drain()
    assert SubscriptionMapping.objects.values("line_id").distinct().count() == 3
    work(mapping)
    assert SyncOperation.objects.count() == 3


def test_a_worker_that_died_after_mapping_it_announces_it_all_the_same(mapping, monkeypatch):
    monkeypatch.setattr(newcomers.leases, "settle", lambda *about, **how: pytest.fail("killed"))
    with pytest.raises(pytest.fail.Exception):
        come(mapping)
    monkeypatch.undo()
    mapping.clock.wait(600)
    work(mapping)
    assert (Newcomer.objects.get().state, SubscriptionMapping.objects.count()) == (State.MAPPED, 1)


def test_where_autotask_is_away_it_is_tried_again(mapping):
    mapping.psa.fail_next("contract", "unavailable")
    assert come(mapping).state == State.EXPECTED
    mapping.clock.wait(60)
    work(mapping)
    assert Newcomer.objects.get().state == State.MAPPED


@pytest.fixture
def inbox(mapping, as_user):
    another_contract(mapping)
    come(mapping)
    return as_user(mapping.cast.operations)


def test_the_inbox_names_it_until_somebody_has_seen_it(inbox, mapping):
    page = inbox.get(reverse("syncops:inbox")).content.decode()
    assert "2 contracts that can bill it" in page
    inbox.post(reverse("syncops:newcomers_close"), {"through": Newcomer.objects.get().pk})
    assert "2 contracts that can bill it" not in inbox.get(reverse("syncops:inbox")).content.decode()
    assert AuditEntry.objects.filter(name="Close New Subscriptions").count() == 1


def test_tried_again_it_is_mapped_once_the_obstacle_is_gone(inbox, mapping):
    MirroredContract.objects.filter(remote_id=101).delete()
    inbox.post(reverse("syncops:newcomers_retry"))
    work(mapping)
    assert Newcomer.objects.get().state == State.MAPPED
    page = inbox.get(reverse("syncops:inbox")).content.decode()
    assert reverse("syncops:mapping_end", args=[mapping.subscription.pk]) in page


def test_one_that_a_person_maps_is_no_news_any_more(inbox, mapping):
    mapping.map()
    assert "2 contracts" not in inbox.get(reverse("syncops:inbox")).content.decode()


def test_readers_and_others_close_nothing(inbox, mapping, as_user):
    pk = Newcomer.objects.get().pk
    for user, status in ((mapping.cast.reader, 403), (mapping.cast.stranger, 302), (mapping.cast.reseller_admin, 302)):
        for name in ("newcomers_close", "newcomers_retry"):
            assert as_user(user).post(reverse(f"syncops:{name}"), {"through": pk}).status_code == status
    assert Newcomer.objects.get().state == State.LEFT
