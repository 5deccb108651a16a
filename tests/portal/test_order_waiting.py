"""An order that takes long: asked about less and less often, and in the end by a person."""

import pytest

from portal import leases, tasks
from portal.actions.orders import advance_order, give_up_order, resume_order
from portal.far_side import Unavailable
from portal.models import AuditEntry, Order, Subscription
from tests.portal.purchases import NOW, advance, later, make_order


def test_provisioning_is_asked_about_at_growing_distances_for_two_hours(cast, provider):
    provider.patience = 1000
    order = make_order(cast.operations)
    advance(order, 2)
    waits, last = [], NOW
    while order.due_at:
        waits.append(int((order.due_at - last).total_seconds()))
        last = advance(order, 1)
    assert waits[:9] == [1, 1, 2, 3, 5, 15, 30, 60, 300]
    assert set(waits[8:]) == {300}
    assert 7000 < sum(waits) <= 7300
    assert (order.state, order.is_stalled) == ("provisioning", True)
    assert "has not provisioned it within two hours" in order.error
    assert order in Order.objects.stalled()


def test_a_stopped_order_goes_on_when_a_person_asks(cast, provider):
    provider.patience = 40
    order = make_order(cast.operations)
    last = advance(order, 60)
    assert order.is_stalled
    assert resume_order(order, actor=cast.operations, now=last)
    assert not resume_order(order, actor=cast.operations, now=last)
    advance(order, start=last)
    assert (order.state, order.error) == ("completed", "")
    assert list(AuditEntry.objects.order_by("pk").values_list("name", flat=True)) == [
        "Create Order",
        "Check Order",
        "Create Order",
    ]


def test_an_order_that_never_reached_microsoft_can_be_given_up(cast, provider, changes):
    provider.fail_next("create_cart", *[Unavailable("Down.")] * 60)
    order = make_order(cast.operations)
    last = advance(order, 60)
    assert (order.state, order.is_stalled) == ("submitted", True)
    assert give_up_order(order, actor=cast.operations, now=last)
    order.refresh_from_db()
    assert order.state == "failed"
    assert Subscription.objects.get().status == "deleted"
    assert not give_up_order(order, actor=cast.operations, now=last)


def test_an_order_that_microsoft_has_taken_cannot_be_given_up(cast, provider):
    provider.patience = 1000
    order = make_order(cast.operations)
    last = advance(order, 60)
    assert not give_up_order(order, actor=cast.operations, now=last)
    order.refresh_from_db()
    assert order.state == "provisioning"


def test_a_step_that_kills_its_worker_again_and_again_stops(cast, provider):
    order = make_order(cast.operations)

    def die(verb: str) -> None:
        raise MemoryError

    provider.on_call = die
    now = NOW
    for _ in range(leases.MOST_ATTEMPTS + 1):
        with pytest.raises(MemoryError):
            advance_order(order.pk, now)
        order.refresh_from_db()
        now = order.lease_until
    assert advance_order(order.pk, now)
    order.refresh_from_db()
    assert order.is_stalled
    assert "again and again" in order.error


def test_the_sweep_finds_an_order_whose_message_was_lost(cast, provider, monkeypatch):
    sent = []
    monkeypatch.setattr(tasks, "enqueue", lambda task, *ids: sent.append((task, *ids)))
    order = make_order(cast.operations)
    assert tasks.due(NOW)
    assert tasks.sweep(NOW) == 1
    assert sent == [("portal.tasks.advance_order", order.pk)]


def test_nothing_is_due_while_a_worker_holds_the_order_or_once_it_is_over(cast, provider):
    order = make_order(cast.operations)
    seen = []
    provider.on_call = lambda verb: seen.append((tasks.due(NOW), tasks.sweep(NOW)))
    advance_order(order.pk, NOW)
    assert seen == [(False, 0)]
    advance(order)
    assert not tasks.due(later(days=1))


def test_the_task_takes_the_order_on_at_the_present_moment(cast, provider):
    order = make_order(cast.operations)
    tasks.advance_order(order.pk)
    order.refresh_from_db()
    assert order.provider_cart_id == "cart-1"


def test_every_state_has_its_ways_out_and_the_last_ones_have_none():
    states = Order.State
    assert set(Order.TRANSITIONS) == set(states)
    assert all(Order.TRANSITIONS[state] == () for state in Order.FINAL)
    reached, waiting = set(), [states.CART]
    while waiting:
        reached.add(state := waiting.pop())
        waiting += [after for after in Order.TRANSITIONS[state] if after not in reached]
    assert reached == set(states)
    assert not Order(state=states.COMPLETED).may_become(states.FAILED)
