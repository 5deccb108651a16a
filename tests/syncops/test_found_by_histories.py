"""What random histories found: each of these billed something else than the changes ask for."""

from datetime import date
from decimal import Decimal

import pytest

from portal.actions import lifecycle
from portal.actions.lifecycle import Learned
from portal.audit import Actor
from portal.models import MarginRule
from syncops.actions import retry_operation
from syncops.ending import end_mapping
from syncops.models import Shortfall, SyncOperation
from tests.syncops.desk import TODAY, operation_of
from tests.syncops.test_moving import E5, sold_as

State = SyncOperation.State
MAY_14, MAY_15, MAY_20, MAY_22, JUNE_1 = (
    date(2026, 5, 14),
    date(2026, 5, 15),
    date(2026, 5, 20),
    date(2026, 5, 22),
    date(2026, 6, 1),
)


def learned(desk, day):
    return Learned(day, "partner_center", Actor.user(desk.cast.admin), desk.clock.now)


def units(desk, line, *days):
    return [desk.psa.units_on(line, day) for day in days]


@pytest.fixture
def upgraded(mapped):
    """10 seats that went on on another line on the 20th of May."""
    mapped.decide(upgrade="pair", reseller_change="hand_over")
    better = sold_as(mapped, E5, title="Microsoft 365 E5")
    lifecycle.record_upgraded(mapped.subscription, learned(mapped, MAY_20), to=better, list_price=Decimal(30))
    mapped.drain()
    mapped.old, mapped.new = mapped.subscription.mappings.order_by("pk").values_list("line_id", flat=True)
    return mapped


def test_a_quantity_known_after_an_upgrade_holds_on_the_new_line_too(upgraded):
    upgraded.change_quantity(12, MAY_15)
    upgraded.drain()
    assert units(upgraded, upgraded.old, MAY_14, MAY_15, MAY_20) == [10, 12, 0]
    assert units(upgraded, upgraded.new, MAY_15, MAY_20, JUNE_1) == [0, 12, 12]


def test_a_quantity_known_late_leaves_a_younger_one_alone(upgraded):
    upgraded.change_quantity(14, MAY_22)
    upgraded.drain()
    upgraded.change_quantity(12, MAY_15)
    upgraded.drain()
    assert units(upgraded, upgraded.new, MAY_20, MAY_22, JUNE_1) == [12, 14, 14]


def test_a_quantity_known_late_does_not_wait_for_the_next_period_where_it_goes_on(upgraded):
    upgraded.decide(upgrade="pair", seat_increase="next_period")
    upgraded.change_quantity(12, MAY_15)
    upgraded.drain()
    assert units(upgraded, upgraded.new, MAY_20, JUNE_1) == [12, 12]


def test_a_change_known_after_the_hand_over_is_sent_to_the_line_that_billed_it_then(mapped):
    mapped.decide(reseller_change="hand_over")
    lifecycle.record_reseller(mapped.subscription, learned(mapped, MAY_20), to=mapped.cast.reseller)
    mapped.drain()
    mapped.change_quantity(12, MAY_15)
    mapped.drain()
    line = mapped.subscription.mappings.get().line_id
    assert units(mapped, line, MAY_14, MAY_15, MAY_20, JUNE_1) == [10, 12, 0, 0]
    assert mapped.record("quantity_changed", MAY_20, quantity=15) is None


def test_a_price_known_after_the_hand_over_is_that_of_the_former_owner(mapped):
    """List 4, markup 50 %: the CSP sells at 6.00; the reseller's own margins are no business of this line."""
    mapped.decide(reseller_change="hand_over")
    customer = mapped.subscription.customer
    rules = {mapped.cast.csp: 50, mapped.cast.reseller: 80}
    for owner, percent in rules.items():
        MarginRule.objects.create(organization=owner, customer=customer, kind="markup", percent=Decimal(percent))
    lifecycle.record_reseller(mapped.subscription, learned(mapped, JUNE_1), to=mapped.cast.reseller)
    operation = mapped.record("price_changed", MAY_15)
    assert (operation.payload["price"], operation.payload["cost"]) == ("6.00", "4.00")


def test_a_change_of_before_it_was_left_alone_touches_a_line_no_more(mapped):
    actor, mapping = Actor.user(mapped.cast.admin), mapped.subscription.mappings.get()
    mapped.clock.wait(10 * 86400)
    end_mapping(mapping, day=MAY_20, set_to_zero=False, actor=actor, today=MAY_20, now=mapped.clock.now)
    assert mapped.record("quantity_changed", MAY_15, quantity=12) is None


def test_a_quantity_known_late_comes_back_after_a_suspension(mapped):
    mapped.decide(licence_suspension="zero")
    lifecycle.record_suspended(mapped.subscription, learned(mapped, MAY_15))
    lifecycle.record_reactivated(mapped.subscription, learned(mapped, MAY_20))
    mapped.change_quantity(12, MAY_14)
    mapped.change_quantity(20, JUNE_1)
    mapped.drain()
    line = mapped.subscription.mappings.get().line_id
    assert units(mapped, line, TODAY, MAY_14, MAY_15, MAY_20, JUNE_1) == [10, 12, 0, 12, 20]


def test_seats_of_the_next_period_come_back_with_it_and_not_with_the_reactivation(mapped):
    mapped.decide(licence_suspension="zero", seat_increase="next_period")
    mapped.change_quantity(12, MAY_14)
    lifecycle.record_suspended(mapped.subscription, learned(mapped, MAY_15))
    lifecycle.record_reactivated(mapped.subscription, learned(mapped, MAY_20))
    mapped.drain()
    line = mapped.subscription.mappings.get().line_id
    assert units(mapped, line, MAY_14, MAY_15, MAY_20, JUNE_1) == [10, 0, 10, 12]


def test_a_new_line_that_never_was_is_made_when_a_person_tries_again(desk):
    """The far side answered its creation with an id, and forgot it."""
    desk.psa.fail_next("create_line", "swallow")
    desk.map()
    operation = operation_of(desk)
    type(operation.mapping).objects.update(line_id=4711, line_key="SUB-1")
    desk.drain()
    operation.refresh_from_db()
    assert (operation.state, operation.error_kind) == (State.FAILED, "missing_reference")
    desk.psa._faults.clear()
    retry_operation(operation, actor=desk.cast.admin, now=desk.clock.now)
    desk.drain()
    assert desk.units(JUNE_1) == 10
    assert desk.line != 4711


def test_what_was_missing_for_one_day_is_not_missing_any_more_once_a_price_reaches_it(mapped):
    """No second adjustment on the 20th: 12 x 0.50 for that day, 0.19. Then 5.75 holds for all of May: nothing lacks."""
    mapped.psa.same_date = "duplicate"
    mapped.change_quantity(12, MAY_20)
    mapped.drain()
    mapped.decide(renewal="extend_and_reprice")
    term = {"starts_on": MAY_20, "ends_on": date(2027, 5, 19), "list_price": Decimal(4)}
    mapped.record("renewed", MAY_20, erp=Decimal("5.50"), **term)
    mapped.drain()
    assert [(gap.units, str(gap.amount)) for gap in Shortfall.objects.all()] == [(0, "0.1900")]
    mapped.psa.same_date = "merge"
    mapped.record("price_changed", MAY_22, erp=Decimal("5.75"))
    mapped.drain()
    assert sum(gap.amount for gap in Shortfall.objects.all()) == 0
