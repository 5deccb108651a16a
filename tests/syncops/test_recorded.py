"""What recorded changes of a mapped subscription become on its line, from the fact to the proof."""

from datetime import date
from decimal import Decimal

import pytest

from mappings.models import SubscriptionMapping
from portal.models import AuditEntry, MarginRule, Promotion
from syncops.models import Shortfall, SyncOperation
from syncops.standing import standings
from tests.syncops.desk import TODAY

State = SyncOperation.State
MAY_15, MAY_20, MAY_31, JUNE_1 = date(2026, 5, 15), date(2026, 5, 20), date(2026, 5, 31), date(2026, 6, 1)


def done(desk, operation):
    desk.drain()
    operation.refresh_from_db()
    assert operation.state == State.SUCCEEDED, (operation.state, operation.error)
    return operation


def price_on(desk, day: date) -> Decimal:
    row = next(row for row in desk.psa.rows(desk.line) if row.starts_on <= day <= row.ends_on)
    return row.price / row.units


def standing(desk) -> str:
    return standings([desk.subscription.pk])[desk.subscription.pk].text


def test_a_cancelled_subscription_has_no_units_from_that_day_on(mapped):
    done(mapped, mapped.record("cancelled", MAY_20, status="deleted"))
    assert [mapped.units(day) for day in (TODAY, date(2026, 5, 19), MAY_20, JUNE_1)] == [10, 10, 0, 0]
    assert [(one.unit_change, one.price, one.cost) for one in mapped.psa.applied] == [(-10, None, None)]


def test_cancelled_while_a_late_change_was_under_way_the_days_before_keep_it(mapped):
    mapped.record("cancelled", MAY_20, status="deleted")
    done(mapped, mapped.record("quantity_changed", MAY_15, quantity=14))
    mapped.drain()
    assert [mapped.units(day) for day in (TODAY, MAY_15, MAY_20, JUNE_1)] == [10, 14, 0, 0]


def test_a_new_margin_of_the_subscription_counts_from_the_start_of_the_period(mapped):
    MarginRule.objects.create(
        organization=mapped.cast.csp, subscription=mapped.subscription, kind="markup", percent=Decimal(50)
    )
    operation = done(mapped, mapped.record("price_changed", JUNE_1.replace(day=20)))
    assert operation.holds_from == JUNE_1
    assert [price_on(mapped, day) for day in (MAY_31, JUNE_1)] == [Decimal(5), Decimal(6)]


def test_in_the_period_in_which_it_began_the_price_counts_from_the_first_day_billed(mapped):
    MarginRule.objects.create(
        organization=mapped.cast.csp, subscription=mapped.subscription, kind="markup", percent=Decimal(50)
    )
    operation = done(mapped, mapped.record("price_changed", MAY_20))
    assert operation.holds_from == TODAY
    assert [(one.effective, one.price) for one in mapped.psa.applied] == [(TODAY, Decimal(6))]


def test_the_part_of_the_period_before_an_earlier_change_is_priced_as_well(mapped):
    """The day of the change lies in a later row of the period than its first day."""
    done(mapped, mapped.record("quantity_changed", JUNE_1.replace(day=10), quantity=12))
    MarginRule.objects.create(
        organization=mapped.cast.csp, subscription=mapped.subscription, kind="markup", percent=Decimal(50)
    )
    done(mapped, mapped.record("price_changed", JUNE_1.replace(day=20)))
    assert [mapped.units(JUNE_1.replace(day=day)) for day in (1, 9, 10, 30)] == [10, 10, 12, 12]
    assert [price_on(mapped, JUNE_1.replace(day=day)) for day in (1, 10)] == [Decimal(6), Decimal(6)]
    assert price_on(mapped, MAY_31) == Decimal(5)


def test_where_the_period_is_posted_the_price_counts_from_the_next_and_the_rest_is_told_in_money(mapped):
    mapped.psa.post_through(100, MAY_31)
    MarginRule.objects.create(
        organization=mapped.cast.csp, subscription=mapped.subscription, kind="markup", percent=Decimal(50)
    )
    done(mapped, mapped.record("price_changed", MAY_20))
    assert [(one.effective, one.unit_change, one.price) for one in mapped.psa.applied] == [(JUNE_1, 0, Decimal(6))]
    assert [(gap.units, gap.amount) for gap in Shortfall.objects.all()] == [(0, Decimal("7.1000"))]  # 10 x 22/31
    assert standing(mapped) == "Synced"


def test_more_seats_under_a_promotion_carry_its_price(mapped):
    promotion = Promotion.objects.create(
        owner=mapped.cast.csp,
        promotion_id="PROMO",
        name="Spring",
        percent=Decimal(20),
        starts_on=date(2026, 1, 1),
        ends_on=date(2027, 12, 31),
    )
    operation = done(mapped, mapped.record("quantity_changed", MAY_15, quantity=12, promotion_id=promotion.pk))
    assert operation.payload["price"] == "4.00"
    assert [(mapped.units(day), price_on(mapped, day)) for day in (TODAY, MAY_15)] == [(10, 5), (12, 4)]


def test_seats_that_wait_for_the_next_period_do_so_even_if_the_policy_changes_later(mapped):
    mapped.decide(seat_increase="next_period")
    first = done(mapped, mapped.record("quantity_changed", MAY_15, quantity=12))
    mapped.decide()
    done(mapped, mapped.record("quantity_changed", MAY_20, quantity=13))
    assert first.holds_from == JUNE_1
    assert [mapped.units(day) for day in (MAY_15, MAY_20, JUNE_1)] == [10, 13, 13]
    assert mapped.adjustments() == [("2026-06-01", 2), ("2026-05-20", 3), ("2026-06-01", -2)]


def test_seats_of_the_next_period_after_the_contracts_end_wait_for_a_person(mapped):
    mapped.decide(seat_increase="next_period")
    operation = mapped.record("quantity_changed", date(2027, 12, 15), quantity=12)
    mapped.drain()
    operation.refresh_from_db()
    assert (operation.state, operation.error_kind) == (State.FAILED, "beyond_contract")
    assert "1\xa0Jan\xa02028" in operation.advice


@pytest.mark.parametrize(
    ("kind", "after"),
    [
        ("suspended", {"status": "suspended"}),
        ("billing_cycle_changed", {}),
        ("renewed", {"ends_on": date(2028, 12, 31)}),
        ("upgraded", {"quantity": 4}),
        ("reseller_changed", {}),
        ("details_changed", {"friendly_name": "Sales"}),
    ],
)
def test_what_autotask_has_no_place_for_is_told_by_name_and_sends_nothing(mapped, kind, after):
    operation = mapped.record(kind, MAY_20, **after)
    mapped.drain()
    operation.refresh_from_db()
    assert operation.state == State.UNSUPPORTED
    assert "Microsoft 365 Business Basic on the contract Microsoft 365 (CSP)" in operation.advice
    assert mapped.psa.calls == []
    entry = AuditEntry.objects.filter(correlation_id=operation.correlation_id).latest("pk")
    assert (entry.status, entry.answered["advice"]) == ("failed", operation.advice)
    assert standing(mapped) == "Synced"


def test_a_suspended_licence_may_lose_its_units_and_has_them_back_whatever_is_decided_meanwhile(mapped):
    mapped.decide(licence_suspension="zero")
    done(mapped, mapped.record("suspended", MAY_15, status="suspended"))
    mapped.decide()
    done(mapped, mapped.record("reactivated", MAY_20, status="active"))
    assert [mapped.units(day) for day in (TODAY, MAY_15, date(2026, 5, 19), MAY_20)] == [10, 0, 0, 10]
    assert price_on(mapped, MAY_20) == Decimal(5)


def test_a_suspension_that_left_the_units_leaves_them_on_reactivation_too(mapped):
    mapped.record("suspended", MAY_15, status="suspended")
    mapped.decide(licence_suspension="zero")
    assert mapped.record("reactivated", MAY_20, status="active").state == State.UNSUPPORTED


def test_after_a_full_upgrade_nothing_is_written_to_the_old_service_any_more(mapped):
    mapped.record("upgraded", MAY_15, variant_id=mapped.subscription.variant_id)
    later = mapped.record("quantity_changed", MAY_20, quantity=50)
    mapped.drain()
    assert later.state == State.UNSUPPORTED
    assert "Since 15\xa0May\xa02026 the subscription is another offer" in later.error
    assert mapped.psa.applied == []


RENEWED = {"starts_on": date(2028, 1, 1), "ends_on": date(2028, 12, 31), "erp": Decimal("5.25")}


def test_a_renewal_moves_the_contracts_end_before_the_line_gets_its_new_price(mapped):
    mapped.decide(renewal="extend_and_reprice")
    done(mapped, mapped.record("renewed", date(2028, 1, 1), **RENEWED))
    assert mapped.psa.contract(100).ends_on == date(2028, 12, 31)
    assert [verb for verb, _ in mapped.psa.calls if verb in ("extend_contract", "adjust")] == [
        "extend_contract",
        "adjust",
    ]
    assert [price_on(mapped, day) for day in (date(2027, 12, 31), date(2028, 1, 1))] == [5, Decimal("5.25")]


def test_a_renewal_may_extend_the_contract_alone(mapped):
    mapped.decide(renewal="extend")
    done(mapped, mapped.record("renewed", date(2028, 1, 1), **RENEWED))
    assert mapped.units(date(2028, 12, 31)) == 10
    assert mapped.psa.applied == []


def test_a_contract_that_ends_later_already_is_never_shortened(mapped):
    mapped.decide(renewal="extend")
    done(mapped, mapped.record("renewed", date(2027, 1, 1), starts_on=date(2027, 1, 1), ends_on=date(2027, 5, 9)))
    assert mapped.psa.contract(100).ends_on == date(2027, 12, 31)
    assert not [verb for verb, _ in mapped.psa.calls if verb == "extend_contract"]


@pytest.mark.parametrize("fault", ["drop_before", "drop_after"])
def test_an_extension_without_an_answer_is_looked_for_and_done_once(mapped, fault):
    mapped.decide(renewal="extend_and_reprice")
    mapped.psa.fail_next("extend_contract", fault)
    operation = mapped.record("renewed", date(2028, 1, 1), **RENEWED)
    for _ in range(40):
        mapped.drain()
        mapped.clock.wait(60)
    operation.refresh_from_db()
    assert operation.state == State.SUCCEEDED
    assert mapped.psa.contract(100).ends_on == date(2028, 12, 31)
    assert price_on(mapped, date(2028, 1, 1)) == Decimal("5.25")
    assert len([verb for verb, _ in mapped.psa.calls if verb == "adjust"]) == 1


def test_two_renewals_on_one_contract_end_it_with_the_later_one(mapped):
    from tests.syncops.mishaps import neighbour

    other = neighbour(mapped)
    other.map(add_beside=True)
    other.drain()
    mapped.decide(renewal="extend")
    later = mapped.record("renewed", date(2028, 1, 1), **RENEWED)
    done(other, other.record("renewed", date(2028, 1, 1), starts_on=date(2028, 1, 1), ends_on=date(2028, 6, 30)))
    done(mapped, later)
    assert mapped.psa.contract(100).ends_on == date(2028, 12, 31)


def test_handed_over_the_line_ends_and_the_new_owner_may_map_it(mapped):
    mapped.decide(reseller_change="hand_over")
    done(mapped, mapped.record("reseller_changed", MAY_20, organization_id=mapped.cast.reseller.pk))
    mapping = SubscriptionMapping.objects.get()
    assert mapping.ends_on == date(2026, 5, 19)  # the last day billed here
    assert [mapped.psa.units_on(mapping.line_id, day) for day in (MAY_15, MAY_20)] == [10, 0]


def test_a_rename_together_with_a_cancellation_does_not_keep_that_from_autotask(mapped):
    mapped.record("details_changed", MAY_20, friendly_name="Old")
    done(mapped, mapped.record("cancelled", MAY_20, status="deleted"))
    assert mapped.units(MAY_20) == 0
