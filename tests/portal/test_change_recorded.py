"""Recording a change: the row, the version, the fact, and whoever listens, in one transaction."""

from datetime import date
from decimal import Decimal

import pytest

from portal.actions.subscriptions import record_change
from portal.audit import Actor
from portal.models import Subscription, SubscriptionChange
from tests.cast import make_customer, make_subscription, make_variant
from tests.portal.purchases import NOW


@pytest.fixture
def subscription(cast) -> Subscription:
    return make_subscription(make_customer(cast.csp), make_variant(cast.csp))


def change(subscription, **more) -> SubscriptionChange:
    facts = {
        "kind": "quantity_changed",
        "effective_on": date(2026, 5, 10),
        "source": "portal",
        "after": {"quantity": 12},
        "actor": Actor.system("test"),
        "at": NOW,
    }
    return record_change(subscription, **(facts | more))


def test_only_the_given_fields_and_the_version_change(subscription, changes):
    before = Subscription.objects.values().get()
    change(subscription, after={"quantity": 12, "list_price": Decimal("4.10")})
    assert Subscription.objects.values().get() == before | {
        "quantity": 12,
        "list_price": Decimal("4.1000"),
        "version": 2,
    }
    assert (subscription.quantity, subscription.version) == (12, 2)


def test_the_change_keeps_what_was_and_what_is(subscription, changes):
    made = change(subscription, after={"quantity": 12, "ends_on": date(2028, 1, 31)})
    made.refresh_from_db()
    assert made.before == {"quantity": 10, "ends_on": "2027-04-30"}
    assert made.after == {"quantity": 12, "ends_on": "2028-01-31"}
    assert (made.actor, made.recorded_at) == (None, NOW)


def test_a_stale_row_in_hand_neither_hides_nor_undoes_what_others_recorded(subscription, changes):
    stale = Subscription.objects.get()
    change(subscription, after={"quantity": 12})
    made = change(stale, kind="details_changed", after={"friendly_name": "Desk"})
    row = Subscription.objects.get()
    assert (row.quantity, row.friendly_name, row.version) == (12, "Desk", 3)
    assert made.before == {"friendly_name": "Microsoft 365 Business Basic"}


def test_what_is_no_field_is_kept_with_the_change_alone(subscription, changes):
    made = change(subscription, kind="price_changed", after={"unit_price": Decimal("5.50")}, before={})
    assert (made.before, made.after) == ({}, {"unit_price": "5.50"})
    assert Subscription.objects.get().version == 2


def test_listeners_hear_of_the_change_inside_the_transaction(subscription, changes):
    made = change(subscription)
    assert changes == [made]
    assert changes[0].subscription.quantity == 12


def test_a_listener_that_breaks_takes_the_change_with_it(subscription, settings):
    settings.PORTAL_CHANGE_LISTENERS = ["tests.portal.test_change_recorded.break_down"]
    with pytest.raises(ZeroDivisionError):
        change(subscription)
    assert Subscription.objects.get().quantity == 10
    assert not SubscriptionChange.objects.exists()


def break_down(change: SubscriptionChange) -> None:
    raise ZeroDivisionError
