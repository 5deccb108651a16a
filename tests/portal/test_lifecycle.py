"""What became of a subscription: the row, the fact and the audit entry together, and each fact once."""

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

from portal.actions import lifecycle
from portal.actions.lifecycle import Learned, UpgradedPart
from portal.audit import Actor
from portal.models import AuditEntry, Subscription, SubscriptionChange
from tests.cast import make_customer, make_subscription, make_variant
from tests.portal.purchases import NOW

LEARNED = Learned(date(2026, 5, 10), "partner_center", Actor.system("Partner Center"), NOW)


@pytest.fixture
def subscription(cast, changes) -> Subscription:
    return make_subscription(make_customer(cast.csp), make_variant(cast.csp))


@pytest.mark.parametrize(
    ("verb", "kind", "status", "name"),
    [
        (lifecycle.record_cancelled, "cancelled", "deleted", "Cancel Subscription"),
        (lifecycle.record_suspended, "suspended", "suspended", "Suspend Subscription"),
        (lifecycle.record_migrated, "migrated", "deleted", "Migrate Subscription"),
    ],
)
def test_the_status_the_fact_and_the_entry_come_together_and_once(subscription, verb, kind, status, name):
    change = verb(subscription, LEARNED)
    assert verb(subscription, LEARNED) is None
    assert Subscription.objects.get().status == status
    assert (change.kind, change.effective_on, change.before) == (kind, LEARNED.on, {"status": "active"})
    entry = AuditEntry.objects.get(name=name)
    assert (entry.correlation_id, entry.after["effective"]) == (change.correlation_id, "2026-05-10")


def test_suspended_and_reactivated_again(subscription):
    lifecycle.record_suspended(subscription, LEARNED)
    assert lifecycle.record_reactivated(subscription, LEARNED).before == {"status": "suspended"}
    assert Subscription.objects.get().status == "active"


def test_only_what_is_new_of_name_and_renewal_is_recorded(subscription):
    assert lifecycle.record_details(subscription, LEARNED, auto_renew=True) is None
    change = lifecycle.record_details(subscription, LEARNED, friendly_name="Sales")
    assert (change.before, change.after) == (
        {"friendly_name": "Microsoft 365 Business Basic"},
        {"friendly_name": "Sales"},
    )


def test_a_renamed_subscription_is_found_by_its_new_name(subscription):
    lifecycle.record_details(subscription, LEARNED, friendly_name="Büro")
    assert Subscription.objects.get().search_text == "buro microsoft 365 business basic"


def test_a_renewal_brings_the_new_term_and_its_prices(subscription):
    lifecycle.record_renewed(
        subscription,
        LEARNED,
        starts_on=date(2027, 5, 1),
        ends_on=date(2028, 4, 30),
        list_price=Decimal("4.20"),
        erp=Decimal("5.25"),
    )
    row = Subscription.objects.get()
    assert (row.starts_on, row.ends_on, row.list_price) == (date(2027, 5, 1), date(2028, 4, 30), Decimal("4.20"))


def test_a_full_upgrade_keeps_the_id_and_changes_the_offer(cast, subscription):
    better = make_variant(cast.csp, title="Microsoft 365 E5")
    change = lifecycle.record_upgraded(subscription, LEARNED, to=better, list_price=Decimal(40), erp=Decimal(50))
    row = Subscription.objects.get()
    assert (row.variant, row.external_id, row.quantity) == (better, subscription.external_id, 10)
    assert change.after["variant_id"] == better.pk


@pytest.fixture
def part(cast):
    better = make_variant(cast.csp, title="Microsoft 365 E5")
    return UpgradedPart("SUB-NEW", 6, better, list_price=Decimal(30), erp=Decimal(40))


def test_a_partial_upgrade_leaves_the_rest_and_makes_the_other_subscription(subscription, part):
    change = lifecycle.record_upgraded_in_part(subscription, LEARNED, staying=4, part=part)
    old, new = Subscription.objects.order_by("pk")
    assert [(row.external_id, row.quantity) for row in (old, new)] == [(old.external_id, 4), ("SUB-NEW", 6)]
    assert (new.customer, new.organization, new.variant, new.erp) == (
        old.customer,
        old.organization,
        part.variant,
        Decimal(40),
    )
    assert (new.starts_on, new.ends_on, new.currency) == (LEARNED.on, old.ends_on, old.currency)
    assert {one.subscription for one in SubscriptionChange.objects.filter(correlation_id=change.correlation_id)} == {
        old,
        new,
    }
    assert AuditEntry.objects.get(name="Upgrade Subscription").after["went_to"] == "SUB-NEW"


def test_the_same_partial_upgrade_is_recorded_once_and_the_next_one_grows_the_other(subscription, part):
    lifecycle.record_upgraded_in_part(subscription, LEARNED, staying=4, part=part)
    assert lifecycle.record_upgraded_in_part(subscription, LEARNED, staying=4, part=part) is None
    lifecycle.record_upgraded_in_part(subscription, LEARNED, staying=1, part=replace(part, quantity=9))
    assert list(Subscription.objects.order_by("pk").values_list("quantity", flat=True)) == [1, 9]
    assert SubscriptionChange.objects.filter(subscription__external_id="SUB-NEW").latest("pk").before == {"quantity": 6}


def test_a_part_is_no_part_where_nothing_stays_or_nothing_leaves(subscription, part):
    for staying, external_id in ((0, "SUB-NEW"), (4, ""), (4, subscription.external_id)):
        with pytest.raises(ValueError, match="a part of the seats stays"):
            lifecycle.record_upgraded_in_part(
                subscription, LEARNED, staying=staying, part=replace(part, external_id=external_id)
            )
    assert not SubscriptionChange.objects.exists()


def test_another_billing_frequency_brings_its_own_prices(cast, subscription):
    yearly = make_variant(cast.csp, title="Yearly", billing="annual")
    lifecycle.record_billing_cycle(subscription, LEARNED, to=yearly, list_price=Decimal(48), erp=Decimal(60))
    assert (Subscription.objects.get().variant, Subscription.objects.get().list_price) == (yearly, Decimal(48))


def test_a_hand_over_stays_inside_the_tenant_and_is_the_old_owners_entry(cast, subscription):
    lifecycle.record_reseller(subscription, LEARNED, to=cast.reseller)
    assert Subscription.objects.get().organization == cast.reseller
    assert AuditEntry.objects.get(name="Change Reseller").organization == cast.csp
    with pytest.raises(ValueError, match="another tenant"):
        lifecycle.record_reseller(subscription, LEARNED, to=cast.other_csp)


def test_what_fails_on_the_way_leaves_nothing_behind(subscription, settings):
    settings.PORTAL_CHANGE_LISTENERS = ["tests.portal.test_change_recorded.break_down"]
    with pytest.raises(ZeroDivisionError):
        lifecycle.record_cancelled(subscription, LEARNED)
    assert Subscription.objects.get().status == "active"
    assert not SubscriptionChange.objects.exists()
    assert not AuditEntry.objects.exists()
