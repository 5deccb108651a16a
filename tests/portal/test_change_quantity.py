"""Changing the number of seats: asked once, sent once, recorded as a change when Microsoft has it."""

from datetime import date, timedelta

import pytest
from django.core.exceptions import ValidationError

from portal import tasks
from portal.actions.subscription_requests import run_request
from portal.actions.subscriptions import request_quantity, resume_request
from portal.far_side import OutcomeUnknown, Rejected, Unauthorized, Unavailable
from portal.models import AuditEntry, Subscription, SubscriptionRequest
from tests.cast import make_customer, make_subscription, make_variant
from tests.portal.purchases import NOW

LATE = NOW.replace(hour=22, minute=30)  # the next day in Brussels


@pytest.fixture
def subscription(cast, provider) -> Subscription:
    made = make_subscription(make_customer(cast.csp), make_variant(cast.csp), external_id="ms-1")
    provider.set("ms-1", 10)
    return made


@pytest.fixture
def ask(cast, subscription):
    def ask(quantity: int) -> SubscriptionRequest:
        return request_quantity(subscription, quantity=quantity, actor=cast.operations, now=NOW)

    return ask


def finish(request: SubscriptionRequest) -> None:
    now = NOW
    while request.due_at is not None:
        now = max(now, request.due_at, request.lease_until or now)
        run_request(request.pk, now)
        request.refresh_from_db()


def test_a_confirmed_quantity_is_recorded_as_of_the_day_in_the_organizations_zone(ask, provider, changes):
    request = ask(12)
    run_request(request.pk, LATE)
    request.refresh_from_db()
    assert (request.state, request.due_at, request.finished_at) == ("succeeded", None, LATE)
    assert provider.request_ids["change_quantity"] == [request.request_id]
    assert Subscription.objects.get().quantity == 12
    made = changes[0]
    assert (made.kind, made.effective_on, made.correlation_id) == (
        "quantity_changed",
        date(2026, 5, 11),
        request.request_id,
    )
    assert (made.before, made.after) == ({"quantity": 10}, {"quantity": 12})


def test_the_audit_log_has_its_beginning_and_its_end(ask, cast):
    finish(ask(12))
    began, ended = AuditEntry.objects.order_by("pk")
    assert (began.name, began.status, ended.status) == ("Change Quantity", "in_progress", "succeeded")
    assert (ended.began, ended.before, ended.after) == (began, {"quantity": 10}, {"quantity": 12})
    assert ended.actor == cast.operations


def test_the_same_wish_twice_is_one_request_and_another_one_has_to_wait(ask):
    assert ask(12) == ask(12)
    with pytest.raises(ValidationError, match="on its way"):
        ask(13)
    assert SubscriptionRequest.objects.count() == 1


def test_a_lost_answer_is_settled_by_reading_back(ask, provider, changes):
    provider.fail_next("change_quantity", "drop_after")
    request = ask(12)
    finish(request)
    assert request.state == "succeeded"
    assert provider.calls == ["change_quantity", "subscription"]
    assert len(changes) == 1


def test_a_change_that_never_arrived_is_sent_again_with_the_same_id(ask, provider, changes):
    provider.fail_next("change_quantity", OutcomeUnknown("Lost."))
    request = ask(12)
    finish(request)
    assert (request.state, provider.subscriptions["ms-1"].quantity) == ("succeeded", 12)
    assert provider.calls == ["change_quantity", "subscription", "change_quantity"]
    assert set(provider.request_ids["change_quantity"]) == {request.request_id}
    assert len(changes) == 1


def test_a_refused_decrease_fails_with_microsofts_window_explained(ask, provider, changes):
    provider.fail_next("change_quantity", Rejected("Subscription quantity cannot be decreased.", raw='{"code":800090}'))
    request = ask(8)
    finish(request)
    assert (request.state, request.error) == ("failed", "Subscription quantity cannot be decreased.")
    assert "within 7 days" in request.advice
    assert AuditEntry.objects.latest("pk").answered["said"] == '{"code":800090}'
    assert changes == []


def test_a_refusal_of_the_repeat_is_not_believed_before_reading_back(ask, provider):
    provider.fail_next("change_quantity", "drop_after", Rejected("A change is pending."))
    provider.fail_next("subscription", Unavailable("Busy."))
    request = ask(12)
    finish(request)
    assert request.state == "succeeded"


def test_an_unavailable_far_side_is_tried_later(ask, provider):
    provider.fail_next("change_quantity", Unavailable("Too many.", retry_after=57))
    request = ask(12)
    run_request(request.pk, NOW)
    request.refresh_from_db()
    assert (request.state, request.due_at) == ("planned", NOW + timedelta(seconds=57))
    finish(request)
    assert request.state == "succeeded"


def test_refused_credentials_fail_the_request_and_in_doubt_stop_it_for_a_person(ask, provider):
    provider.fail_next("change_quantity", Unauthorized("Refused.", "Reconnect."))
    request = ask(12)
    finish(request)
    assert (request.state, request.advice) == ("failed", "Reconnect.")
    provider.fail_next("change_quantity", "drop_after")
    provider.fail_next("subscription", Unauthorized("Refused.", "Reconnect."))
    doubtful = ask(13)
    finish(doubtful)
    assert (doubtful.state, doubtful.is_stalled) == ("sending", True)
    assert resume_request(doubtful, now=NOW + timedelta(hours=1))
    doubtful.refresh_from_db()
    finish(doubtful)
    assert doubtful.state == "succeeded"


def test_two_workers_send_it_once(ask, provider):
    request = ask(12)
    provider.on_call = lambda verb: run_request(request.pk, NOW)
    run_request(request.pk, NOW)
    assert provider.calls == ["change_quantity"]


def test_a_killed_worker_is_followed_by_one_that_sends_the_same_id(ask, provider):
    request = ask(12)

    def die(verb: str) -> None:
        raise KeyboardInterrupt

    provider.on_call = die
    with pytest.raises(KeyboardInterrupt):
        run_request(request.pk, NOW)
    provider.on_call = None
    request.refresh_from_db()
    assert request.state == "sending"
    assert not tasks.due(NOW)
    finish(request)
    assert request.state == "succeeded"


def test_a_change_that_the_portal_knows_already_is_not_recorded_twice(ask, provider, changes):
    request = ask(12)
    Subscription.objects.update(quantity=12)
    finish(request)
    assert request.state == "succeeded"
    assert changes == []


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"status": "suspended"}, "suspended"),
        ({"status": "pending", "external_id": ""}, "not provisioned"),
        ({"quantity": 12}, "12 seats already"),
    ],
)
def test_what_cannot_be_changed_says_why(ask, subscription, fields, words):
    for name, value in fields.items():
        setattr(subscription, name, value)
    with pytest.raises(ValidationError, match=words):
        ask(12)


def test_an_azure_plan_has_no_seats(cast, changes):
    plan = make_subscription(make_customer(cast.csp), make_variant(cast.csp, "Azure plan", category="azure_plan"))
    with pytest.raises(ValidationError, match="no seats"):
        request_quantity(plan, quantity=2, actor=cast.operations, now=NOW)
