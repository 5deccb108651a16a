"""What a rehearsal shows is what going live does: random changes, rehearsed together and then sent one by one."""

import random
from datetime import date, timedelta

import pytest

from connections.modes import rehearse_connection
from portal.audit import Actor
from syncops import going_live as live
from syncops.evidence import comparison_of
from syncops.models import Rehearsal, SyncOperation, Write

POLICIES = (
    {},
    {"posted_period": "hold"},
    {"after_failure": "hold_line", "posted_period": "hold"},
    {"foreign_change": "put_back"},
    {"price_change": "zero_and_restore", "margin_date": "next_period_start"},
    {"seat_increase": "next_period", "seat_decrease": "next_period", "licence_suspension": "zero"},
    {"renewal": "extend_and_reprice"},
)
STOPPED = SyncOperation.NEEDS_A_PERSON


def something_happens(desk, dice: random.Random) -> None:
    """One change at Microsoft, of any date, in no order."""
    day = date(2026, 5, 10) + timedelta(days=dice.randrange(0, 80))
    what = dice.choices(("quantity", "price", "suspend", "cancel", "renew", "late"), (8, 3, 1, 1, 1, 1))[0]
    if what == "quantity":
        desk.change_quantity(dice.randrange(1, 25), day)
    elif what == "price":
        type(desk.subscription).objects.filter(pk=desk.subscription.pk).update(list_price=dice.randrange(3, 9))
        desk.record("price_changed", day)
    elif what == "suspend":
        desk.record("suspended", day)
        desk.record("reactivated", day + timedelta(days=9))
    elif what == "late":
        desk.change_quantity(dice.randrange(1, 25), date(2028, 1, 5))  # the contract ends on 31 December 2027
    elif what == "cancel" and dice.random() < 0.3:
        desk.record("cancelled", day)
    elif what == "renew":
        desk.record("renewed", day, ends_on="2028-06-30")


def live_shown(operation) -> list[tuple[str, int]]:
    writes = operation.writes.filter(kind=Write.Kind.ADJUST, state=Write.State.APPLIED).order_by("pk")
    return [(str(write.effective_on), write.unit_change) for write in writes]


@pytest.mark.parametrize("seed", range(14))
def test_going_live_does_what_the_rehearsal_showed(desk, seed):
    dice, actor = random.Random(seed), desk.cast.admin
    desk.decide(**POLICIES[seed % len(POLICIES)])
    if seed % 2:
        desk.map()
        desk.drain()
    rehearse_connection(desk.connection, actor=Actor.user(actor), now=desk.clock.now)
    if not seed % 2:
        desk.map()
    for _ in range(dice.randrange(2, 7)):
        something_happens(desk, dice)
        if dice.random() < 0.5:
            desk.drain()
    if seed % 2 and dice.random() < 0.6:
        desk.psa.edit(desk.line, date(2026, 6, dice.randrange(1, 28)), 14)
    if seed % 2 and dice.random() < 0.5:  # of a line that is not there nobody can tell what is posted
        desk.psa.post_through(100, date(2026, 5, 31))
    live.plan_again(desk.connection, desk.clock.now)
    desk.drain()
    desk.connection.refresh_from_db()
    seen = live.gathered_on(desk.connection, desk.clock.now)
    live.go_live(desk.connection, seen=seen.fingerprint, actor=actor, now=desk.clock.now)
    for _ in range(4):
        desk.drain()
        desk.clock.wait(1000)
    for row in Rehearsal.objects.select_related("operation"):
        operation, shown = row.operation, row.shown
        what = (seed, operation.pk, operation.kind, row.verdict, row.problem, operation.state, operation.error)
        assert (row.verdict == "stops") == (operation.state in (*STOPPED, *SyncOperation.MOVING)), what
        planned = [(one["effective"], one["unit_change"]) for one in shown.get("adjustments", [])]
        assert live_shown(operation) == planned, what
        if operation.state == "succeeded" and shown:
            compared = comparison_of(operation)
            assert compared is None or compared.agrees, (what, compared)
            missing = sum(gap.amount or 0 for gap in operation.shortfalls.given_up())
            assert missing == row.shortfall, what
