"""On one contract an offer is billed as another service from a day on: every line of it moves, and moves back."""

from datetime import date, timedelta

import pytest
from django.db import IntegrityError, transaction

from connections.models import MirroredService
from mappings.actions import map_offer
from mappings.models import OfferMapping, ServiceOverride, SubscriptionMapping
from mappings.resolve import service_of
from portal.audit import Actor, breaks
from portal.models import AuditEntry
from syncops import overriding
from syncops.actions import NotPossible, Refused
from syncops.bulk_mapping import candidates, mappable
from syncops.models import SyncOperation
from syncops.overriding import Asked
from tests.cast import make_subscription, make_variant
from tests.fake_psa import a_service
from tests.mappings.mirror import service_row
from tests.syncops.test_remapping import seats

MAY_12, MAY_15, MAY_20 = (date(2026, 5, day) for day in (12, 15, 20))


@pytest.fixture
def billing(mapped):
    """Ten days later, with another service that fits."""
    mapped.today += timedelta(days=10)
    mapped.psa._services[11] = a_service(11, "Basic for Contoso")
    service_row(mapped.connection), service_row(mapped.connection, 11, "Basic for Contoso")
    return mapped


def asked(desk, service_id=11, day=MAY_15, **fields):
    mapping = (
        SubscriptionMapping.objects.open().select_related(*overriding.RELATED).filter(subscription=desk.subscription)
    )
    service = service_of(MirroredService.objects.get(connection=desk.connection, remote_id=service_id))
    return Asked(mapping.get(), service, day, "A price of its own", **fields)


def bill(desk, service_id=11, day=MAY_15, **fields):
    wanted = asked(desk, service_id, day, **fields)
    who = {"actor": Actor.user(desk.cast.admin), "today": desk.today, "now": desk.clock.now}
    overriding.bill_as(wanted, overriding.read(wanted, desk.psa), **who)
    desk.drain()


def preview(desk, **fields):
    wanted = asked(desk, **fields)
    return overriding.preview(wanted, overriding.read(wanted, desk.psa), today=desk.today, now=desk.clock.now)


def test_the_new_line_goes_up_first_and_the_old_one_to_zero_on_that_day(billing):
    (seen,) = preview(billing)
    assert not ServiceOverride.objects.exists()
    assert [(str(one.effective), one.unit_change) for one in seen.put.adjustments] == [("2026-05-15", 10)]
    bill(billing)
    assert seats(billing, MAY_12, MAY_15) == [(10, 0), (0, 10)]
    assert [one.unit_change for one in billing.psa.applied] == [10, -10]
    assert OfferMapping.objects.get().service_id == 10
    entry = AuditEntry.objects.get(name="Bill Offer As Another Service")
    assert (entry.asked["service"], entry.asked["reason"]) == ("Basic for Contoso", "A price of its own")
    assert list(breaks(billing.cast.csp)) == []


def test_late_and_later_changes_go_to_the_line_that_was_valid_on_their_date(billing):
    bill(billing)
    billing.change_quantity(12, MAY_12)
    billing.drain()
    billing.change_quantity(15, MAY_20)
    billing.drain()
    assert {one.state for one in SyncOperation.objects.all()} == {"succeeded"}
    assert seats(billing, MAY_12, MAY_20) == [(12, 0), (0, 15)]


def test_it_ends_by_going_back_to_the_mapped_service_and_a_second_click_does_nothing(billing):
    bill(billing)
    bill(billing)
    assert ServiceOverride.objects.count() == 1
    bill(billing, 10, MAY_20)
    bill(billing, 10, MAY_20)
    old = SubscriptionMapping.objects.order_by("pk").first()
    assert SubscriptionMapping.objects.open().get().service_id == 10
    assert [billing.psa.units_on(old.line_id, day) for day in (MAY_12, MAY_15, MAY_20)] == [10, 0, 10]
    assert str(ServiceOverride.objects.get().ends_before) == "2026-05-20"
    assert SubscriptionMapping.objects.count() == 3


def test_every_subscription_of_the_offer_on_the_contract_moves_or_none(billing):
    days = {"created_on": billing.today, "starts_on": billing.today}
    second = make_subscription(billing.subscription.customer, billing.subscription.variant, 3, **days)
    billing.map(subscription_id=second.pk, add_beside=True)
    billing.drain()
    with pytest.raises(NotPossible):
        bill(billing, day=MAY_12)  # the second is billed from the 20th on
    assert not ServiceOverride.objects.exists()
    bill(billing, day=MAY_20)
    assert {one.service_id for one in SubscriptionMapping.objects.open()} == {11}


def test_new_ones_on_that_contract_are_billed_as_it_says_and_no_other_way(billing):
    bill(billing)
    second = make_subscription(billing.subscription.customer, billing.subscription.variant, 3, created_on=billing.today)
    with pytest.raises(Refused, match="Basic for Contoso"):
        billing.map(subscription_id=second.pk, add_beside=True)
    rows = list(mappable(billing.connection).filter(pk=second.pk))
    (one,) = candidates(billing.connection, rows, since="today", today=billing.today)
    assert (one.choice.service_id, one.service_name) == (11, "Basic for Contoso")
    billing.map(subscription_id=second.pk, service_id=11, add_beside=True)
    billing.drain()
    assert OfferMapping.objects.get().service_id == 10


@pytest.mark.parametrize(
    ("fields", "words"),
    [({"period": "yearly"}, "Basic for Contoso has the period type"), ({"is_active": False}, "is inactive")],
)
def test_a_service_that_is_not_eligible_is_refused(billing, fields, words):
    billing.psa._services[11] = a_service(11, "Basic for Contoso", **fields)
    assert words in overriding.refusals(preview(billing))[0]
    with pytest.raises(Refused, match=words):
        bill(billing)
    assert not ServiceOverride.objects.exists()


def test_services_of_other_offers_are_not_offered(billing):
    common = {"connection": billing.connection, "actor": Actor.user(billing.cast.admin), "at": billing.clock.now}
    mapping = asked(billing).mapping
    assert [one.id for one in overriding.eligible(mapping, "", billing.today, 20)] == [11]
    map_offer(variant=make_variant(billing.cast.csp, "Visio"), service=a_service(11), **common)
    assert overriding.eligible(mapping, "", billing.today, 20) == []


def test_a_line_of_that_service_that_is_there_is_never_joined_in_silence(billing):
    billing.psa.add_line(100, 11, units=4)
    (seen,) = preview(billing)
    assert seen.needs_line_choice
    with pytest.raises(Refused):
        bill(billing)
    bill(billing, beside=True)
    assert SubscriptionMapping.objects.open().get().service_id == 11


def test_the_database_keeps_one_open_for_an_offer_on_a_contract(billing):
    bill(billing)
    held = ServiceOverride.objects.get()
    for wrong in ({}, {"reason": "", "ends_before": MAY_20}, {"ends_before": MAY_12}):
        held.pk, held._state.adding, held.reason, held.ends_before = None, True, "x", None
        for name, value in wrong.items():
            setattr(held, name, value)
        with pytest.raises(IntegrityError), transaction.atomic():
            held.save(force_insert=True)
