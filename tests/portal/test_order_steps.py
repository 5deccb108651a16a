"""An order on its way through Microsoft: every outcome of every step, with nothing bought twice."""

from datetime import date, timedelta

import pytest
from django.db import connection

from portal.actions.orders import advance_order
from portal.far_side import OutcomeUnknown, Rejected, Unauthorized, Unavailable
from portal.models import AuditEntry, Order, OrderLine, Subscription
from tests.cast import make_variant
from tests.portal.purchases import NOW, advance, later, make_order


def test_an_order_goes_from_cart_to_checkout_to_an_active_subscription(cast, provider, changes):
    order = make_order(cast.operations)
    advance(order)
    subscription = Subscription.objects.get()
    assert order.state == "completed"
    assert provider.calls == ["create_cart", "checkout", "order_state", "order_state"]
    assert (subscription.status, subscription.external_id, subscription.version) == ("active", "ms-order-1-0", 2)
    assert (subscription.starts_on, subscription.ends_on) == (date(2026, 5, 11), date(2027, 5, 9))
    assert OrderLine.objects.get().provider_order_id == "order-1"
    assert [(c.kind, c.effective_on, c.source) for c in changes] == [("activated", date(2026, 5, 11), "portal")]
    assert changes[0].before == {
        "external_id": "", "status": "pending", "quantity": 10, "starts_on": None, "ends_on": None, "auto_renew": True
    }  # fmt: skip


def test_the_audit_entry_ends_with_what_microsoft_said(cast, provider):
    advance(make_order(cast.operations))
    began, ended = AuditEntry.objects.order_by("pk")
    assert (ended.status, ended.began, ended.actor) == ("succeeded", began, cast.operations)
    assert ended.answered["subscriptions"] == ["ms-order-1-0"]
    assert list(AuditEntry.objects.current()) == [ended]


def test_no_transaction_is_open_while_microsoft_is_called(cast, provider, transactional_db):
    open_blocks = []
    provider.on_call = lambda verb: open_blocks.append(connection.in_atomic_block)
    advance(make_order(cast.operations))
    assert open_blocks == [False] * 4


def test_two_workers_never_take_the_same_step(cast, provider):
    order = make_order(cast.operations)
    provider.on_call = lambda verb: advance_order(order.pk, NOW)
    assert advance_order(order.pk, NOW)
    assert provider.calls == ["create_cart"]


def test_a_worker_that_lost_its_lease_writes_nothing(cast, provider):
    order = make_order(cast.operations)
    provider.on_call = lambda verb: Order.objects.filter(pk=order.pk).update(fence=99)
    advance_order(order.pk, NOW)
    order.refresh_from_db()
    assert (order.state, order.provider_cart_id, order.fence) == ("submitted", "", 99)


def test_a_checkout_whose_answer_was_lost_is_repeated_with_the_same_id_and_buys_once(cast, provider):
    provider.fail_next("checkout", "drop_after", "drop_after")
    order = make_order(cast.operations)
    advance(order, 2)
    assert (order.state, order.error) == ("placing", "The connection broke before an answer came.")
    advance(order)
    assert order.state == "completed"
    assert provider.bought == ["cart-1"]
    assert len(provider.request_ids["checkout"]) == 3
    assert len(set(provider.request_ids["checkout"])) == 1


def test_a_worker_killed_between_checkout_and_settling_is_followed_by_one_that_buys_nothing_more(cast, provider):
    order = make_order(cast.operations)
    advance(order, 1)

    def die(verb: str) -> None:
        raise KeyboardInterrupt

    provider.on_call = die
    with pytest.raises(KeyboardInterrupt):
        advance_order(order.pk, NOW)
    order.refresh_from_db()
    assert order.state == "placing"
    provider.on_call = None
    assert not advance_order(order.pk, later(seconds=60))
    advance(order)
    assert (order.state, provider.bought) == ("completed", ["cart-1"])


def test_a_refusal_before_anything_was_bought_fails_the_order_with_advice(cast, provider, changes):
    provider.fail_next(
        "checkout", Rejected("No customer agreement.", "Let the customer sign it.", raw='{"code":13605}')
    )
    order = make_order(cast.operations)
    advance(order)
    ended = AuditEntry.objects.latest("pk")
    assert (order.state, order.error, order.advice) == ("failed", "No customer agreement.", "Let the customer sign it.")
    assert Subscription.objects.get().status == "deleted"
    assert [change.kind for change in changes] == ["order_failed"]
    assert (ended.status, ended.answered["said"]) == ("failed", '{"code":13605}')


def test_a_refusal_after_a_lost_answer_stops_for_a_person_because_something_may_be_bought(cast, provider):
    provider.fail_next("checkout", OutcomeUnknown("Lost."), Rejected("The cart was submitted already.", "Look there."))
    order = make_order(cast.operations)
    advance(order)
    assert (order.state, order.is_stalled) == ("placing", True)
    assert order.advice == "Look there. Then check again here."
    assert Subscription.objects.get().status == "pending"


def test_refused_credentials_fail_an_order_and_are_not_tried_in_a_loop(cast, provider):
    provider.fail_next("create_cart", Unauthorized("The secret was refused.", "Reconnect Partner Center."))
    order = make_order(cast.operations)
    advance(order)
    assert (order.state, order.advice, provider.calls) == ("failed", "Reconnect Partner Center.", ["create_cart"])


def test_refused_credentials_after_the_purchase_stop_the_order_without_failing_it(cast, provider):
    provider.fail_next("order_state", Unauthorized("The secret was refused.", "Reconnect Partner Center."))
    order = make_order(cast.operations)
    advance(order)
    assert (order.state, order.is_stalled) == ("provisioning", True)
    assert provider.calls.count("order_state") == 1


def test_an_unavailable_far_side_is_tried_later_and_as_late_as_it_asks(cast, provider):
    provider.fail_next("checkout", Unavailable("Busy."), Unavailable("Too many.", retry_after=57))
    order = make_order(cast.operations)
    advance(order, 2)
    assert (order.state, order.due_at) == ("submitted", NOW + timedelta(seconds=1))
    advance(order, 1)
    assert order.due_at == NOW + timedelta(seconds=1 + 57)
    advance(order)
    assert (order.state, provider.bought) == ("completed", ["cart-1"])


def test_lines_fail_and_succeed_each_by_themselves(cast, provider, changes):
    refused, gave_up, fine = (
        make_variant(cast.csp, title, availability_id=title[-1]) for title in ("Offer A", "Offer B", "Offer C")
    )
    provider.refuse_lines[refused.catalog_item_id] = "Not for this segment."
    provider.fail_provisioning_of.add(gave_up.catalog_item_id)
    order = make_order(cast.operations, refused, gave_up, fine)
    advance(order)
    assert order.state == "partly_failed"
    assert [line.error for line in order.lines.order_by("pk")] == [
        "Not for this segment.",
        "Microsoft gave up on it. Order it again.",
        "",
    ]
    statuses = Subscription.objects.order_by("pk").values_list("status", flat=True)
    assert list(statuses) == ["deleted", "deleted", "active"]
    assert [change.kind for change in changes] == ["order_failed", "order_failed", "activated"]
    assert AuditEntry.objects.latest("pk").status == "failed"


def test_an_order_of_which_every_line_is_refused_failed(cast, provider):
    variant = make_variant(cast.csp)
    provider.refuse_lines[variant.catalog_item_id] = "Not for this segment."
    order = make_order(cast.operations, variant)
    advance(order)
    assert (order.state, order.due_at) == ("failed", None)
