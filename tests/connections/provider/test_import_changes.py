"""What somebody changes in Partner Center becomes facts here: by audit records, by the nightly comparison, by hints."""

from datetime import date, timedelta

import pytest

from connections.models import Hint
from connections.provider.partner_center.hints import ask_to_look
from portal.actions.subscriptions import record_change, request_quantity
from portal.audit import Actor
from portal.models import AuditEntry, SubscriptionRequest
from tests.connections.provider.imports import Importing

TODAY = date(2026, 3, 18)
MONTHLY = {"customer": "bakkerij-velde", "number": 3}


@pytest.fixture(autouse=True)
def nobody_listens(settings):
    settings.PORTAL_CHANGE_LISTENERS = []


@pytest.fixture
def importing(connection, far_side):
    importing = Importing(connection, far_side)
    importing.only("noordzee-logistics", "bakkerij-velde")
    importing.everything()
    return importing


def facts(subscription):
    """What was recorded of it, without its first import."""
    rows = subscription.changes.exclude(kind="activated").order_by("pk")
    return [(row.kind, row.effective_on, row.source) for row in rows]


def test_seats_that_were_added_are_known_within_the_hour_on_their_day(importing):
    row = importing.subscription()
    importing.there(row, quantity=53)
    importing.wait(hours=1)
    assert importing.changes().counts["hints"] == 1
    assert facts(row) == [("quantity_changed", TODAY, "partner_center")]
    assert importing.subscription().quantity == 53
    entry = AuditEntry.objects.get(name="Change Quantity")
    assert (entry.actor_label, entry.before, entry.after["quantity"]) == (
        "system: Partner Center, portal.user@partner.example",
        {"quantity": 48},
        53,
    )
    importing.wait(hours=1)
    assert importing.changes().counts.get("hints", 0) == 0
    importing.wait(days=1)
    importing.everything()
    assert len(facts(row)) == 1


def test_each_step_of_several_has_its_own_day(importing):
    row = importing.subscription()
    importing.there(row, quantity=50)
    importing.wait(days=2)
    importing.there(row, quantity=47)
    importing.wait(days=1)
    importing.far_side.sign_in()
    importing.changes()
    assert [
        (change.after["quantity"], change.effective_on) for change in row.changes.filter(kind="quantity_changed")
    ] == [
        (50, TODAY),
        (47, TODAY + timedelta(days=2)),
    ]


def test_the_nightly_comparison_alone_finds_it_on_the_day_it_looks(importing):
    row = importing.subscription()
    importing.there(row, quantity=53)
    importing.wait(days=1)
    assert importing.everything().counts["changed"] == 1
    assert facts(row) == [("quantity_changed", TODAY + timedelta(days=1), "partner_center")]


@pytest.mark.parametrize(
    ("fields", "kinds"),
    [
        ({"status": "suspended"}, ["suspended"]),
        ({"status": "deleted", "autoRenewEnabled": False}, ["cancelled"]),
        ({"friendlyName": "Kantoor"}, ["details_changed"]),
        ({"autoRenewEnabled": False}, ["details_changed"]),
        ({"partnerId": "4847383"}, ["reseller_changed"]),
        ({"quantity": 60, "friendlyName": "Kantoor"}, ["quantity_changed", "details_changed"]),
    ],
)
def test_what_changed_becomes_its_fact_once(importing, fields, kinds):
    row = importing.subscription()
    importing.there(row, **fields)
    importing.wait(hours=1)
    importing.changes()
    importing.wait(hours=1)
    importing.everything()
    assert [kind for kind, *_ in facts(row)] == kinds


def test_suspended_and_used_again(importing):
    row = importing.subscription()
    for status in ("suspended", "active"):
        importing.there(row, status=status)
        importing.wait(hours=1)
        importing.changes()
    assert [kind for kind, *_ in facts(row)] == ["suspended", "reactivated"]
    assert importing.subscription().status == "active"


def test_a_new_term_begins_on_its_own_day_with_the_seats_that_were_planned(importing):
    row = importing.subscription(**MONTHLY)
    importing.wait(days=(row.ends_on - TODAY).days + 2)
    importing.everything()
    assert facts(row) == [("renewed", row.ends_on + timedelta(days=1), "partner_center")]
    now = importing.subscription(**MONTHLY)
    assert (now.starts_on, now.status) == (row.ends_on + timedelta(days=1), "active")


def test_a_term_that_ran_out_ended_on_the_day_after_its_last(importing):
    row = importing.subscription(**MONTHLY)
    importing.there(row, autoRenewEnabled=False)
    importing.wait(days=(row.ends_on - TODAY).days + 3)
    importing.everything()
    assert facts(row) == [("cancelled", row.ends_on + timedelta(days=1), "partner_center")]
    assert importing.subscription(**MONTHLY).status == "expired"
    importing.wait(days=31)
    importing.everything()
    assert [kind for kind, *_ in facts(row)][-1] == "noted"
    assert importing.subscription(**MONTHLY).status == "disabled"


def test_our_own_change_on_its_way_is_not_recorded_a_second_time(importing, cast):
    row = importing.subscription()
    request = request_quantity(row, quantity=53, actor=cast.admin, now=importing.clock())
    SubscriptionRequest.objects.filter(pk=request.pk).update(state="sending")
    importing.there(row, quantity=53)  # Microsoft has it, and its answer is not here yet
    importing.wait(hours=1)
    importing.changes()
    assert facts(row) == []
    assert Hint.objects.waiting().count() == 1
    SubscriptionRequest.objects.filter(pk=request.pk).update(state="succeeded")
    record(importing.subscription(), cast, importing.clock(), quantity=53)
    importing.wait(minutes=5)
    importing.look()
    assert [source for *_, source in facts(row)] == ["portal"]


def test_an_answer_that_is_older_than_what_we_recorded_is_not_believed(importing, cast):
    row = importing.subscription()
    record(row, cast, importing.clock(), quantity=53)  # there it shows the 48 from before for a while
    importing.wait(minutes=2)
    ask_to_look(importing.connection, row.customer, row, now=importing.clock())
    importing.look()
    assert importing.subscription().quantity == 53
    importing.there(row, quantity=53)
    importing.wait(hours=1)
    importing.look()
    assert [source for *_, source in facts(row)] == ["portal"]


def test_what_stays_so_is_believed_in_the_end(importing, cast):
    row = importing.subscription()
    record(row, cast, importing.clock(), quantity=53)
    importing.wait(days=1)
    importing.everything()
    assert importing.subscription().quantity == 48


def record(row, cast, at, **after):
    record_change(
        row,
        kind="quantity_changed",
        effective_on=TODAY,
        source="portal",
        after=after,
        actor=Actor.user(cast.admin),
        at=at,
    )


def test_a_person_asks_for_one_subscription_or_for_all_of_a_customer(importing):
    row, other = importing.subscription(), importing.subscription(number=3)
    importing.there(row, quantity=53)
    importing.there(other, quantity=26)
    before = importing.requests()
    for _ in range(2):
        ask_to_look(importing.connection, row.customer, row, now=importing.clock())
    importing.look()
    assert importing.requests() - before == 1
    assert (importing.subscription().quantity, importing.subscription(number=3).quantity) == (53, 25)
    ask_to_look(importing.connection, row.customer, now=importing.clock())
    importing.look()
    assert importing.subscription(number=3).quantity == 26
