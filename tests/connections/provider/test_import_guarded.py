"""What an import must not conclude: orders of ours on their way, things that vanish, answers that lie, dead workers."""

import pytest

from connections.models import Hint, ProviderCustomer, ProviderImport
from connections.provider.partner_center import importer, missing
from connections.refusals import Refused
from portal.actions.orders import advance_order
from portal.audit import Actor
from portal.far_side import Unauthorized
from portal.models import Customer, OfferVariant, Order, Subscription
from tests.connections.provider.imports import Importing
from tests.portal.purchases import make_order


@pytest.fixture(autouse=True)
def nobody_listens(settings):
    settings.PORTAL_CHANGE_LISTENERS = []


@pytest.fixture
def importing(connection, far_side):
    importing = Importing(connection, far_side)
    importing.only("noordzee-logistics", "bakkerij-velde")
    importing.everything()
    return importing


def test_what_our_own_order_brings_is_left_to_the_order(importing, cast):
    customer = Customer.objects.get(name="Noordzee Logistics B.V.")
    known = Subscription.objects.exclude(external_id="").count()
    basic = OfferVariant.objects.get(offer__product_id="CFQ7TTC0LH18", term="P1Y", billing="monthly")
    basic.availability_id, basic.is_purchasable = "CFQ7TTC0876Z", True  # as the catalogue has it
    basic.save()
    order = make_order(cast.admin, basic, customer=customer)
    for _ in range(2):
        order.refresh_from_db()
        advance_order(order.pk, order.due_at)
    importing.far_side.advance(seconds=10)
    importing.clock.wait(days=1)
    importing.everything()
    assert Subscription.objects.exclude(external_id="").count() == known
    assert Hint.objects.waiting().count() == 1
    for _ in range(6):
        order.refresh_from_db()
        if order.state in Order.FINAL:
            break
        advance_order(order.pk, order.due_at)
        importing.far_side.advance(seconds=5)
    assert order.state == "completed"
    importing.clock.wait(minutes=5)
    importing.look()
    assert Subscription.objects.exclude(external_id="").count() == known + 1
    assert not Hint.objects.waiting().exists()


def test_a_customer_who_vanishes_with_all_subscriptions_waits_for_a_person(importing, cast):
    before = set(Subscription.objects.values_list("pk", "status"))
    importing.only("noordzee-logistics")
    importing.wait(days=1)
    row = importing.everything()
    assert row.state == "held"
    assert "no longer shows 4 of 12 subscriptions" in row.message
    assert set(Subscription.objects.values_list("pk", "status")) == before
    importer.decide_missing(row, actor=Actor.user(cast.admin), now=importing.clock())
    gone = Subscription.objects.filter(customer__name="Bakkerij Van der Velde")
    assert {one.status for one in gone} == {"deleted"}
    assert {change.kind for one in gone for change in one.changes.all()} == {"activated", "cancelled"}
    with pytest.raises(Refused):
        importer.decide_missing(row, actor=Actor.user(cast.admin), now=importing.clock())


def test_one_that_is_missing_among_many_counts_as_cancelled(importing, monkeypatch):
    monkeypatch.setattr(missing, "MOST_GONE", 5)  # one in five: there are twelve
    row = importing.subscription()
    importing.far_side.server.ledger.remove("subscription", row.external_id)
    importing.wait(days=1)
    assert (importing.everything().state, importing.subscription().status) == ("succeeded", "deleted")


def test_an_import_that_was_killed_goes_on_with_the_next_customer(importing):
    importing.wait(days=1)
    row = importer.start_import(importing.connection, now=importing.clock())
    before = importing.requests()
    row = importer.run_import(row.pk, clock=importing.clock, budget_s=0)  # a budget of nothing: one step each time
    steps = 1
    while row.state == "running":
        row = importer.run_import(row.pk, clock=importing.clock, budget_s=0)
        steps += 1
    assert (row.state, row.counts["subscriptions"]) == ("succeeded", 13)
    assert steps > 3
    assert importing.requests() - before <= 2 + 6 + 4 + 4  # prices, and a day later two new tokens


def test_a_worker_that_lost_its_lease_stores_nothing_more(importing):
    importing.wait(days=1)
    row = importer.start_import(importing.connection, now=importing.clock())

    def clock():
        ProviderImport.objects.filter(pk=row.pk, fence=1).update(fence=2)
        return importing.clock()

    stale = importer.run_import(row.pk, clock=clock)
    assert stale.state == "running"
    assert not ProviderCustomer.objects.filter(seen_at=row.started_at).exists()


def test_refused_credentials_end_it_and_say_so(importing):
    importing.far_side.control("tokens", {"revoke": "refresh"})
    importing.far_side.control("tokens", {"revoke": "access"})
    importing.wait(days=1)
    with pytest.raises(Unauthorized):
        importing.everything()
    row = ProviderImport.objects.latest("pk")
    assert (row.state, "refresh token" in row.message) == ("failed", True)


def test_a_far_side_that_is_away_is_asked_again_later(importing):
    importing.far_side.control("faults", {"fault": "error_503", "times": 9})
    importing.wait(days=1)
    row = importing.everything()
    assert row.state == "running"
    assert row.due_at > importing.clock()


def test_one_refused_customer_does_not_stop_the_others(importing):
    row = importing.subscription("bakkerij-velde", 1)
    importing.there(row, quantity=11)
    importing.far_side.server.ledger.remove("customer", Customer.objects.get(name__startswith="Noordzee").external_id)
    importing.wait(days=1)
    assert importing.everything().state == "held"
    assert importing.subscription("bakkerij-velde", 1).quantity == 11
