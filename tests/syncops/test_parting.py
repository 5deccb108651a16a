"""Some seats of a subscription are upgraded: two subscriptions, two lines, and as many seats as before."""

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pytest

from connections.models import Connection
from mappings.models import OfferMapping, SubscriptionMapping
from portal.actions import lifecycle
from portal.actions.lifecycle import UpgradedPart
from portal.models import AuditEntry, Subscription
from syncops.actions import dismiss_operation, retry_operation
from syncops.models import Stream, SyncOperation
from syncops.standing import standings
from tests.cast import make_subscription, make_variant
from tests.fake_psa import a_service
from tests.syncops.desk import NOON
from tests.syncops.mishaps import Killed, die
from tests.syncops.test_moving import learned

State = SyncOperation.State
MAY_19, MAY_20, MAY_25, JUNE_1 = date(2026, 5, 19), date(2026, 5, 20), date(2026, 5, 25), date(2026, 6, 1)
DAYS = (MAY_19, MAY_20, JUNE_1)


@pytest.fixture
def pairing(mapped):
    mapped.decide(upgrade="pair")
    return mapped


@pytest.fixture
def part(pairing):
    """Six seats of a better offer, which is mapped to a service of its own."""
    better = make_variant(pairing.cast.csp, title="Microsoft 365 E5")
    pairing.psa._services[11] = a_service(11, "Microsoft 365 E5")
    OfferMapping.objects.create(
        connection=pairing.connection, variant=better, service_id=11, service_name="Microsoft 365 E5", created_at=NOON
    )
    return UpgradedPart("SUB-NEW", 6, better, list_price=Decimal(30), erp=Decimal(40))


def upgrade(desk, part, staying=4, day=MAY_20):
    desk.subscription.refresh_from_db()
    return lifecycle.record_upgraded_in_part(desk.subscription, learned(desk, day), staying=staying, part=part)


def put() -> SyncOperation:
    return SyncOperation.objects.filter(subscription__external_id="SUB-NEW").latest("pk")


def taken() -> SyncOperation:
    return SyncOperation.objects.filter(kind="upgrade").latest("pk")


def seats(desk, *days) -> list[tuple[int, int]]:
    """Units on the old line and on the new one."""
    old, new = SubscriptionMapping.objects.order_by("pk")
    return [(desk.psa.units_on(old.line_id, day), desk.psa.units_on(new.line_id, day)) for day in days or DAYS]


def text_of(subscription) -> str:
    return standings([subscription.pk])[subscription.pk].text


def test_the_upgraded_seats_get_a_line_first_and_leave_the_old_one_at_once(pairing, part):
    upgrade(pairing, part)
    pairing.drain()
    assert (put().state, taken().state) == (State.SUCCEEDED, State.SUCCEEDED)
    assert seats(pairing) == [(10, 0), (4, 6), (4, 6)]
    old, new = SubscriptionMapping.objects.order_by("pk")
    assert (new.subscription.external_id, new.line_key, new.contract_id) == ("SUB-NEW", "SUB-NEW", old.contract_id)
    assert [one.line_id for one in pairing.psa.applied] == [new.line_id, old.line_id]
    assert next(row.price for row in pairing.psa.rows(new.line_id) if row.units) == 240
    assert [text_of(one) for one in Subscription.objects.all()] == ["Synced", "Synced"]


def test_the_next_seats_grow_the_line_that_is_there_whatever_the_policy_about_more_seats(pairing, part):
    upgrade(pairing, part)
    pairing.drain()
    pairing.decide(upgrade="pair", seat_increase="next_period", seat_decrease="next_period")
    upgrade(pairing, replace(part, quantity=8), staying=2, day=MAY_25)
    pairing.drain()
    assert put().kind == "receive_upgrade"
    assert seats(pairing, MAY_20, MAY_25, JUNE_1) == [(4, 6), (2, 8), (2, 8)]


def test_two_parts_on_one_day_end_with_the_same_seats(pairing, part):
    upgrade(pairing, part)
    upgrade(pairing, replace(part, quantity=8), staying=2)
    for _ in range(3):
        pairing.drain()
        pairing.clock.wait(61)
    assert not SyncOperation.objects.exclude(state=State.SUCCEEDED).exists()
    assert seats(pairing) == [(10, 0), (2, 8), (2, 8)]


def test_the_same_upgrade_learned_twice_is_planned_once(pairing, part):
    upgrade(pairing, part)
    assert upgrade(pairing, part) is None
    assert SyncOperation.objects.filter(kind="upgrade").count() == 1


def test_nothing_is_taken_until_the_others_are_proved_and_a_retry_goes_on(pairing, part):
    pairing.psa.fail_next("adjust", "reject")
    upgrade(pairing, part)
    pairing.drain()
    pairing.clock.wait(3600)
    pairing.drain()
    assert (put().state, taken().state) == (State.FAILED, State.QUEUED)
    assert "new line" in taken().waiting_for
    assert pairing.psa.applied == []
    retry_operation(put(), actor=pairing.cast.admin, now=pairing.clock.now)
    pairing.drain()
    assert seats(pairing) == [(10, 0), (4, 6), (4, 6)]


def test_half_done_needs_a_person_and_shows(pairing, part):
    pairing.psa.fail_next("adjust", "reject", after=1)
    upgrade(pairing, part)
    pairing.drain()
    assert (put().state, taken().state) == (State.SUCCEEDED, State.FAILED)
    old, new = Subscription.objects.order_by("pk")
    assert (text_of(old), text_of(new)) == ("Out of sync", "Synced")


def test_where_the_first_half_is_dismissed_nothing_is_taken_away(pairing, part):
    pairing.psa.fail_next("adjust", "reject")
    upgrade(pairing, part)
    pairing.drain()
    dismiss_operation(put(), reason="Done by hand.", actor=pairing.cast.admin, now=pairing.clock.now)
    pairing.clock.wait(61)
    pairing.drain()
    assert (taken().state, taken().error_kind) == (State.FAILED, "half_done")
    assert pairing.psa.applied == []


@pytest.mark.parametrize("fault", ["drop_before", "drop_after"])
@pytest.mark.parametrize("after", [0, 1])
def test_a_lost_answer_on_either_line_ends_with_the_same_seats(pairing, part, fault, after):
    pairing.psa.fail_next("adjust", fault, after=after)
    upgrade(pairing, part)
    for _ in range(30):
        pairing.drain()
        pairing.clock.wait(60)
    assert seats(pairing) == [(10, 0), (4, 6), (4, 6)]
    assert len(pairing.psa.applied) == 2


def test_a_worker_that_dies_between_the_halves_is_replaced(pairing, part, monkeypatch):
    upgrade(pairing, part)
    monkeypatch.setattr("syncops.engine.drain.wake_behind", lambda operations, now: die())
    with pytest.raises(Killed):
        pairing.drain()
    monkeypatch.undo()
    assert (put().state, taken().state) == (State.SUCCEEDED, State.QUEUED)
    pairing.clock.wait(61)
    pairing.drain()
    assert seats(pairing) == [(10, 0), (4, 6), (4, 6)]


def test_a_second_worker_with_the_old_line_alone_takes_nothing_before_the_proof(pairing, part):
    upgrade(pairing, part)
    first = Stream.objects.filter(subscription__external_id="SUB-NEW")
    first.update(owner="worker-1", lease_until=pairing.clock.now + timedelta(seconds=120))
    pairing.engine("worker-2").drain()
    assert pairing.psa.applied == []
    assert taken().state == State.QUEUED


def test_the_old_line_keeps_its_seats_where_the_policy_leaves_it_to_a_person(pairing, part):
    pairing.decide()
    upgrade(pairing, part)
    pairing.drain()
    assert (taken().state, pairing.psa.applied) == (State.UNSUPPORTED, [])
    assert "to 4 from 20\xa0May\xa02026 on, and add the upgraded ones to the service" in taken().advice


def test_an_unmapped_offer_is_named_and_nothing_is_mapped(pairing, part):
    OfferMapping.objects.filter(variant=part.variant).delete()
    upgrade(pairing, part)
    assert taken().state == State.UNSUPPORTED
    assert "Microsoft 365 E5" in taken().advice
    assert SubscriptionMapping.objects.count() == 1


def test_a_subscription_that_was_left_unmapped_is_not_mapped_behind_a_persons_back(pairing, part):
    make_subscription(pairing.subscription.customer, part.variant, 5, external_id="SUB-NEW")
    upgrade(pairing, replace(part, quantity=11))
    assert taken().state == State.UNSUPPORTED
    assert "is not mapped" in taken().advice
    assert SubscriptionMapping.objects.count() == 1


def test_seats_that_went_to_another_connection_are_added_there_and_taken_by_a_person_here(pairing, part):
    upgrade(pairing, part)
    pairing.drain()
    other = Connection.objects.create(
        organization=pairing.cast.csp, kind="autotask", name="Second", currency="EUR", state="active"
    )
    SubscriptionMapping.objects.filter(subscription__external_id="SUB-NEW").update(connection=other)
    upgrade(pairing, replace(part, quantity=8), staying=2, day=MAY_25)
    assert (put().connection, taken().state) == (other, State.UNSUPPORTED)
    assert "another connection" in taken().advice


def test_each_half_has_its_audit_entry_under_one_number(pairing, part):
    upgrade(pairing, part)
    pairing.drain()
    entries = AuditEntry.objects.filter(correlation_id=put().correlation_id, status="succeeded")
    assert {entry.name for entry in entries} == {
        "Upgrade Subscription",
        "Trigger Subscription Mapping To Connection",
        "Update Subscription on Connection",
    }
    assert not AuditEntry.objects.filter(status="in_progress", ended_by=None).exists()
