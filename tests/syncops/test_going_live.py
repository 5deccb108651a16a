"""Going live: what gathered is sent or dismissed as it was chosen, once, with the figures that were confirmed."""

from datetime import date

import pytest

from connections.models import Connection
from connections.modes import rehearse_connection
from portal.audit import Actor
from portal.models import AuditEntry
from syncops import going_live as live
from syncops.actions import NotPossible
from syncops.evidence import comparison_of
from syncops.models import GoingLive, SyncOperation
from tests.syncops.desk import operation_of

State = SyncOperation.State
JUNE_1 = date(2026, 6, 1)


@pytest.fixture
def gathered(desk):
    rehearse_connection(desk.connection, actor=Actor.user(desk.cast.admin), now=desk.clock.now)
    desk.map()
    desk.change_quantity(12, date(2026, 5, 15))
    desk.change_quantity(9, date(2026, 5, 20))
    desk.drain()
    desk.connection.refresh_from_db()
    return desk


def go(desk) -> GoingLive:
    seen = live.gathered_on(desk.connection, desk.clock.now).fingerprint
    return live.go_live(desk.connection, seen=seen, actor=desk.cast.admin, now=desk.clock.now)


def states() -> list[str]:
    return list(SyncOperation.objects.order_by("pk").values_list("state", flat=True))


def choose(desk, choice: str, **which) -> int:
    rows = live.gathered(desk.connection).filter(**which)
    how = {"choice": choice, "reason": "Agreed by phone." if choice == "dismiss" else "", "whom": "some"}
    return live.choose(desk.connection, rows, **how, actor=desk.cast.admin, now=desk.clock.now)


def test_what_gathered_is_sent_oldest_first_and_agrees_with_what_was_seen(gathered):
    going = go(gathered)
    assert (going.sent, going.dismissed) == (3, 0)
    gathered.drain()
    assert states() == [State.SUCCEEDED] * 3
    assert gathered.adjustments() == [("2026-05-10", 10), ("2026-05-15", 2), ("2026-05-20", -3)]
    assert [comparison_of(one) for one in SyncOperation.objects.order_by("pk") if not comparison_of(one).agrees] == []


def test_what_is_not_to_be_sent_is_planned_out_of_the_rest(gathered):
    first = operation_of(gathered, "change_quantity")
    middle = SyncOperation.objects.filter(kind="change_quantity").earliest("pk")
    choose(gathered, "dismiss", pk=middle.pk)
    with pytest.raises(NotPossible, match="being planned"):
        go(gathered)
    gathered.drain()
    first.rehearsal.refresh_from_db()
    assert [one["unit_change"] for one in first.rehearsal.shown["adjustments"]] == [-1]
    go(gathered)
    gathered.drain()
    assert states() == [State.SUCCEEDED, State.DISMISSED, State.SUCCEEDED]
    assert gathered.adjustments() == [("2026-05-10", 10), ("2026-05-20", -1)]
    ended = AuditEntry.objects.filter(name="Dismiss Operation").get()
    assert ended.asked == {"reason": "Agreed by phone."}


def test_what_came_meanwhile_is_looked_at_first(gathered):
    seen = live.gathered_on(gathered.connection, gathered.clock.now).fingerprint
    gathered.change_quantity(20, date(2026, 5, 25))
    for _ in range(2):
        with pytest.raises(NotPossible):
            live.go_live(gathered.connection, seen=seen, actor=gathered.cast.admin, now=gathered.clock.now)
        gathered.drain()
    assert set(states()) == {State.REHEARSED}
    assert gathered.psa.applied == []


def test_a_second_click_shows_what_the_first_began(gathered):
    first = go(gathered)
    assert go(gathered) == first
    gathered.drain()
    assert len(gathered.psa.applied) == 3
    assert AuditEntry.objects.filter(name="Switch Connection To Live").count() == 1


def test_a_mode_that_was_set_past_the_page_sends_nothing_without_a_yes(gathered):
    Connection.objects.update(mode="live")
    for _ in range(2):
        gathered.clock.wait(7 * 3600)
        gathered.drain()
    assert (set(states()), gathered.psa.applied) == ({State.REHEARSED}, [])
    assert go(gathered).sent == 3
    gathered.drain()
    assert set(states()) == {State.SUCCEEDED}


def test_nothing_is_chosen_once_it_is_live(gathered):
    rows = live.gathered(gathered.connection)
    go(gathered)
    with pytest.raises(NotPossible, match="live already"):
        live.choose(
            gathered.connection,
            rows,
            choice="dismiss",
            reason="x",
            whom="x",
            actor=gathered.cast.admin,
            now=gathered.clock.now,
        )


def test_a_dismissed_beginning_takes_the_rest_of_its_line_with_it(gathered):
    choose(gathered, "dismiss", operation__kind="map_subscription")
    gathered.drain()
    totals = live.gathered_on(gathered.connection, gathered.clock.now).totals
    assert (totals.sent, totals.stops, totals.dismissed, totals.this_bill) == (2, 2, 1, 0)


def test_a_connection_that_is_paused_does_not_go_live(gathered):
    Connection.objects.filter(pk=gathered.connection.pk).update(state="paused")
    with pytest.raises(NotPossible, match="paused"):
        go(gathered)
