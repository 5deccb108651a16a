"""A subscription that becomes another offer, or is billed by another period, goes on on another line."""

from datetime import date
from decimal import Decimal

import pytest

from connections.models import MirroredContract
from mappings.models import OfferMapping, SubscriptionMapping
from portal.actions import lifecycle
from portal.actions.lifecycle import Learned
from portal.audit import Actor
from portal.models import AuditEntry
from syncops.actions import dismiss_operation, retry_operation
from syncops.models import SyncOperation
from syncops.standing import standings
from tests.cast import make_variant
from tests.fake_psa import a_contract, a_service
from tests.syncops.desk import NOON, TODAY

State = SyncOperation.State
MAY_15, MAY_19, MAY_20, JUNE_1 = date(2026, 5, 15), date(2026, 5, 19), date(2026, 5, 20), date(2026, 6, 1)
E5, YEARLY = 11, 12


def sold_as(desk, service_id, **fields):
    """Another offer variant, mapped to a service of this id."""
    variant = make_variant(desk.cast.csp, **fields)
    period = "yearly" if fields.get("billing") == "annual" else "monthly"
    desk.psa._services[service_id] = a_service(service_id, fields["title"], period=period)
    OfferMapping.objects.create(
        connection=desk.connection,
        variant=variant,
        service_id=service_id,
        service_name=fields["title"],
        created_at=NOON,
    )
    return variant


def learned(desk, day=MAY_20):
    return Learned(day, "partner_center", Actor.user(desk.cast.admin), desk.clock.now)


def upgrade(desk, to, day=MAY_20):
    desk.subscription.refresh_from_db()
    lifecycle.record_upgraded(desk.subscription, learned(desk, day), to=to, list_price=Decimal(30), erp=Decimal(40))


def lines(desk) -> tuple[int, int]:
    old, new = SubscriptionMapping.objects.filter(subscription=desk.subscription).order_by("pk")
    return old.line_id, new.line_id


def put() -> SyncOperation:
    return SyncOperation.objects.filter(kind="map_subscription").latest("pk")


def taken() -> SyncOperation:
    return SyncOperation.objects.exclude(after=None).latest("pk")


@pytest.fixture
def pairing(mapped):
    mapped.decide(upgrade="pair", cycle_change="move")
    return mapped


@pytest.fixture
def e5(pairing):
    return sold_as(pairing, E5, title="Microsoft 365 E5")


@pytest.fixture
def yearly(pairing):
    """The same offer billed by the year, and the company's contract for that."""
    contract = a_contract(101, "Microsoft 365 yearly", period="yearly", starts_on=date(2026, 1, 15))
    pairing.psa.put_contract(contract)
    MirroredContract.objects.create(
        connection=pairing.connection,
        remote_id=101,
        company_remote_id=1,
        name=contract.name,
        search_name="yearly",
        type_label=contract.type_label,
        period="yearly",
        is_active=True,
        starts_on=contract.starts_on,
        ends_on=contract.ends_on,
        read_at=NOON,
    )
    return sold_as(pairing, YEARLY, title="Basic by the year", billing="annual")


def test_after_a_full_upgrade_every_seat_is_billed_on_one_of_the_two_lines(pairing, e5):
    upgrade(pairing, e5)
    pairing.drain()
    assert (put().state, taken().state) == (State.SUCCEEDED, State.SUCCEEDED)
    old, new = lines(pairing)
    seats = [(pairing.psa.units_on(old, day), pairing.psa.units_on(new, day)) for day in (MAY_19, MAY_20, JUNE_1)]
    assert seats == [(10, 0), (0, 10), (0, 10)]
    assert next(row.price for row in pairing.psa.rows(new) if row.units) == 400
    assert [one.line_id for one in pairing.psa.applied] == [new, old]
    assert standings([pairing.subscription.pk])[pairing.subscription.pk].text == "Synced"


def test_the_old_line_keeps_its_units_until_the_new_ones_are_proved(pairing, e5):
    pairing.psa.fail_next("adjust", "reject")
    upgrade(pairing, e5)
    pairing.drain()
    pairing.clock.wait(3600)
    pairing.drain()
    assert (put().state, taken().state) == (State.FAILED, State.QUEUED)
    assert "new line" in taken().waiting_for
    assert pairing.psa.applied == []
    retry_operation(put(), actor=pairing.cast.admin, now=pairing.clock.now)
    pairing.drain()
    assert (put().state, taken().state) == (State.SUCCEEDED, State.SUCCEEDED)


def test_half_done_needs_a_person_and_shows(pairing, e5):
    pairing.psa.fail_next("adjust", "reject", after=1)
    upgrade(pairing, e5)
    pairing.drain()
    assert (put().state, taken().state) == (State.SUCCEEDED, State.FAILED)
    assert standings([pairing.subscription.pk])[pairing.subscription.pk].text == "Out of sync"


def test_where_the_first_half_is_dismissed_nothing_is_taken_away(pairing, e5):
    pairing.psa.fail_next("adjust", "reject")
    upgrade(pairing, e5)
    pairing.drain()
    dismiss_operation(put(), reason="Done by hand.", actor=pairing.cast.admin, now=pairing.clock.now)
    pairing.drain()
    assert (taken().state, taken().error_kind) == (State.FAILED, "half_done")
    assert pairing.psa.applied == []


@pytest.mark.parametrize("fault", ["drop_before", "drop_after"])
@pytest.mark.parametrize("after", [0, 1])
def test_a_lost_answer_on_either_line_ends_with_the_same_seats(pairing, e5, fault, after):
    pairing.psa.fail_next("adjust", fault, after=after)
    upgrade(pairing, e5)
    for _ in range(30):
        pairing.drain()
        pairing.clock.wait(60)
    assert (put().state, taken().state) == (State.SUCCEEDED, State.SUCCEEDED)
    old, new = lines(pairing)
    assert [pairing.psa.units_on(line, JUNE_1) for line in (old, new)] == [0, 10]
    assert len(pairing.psa.applied) == 2


def test_later_changes_go_to_the_new_line_and_late_ones_to_both(pairing, e5):
    upgrade(pairing, e5)
    pairing.drain()
    pairing.record("quantity_changed", JUNE_1, quantity=12)
    pairing.record("quantity_changed", MAY_15, quantity=14)
    pairing.drain()
    old, new = lines(pairing)
    assert [pairing.psa.units_on(old, day) for day in (TODAY, MAY_15, MAY_19, MAY_20)] == [10, 14, 14, 0]
    assert [pairing.psa.units_on(new, day) for day in (MAY_19, MAY_20, JUNE_1)] == [0, 14, 12]


def test_a_new_billing_frequency_moves_to_the_companys_contract_for_it(pairing, yearly):
    lifecycle.record_billing_cycle(
        pairing.subscription, learned(pairing), to=yearly, list_price=Decimal(48), erp=Decimal(60)
    )
    pairing.drain()
    old, new = lines(pairing)
    assert SubscriptionMapping.objects.latest("pk").contract_id == 101
    assert [(pairing.psa.units_on(old, day), pairing.psa.units_on(new, day)) for day in (MAY_19, MAY_20)] == [
        (10, 0),
        (0, 10),
    ]
    assert next(row.price for row in pairing.psa.rows(new) if row.units) == 600


def test_moved_back_the_first_line_is_found_again_and_keeps_its_past(pairing, yearly):
    monthly = pairing.subscription.variant
    prices = {"list_price": Decimal(4), "erp": Decimal(5)}
    lifecycle.record_billing_cycle(pairing.subscription, learned(pairing), to=yearly, **prices)
    pairing.drain()
    pairing.subscription.refresh_from_db()
    lifecycle.record_billing_cycle(pairing.subscription, learned(pairing, JUNE_1), to=monthly, **prices)
    pairing.drain()
    first, second, third = SubscriptionMapping.objects.order_by("pk")
    assert third.line_id == first.line_id
    days = (TODAY, MAY_19, MAY_20, JUNE_1, date(2026, 7, 1))
    assert [pairing.psa.units_on(first.line_id, day) for day in days] == [10, 10, 0, 10, 10]
    assert [pairing.psa.units_on(second.line_id, day) for day in days] == [0, 0, 10, 0, 0]
    assert not SyncOperation.objects.exclude(state=State.SUCCEEDED)


def test_an_offer_without_a_service_is_left_to_a_person_who_is_told_so(pairing):
    upgrade(pairing, make_variant(pairing.cast.csp, title="Copilot"))
    operation = SyncOperation.objects.latest("pk")
    assert operation.state == State.UNSUPPORTED
    assert "Copilot" in operation.advice
    assert "is not mapped to a service yet. In Autotask set the units" in operation.advice
    assert SubscriptionMapping.objects.get().ends_on is None


def test_a_company_without_a_contract_for_the_new_period_is_named(pairing):
    yearly = sold_as(pairing, YEARLY, title="Basic by the year", billing="annual")
    lifecycle.record_billing_cycle(
        pairing.subscription, learned(pairing), to=yearly, list_price=Decimal(48), erp=Decimal(60)
    )
    assert "has no contracts that it could be billed on" in SyncOperation.objects.latest("pk").advice


def test_each_half_has_its_audit_entry_under_one_number(pairing, e5):
    upgrade(pairing, e5)
    pairing.drain()
    entries = AuditEntry.objects.filter(correlation_id=put().correlation_id, status="succeeded")
    assert {entry.name for entry in entries} == {
        "Upgrade Subscription",
        "Trigger Subscription Mapping To Connection",
        "Update Subscription on Connection",
    }
    assert not AuditEntry.objects.filter(status="in_progress", ended_by=None)
