"""Every kind of operation against the Autotask stand-in over real HTTP: what its own ledger shows in the end."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from mappings.models import OfferMapping, SubscriptionMapping
from portal.actions.lifecycle import Learned, UpgradedPart, record_upgraded_in_part
from portal.actions.margins import save_rule
from portal.audit import Actor
from portal.models import MarginRule
from syncops.margins import fan_out
from syncops.models import MarginUpdate, SyncOperation
from tests.cast import make_variant
from tests.syncops.site import TODAY, open_site

State = SyncOperation.State
MAY_20, MAY_31, JUNE_1, JULY_1 = date(2026, 5, 20), date(2026, 5, 31), date(2026, 6, 1), date(2026, 7, 1)
NEW_YEAR = date(2027, 1, 1)
MAY_20_NOON = datetime(2026, 5, 20, 12, tzinfo=UTC)


@pytest.fixture
def mapped(cast, tmp_path, settings):
    with open_site(cast, tmp_path, settings) as site:
        assert site.settle(site.map()).state == State.SUCCEEDED
        yield site


def done(site, operation) -> SyncOperation:
    settled = site.settle(operation)
    assert settled.state == State.SUCCEEDED, (settled.error, settled.advice)
    return settled


def held(site, day: date) -> tuple[int, Decimal]:
    """Units and unit price of a day in the stand-in's own ledger."""
    return next((units, Decimal(price)) for start, end, units, price in site.rows() if start <= str(day) <= end)


def test_a_cancellation(mapped):
    done(mapped, mapped.record("cancelled", MAY_20, status="deleted"))
    assert [mapped.units(day) for day in (date(2026, 5, 19), MAY_20, JUNE_1)] == [10, 0, 0]


def test_a_migration_of_a_legacy_subscription(mapped):
    done(mapped, mapped.record("migrated", MAY_20, status="deleted"))
    assert [mapped.units(day) for day in (date(2026, 5, 19), MAY_20)] == [10, 0]


def test_a_new_price_of_one_subscription_in_a_posted_period(mapped):
    mapped.control("post", {"contract": 70, "through": "2026-05-31"})
    operation = done(mapped, mapped.record("price_changed", MAY_20, erp=Decimal("5.50")))
    assert [held(mapped, day) for day in (MAY_31, JUNE_1)] == [(10, 5), (10, Decimal("5.5"))]
    assert [str(gap.amount) for gap in operation.shortfalls.all()] == ["3.5500"]  # 10 x 0.50 x 22/31 as 0.7097


def test_new_margins_of_a_customer_from_the_next_period(mapped):
    mapped.decide(margin_date="next_period_start")
    SubscriptionMapping.objects.update(created_at=MAY_20_NOON)
    rule = MarginRule(
        organization=mapped.cast.csp, customer=mapped.subscription.customer, kind="markup", percent=Decimal(50)
    )
    save_rule(rule, actor=Actor.user(mapped.cast.billing), at=MAY_20_NOON)
    update = MarginUpdate.objects.get()
    assert fan_out(update.pk, MAY_20_NOON)
    done(mapped, update.operations.get())
    assert [held(mapped, day) for day in (MAY_31, JUNE_1)] == [(10, 5), (10, 6)]


def test_seats_with_a_promotion_and_seats_that_wait_for_the_next_period(mapped):
    mapped.decide(seat_decrease="next_period")
    done(mapped, mapped.change(14, MAY_20))
    done(mapped, mapped.change(12, date(2026, 5, 25)))
    assert [mapped.units(day) for day in (MAY_20, MAY_31, JUNE_1)] == [14, 14, 12]


def test_a_suspension_of_a_licence_and_its_reactivation(mapped):
    mapped.decide(licence_suspension="zero")
    done(mapped, mapped.record("suspended", MAY_20, status="suspended"))
    done(mapped, mapped.record("reactivated", JUNE_1, status="active"))
    assert [mapped.units(day) for day in (TODAY, MAY_20, MAY_31)] == [10, 0, 0]
    assert held(mapped, JUNE_1) == (10, 5)


def test_an_azure_plan_suspended_and_restored(mapped):
    mapped.decide(reactivation="restore")
    mapped.subscription.variant.offer.category = "azure_plan"
    mapped.subscription.variant.offer.save()
    done(mapped, mapped.record("suspended", MAY_20, status="suspended"))
    assert [held(mapped, day) for day in (MAY_31, JUNE_1)] == [(10, 5), (10, 0)]
    done(mapped, mapped.record("reactivated", date(2026, 6, 10), status="active"))
    assert [held(mapped, day) for day in (date(2026, 6, 30), JULY_1)] == [(10, 0), (10, 5)]


def test_a_renewal_extends_the_contract_and_brings_the_new_price(mapped):
    mapped.decide(renewal="extend_and_reprice")
    term = {"starts_on": NEW_YEAR, "ends_on": date(2027, 12, 31)}
    done(mapped, mapped.record("renewed", NEW_YEAR, erp=Decimal("5.25"), **term))
    assert [held(mapped, day) for day in (date(2026, 12, 31), NEW_YEAR, date(2027, 12, 31))] == [
        (10, 5),
        (10, Decimal("5.25")),
        (10, Decimal("5.25")),
    ]


def test_a_full_upgrade_conserves_the_seats_on_two_lines(mapped):
    mapped.decide(upgrade="pair")
    better = make_variant(mapped.cast.csp, title="Microsoft 365 E5")
    OfferMapping.objects.create(
        connection=mapped.connection, variant=better, service_id=30, service_name="Basic", created_at=MAY_20_NOON
    )
    taken = mapped.record("upgraded", MAY_20, variant_id=better.pk, erp=Decimal(40))
    done(mapped, taken)
    assert taken.after.state == State.SUCCEEDED
    ledger = {line["serviceID"]: line["rows"] for line in mapped.control("ledger", method="GET", key="SUB-1")["lines"]}

    def seats(service: int, day: str) -> int:
        return next(row["units"] for row in ledger[service] if row["start"] <= day <= row["end"])

    assert [(seats(31, day), seats(30, day)) for day in ("2026-05-19", "2026-05-20", "2026-06-30")] == [
        (10, 0),
        (0, 10),
        (0, 10),
    ]


def test_a_partial_upgrade_conserves_the_seats_of_two_subscriptions(mapped):
    mapped.decide(upgrade="pair")
    better = make_variant(mapped.cast.csp, title="Microsoft 365 E5")
    OfferMapping.objects.create(
        connection=mapped.connection, variant=better, service_id=30, service_name="Basic", created_at=MAY_20_NOON
    )
    learned = Learned(MAY_20, "partner_center", Actor.user(mapped.cast.admin), MAY_20_NOON)
    part = UpgradedPart("SUB-NEW", 6, better, list_price=Decimal(30), erp=Decimal(40))
    record_upgraded_in_part(mapped.subscription, learned, staying=4, part=part)
    taken = done(mapped, SyncOperation.objects.get(kind="upgrade"))
    assert taken.after.subscription.external_id == "SUB-NEW"
    assert [mapped.units(day) for day in (date(2026, 5, 19), MAY_20, JUNE_1)] == [10, 4, 4]
    (line,) = mapped.control("ledger", method="GET", key="SUB-NEW")["lines"]
    assert [(row["units"], str(row["unit_price"])) for row in line["rows"] if row["start"] == "2026-05-20"] == [
        (6, "40.0000")
    ]


def test_a_hand_over_to_another_reseller(mapped):
    mapped.decide(reseller_change="hand_over")
    done(mapped, mapped.record("reseller_changed", MAY_20, organization_id=mapped.cast.reseller.pk))
    assert [mapped.units(day) for day in (date(2026, 5, 19), MAY_20)] == [10, 0]


def test_a_price_by_zero_and_back(mapped):
    mapped.decide(price_change="zero_and_restore")
    done(mapped, mapped.record("price_changed", date(2026, 6, 10), erp=Decimal("5.50")))
    assert [held(mapped, day) for day in (MAY_31, JUNE_1)] == [(10, 5), (10, Decimal("5.5"))]


@pytest.mark.parametrize("kind", ["suspended", "reseller_changed", "billing_cycle_changed", "details_changed"])
def test_what_has_no_place_there_is_not_sent(mapped, kind):
    before = mapped.writes()
    assert mapped.record(kind, MAY_20).state == State.UNSUPPORTED
    mapped.drain()
    assert mapped.writes() == before
