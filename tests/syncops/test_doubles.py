"""Writes that were applied twice: found by reading the line, shown to a person, closed when they are gone."""

from datetime import date, timedelta

import pytest
from django.urls import reverse

from connections import registry
from portal.models import AuditEntry
from syncops import doubles, tasks
from syncops.changes import Ours
from syncops.models import DoubledWrite, Lane, Stream
from syncops.proof import shown_twice
from syncops.timeline import Adjustment, Level, Timeline
from tests.syncops.desk import operation_of

DAY_S = 24 * 60 * 60
MAY_1, MAY_10, MAY_20 = (date(2026, 5, day) for day in (1, 10, 20))


@pytest.fixture
def changed(mapped, monkeypatch):
    """The subscription went from 10 to 12 from 20 May on, proved; its connection answers from memory."""
    monkeypatch.setitem(registry.PSAS, "autotask", lambda connection, **options: mapped.psa)
    mapped.change_quantity(12, MAY_20)
    mapped.drain()
    mapped.psa.calls.clear()
    return mapped


def apply_again(desk):
    """What a worker does that was frozen in the middle of its send and wakes up."""
    desk.psa.adjust(desk.psa.applied[-1])


def compare(desk):
    """The next day's comparison."""
    desk.clock.wait(DAY_S)
    return doubles.compare_connection(desk.connection.pk, desk.clock.now)


def steps(*pairs):
    return Timeline.from_steps((day, Level(units)) for day, units in pairs)


@pytest.mark.parametrize(
    ("found", "twice"),
    [
        (steps((MAY_1, 10), (MAY_10, 12)), ()),
        (steps((MAY_1, 10), (MAY_10, 14)), (0,)),
        (steps((MAY_1, 10), (MAY_10, 13)), ()),  # one of somebody else's
        (steps((MAY_1, 10), (MAY_10, 12), (MAY_20, 14)), ()),  # two more, on another day
        (steps((MAY_1, 9), (MAY_10, 13)), (0,)),  # twice, and one taken away before
        (steps((MAY_1, 10)), ()),
    ],
)
def test_a_write_shows_twice_where_its_units_begin_once_more_on_its_date(found, twice):
    change = Adjustment(MAY_10, 2)
    ours = Ours(applied=(Adjustment(MAY_1, 10), change))
    assert shown_twice(ours, found, [change]) == twice


def test_a_decrease_shows_twice_as_well():
    ours = Ours(applied=(Adjustment(MAY_1, 10), Adjustment(MAY_10, -3)))
    assert shown_twice(ours, steps((MAY_1, 10), (MAY_10, 4)), [Adjustment(MAY_10, -3)]) == (0,)


def test_of_two_writes_on_one_date_one_is_named():
    both = (Adjustment(MAY_10, 2), Adjustment(MAY_10, 2))
    assert shown_twice(Ours(applied=both), steps((MAY_10, 6)), both) == (1,)


def test_a_line_that_shows_each_write_once_is_left_alone(changed):
    assert compare(changed) == 1
    assert not DoubledWrite.objects.exists()


def test_a_write_that_was_applied_again_is_found_within_a_day(changed):
    apply_again(changed)
    compare(changed)
    row = DoubledWrite.objects.get()
    assert (row.write.unit_change, row.found_units, row.closed_at) == (2, 4, None)
    assert AuditEntry.objects.get(name="Find Double Write").status == "failed"
    compare(changed)
    assert AuditEntry.objects.filter(name="Find Double Write").count() == 1


def test_it_closes_by_itself_once_the_line_is_right_also_when_the_write_is_old(changed):
    apply_again(changed)
    compare(changed)
    changed.psa.edit(changed.line, MAY_20, 12)
    changed.clock.wait(9 * DAY_S)
    compare(changed)
    assert DoubledWrite.objects.get().closed_at is not None
    assert AuditEntry.objects.filter(name="Double Write Is Gone").count() == 1


def test_it_is_found_at_once_where_the_proof_shows_it(mapped):
    mapped.psa.meanwhile("adjust", lambda: mapped.psa.edit(mapped.line, MAY_20, 14))
    mapped.change_quantity(12, MAY_20)
    mapped.drain()
    assert operation_of(mapped, "change_quantity").proof["matched"] is False
    assert DoubledWrite.objects.get().found_units == 4


def test_what_somebody_else_added_is_not_taken_for_it(mapped):
    mapped.psa.meanwhile("adjust", lambda: mapped.psa.edit(mapped.line, MAY_20, 15))
    mapped.change_quantity(12, MAY_20)
    mapped.drain()
    assert operation_of(mapped, "change_quantity").proof["matched"] is False
    assert not DoubledWrite.objects.exists()


def test_lines_are_read_together_and_once_a_day(changed):
    compare(changed)
    assert [verb for verb, _ in changed.psa.calls] == ["unit_rows"]
    assert doubles.compare_connection(changed.connection.pk, changed.clock.now) == 0
    assert doubles.connections_due(changed.clock.now) == []
    assert doubles.connections_due(changed.clock.now + timedelta(days=1)) == [changed.connection.pk]


def test_a_line_that_is_being_written_to_is_left_for_the_next_day(changed):
    apply_again(changed)
    Stream.objects.update(lease_until=changed.clock.now + timedelta(days=2))
    assert compare(changed) == 0
    assert not DoubledWrite.objects.exists()


def test_a_line_that_was_written_to_meanwhile_proves_nothing(changed):
    apply_again(changed)
    changed.psa.meanwhile("unit_rows", lambda: Stream.objects.update(fence=99))
    compare(changed)
    assert not DoubledWrite.objects.exists()


@pytest.mark.parametrize("fault", ["unavailable", "unauthorized"])
def test_a_far_side_that_is_away_is_asked_again_in_an_hour(changed, fault):
    apply_again(changed)
    changed.psa.fail_next("unit_rows", fault)
    compare(changed)
    later = changed.clock.now + doubles.AGAIN_AFTER
    assert Lane.objects.filter(compared_at__lte=later - doubles.EVERY).exists()
    changed.connection.refresh_from_db()
    assert (changed.connection.state == "unauthorized") == (fault == "unauthorized")


def test_the_worker_does_it_by_itself(changed):
    apply_again(changed)
    tasks.work(changed.clock.now + timedelta(days=2))
    assert DoubledWrite.objects.open().exists()


def test_the_inbox_shows_it_and_a_person_may_say_that_it_is_right(changed, as_user):
    apply_again(changed)
    compare(changed)
    client, row = as_user(changed.cast.billing), DoubledWrite.objects.get()
    text = client.get(reverse("syncops:inbox")).content.decode()
    assert "A change shows twice" in text
    assert '1<span class="hidden"> waiting' in text
    url = reverse("syncops:doubled_accept", args=[row.pk])
    client.post(url, {"reason": " "})
    assert DoubledWrite.objects.open().exists()
    client.post(url, {"reason": "Two more were agreed on"})
    client.post(url, {"reason": "A second click"})
    row.refresh_from_db()
    assert (row.reason, row.closed_by) == ("Two more were agreed on", changed.cast.billing)
    assert AuditEntry.objects.filter(name="Accept Double Write").count() == 1
    compare(changed)
    assert not DoubledWrite.objects.open().exists()


@pytest.mark.parametrize(
    ("mended", "words"), [(True, "shows the change once now"), (False, "still shows the change twice")]
)
def test_a_person_may_have_the_line_read_again_at_once(changed, as_user, mended, words):
    apply_again(changed)
    compare(changed)
    if mended:
        changed.psa.edit(changed.line, MAY_20, 12)
    row, client = DoubledWrite.objects.get(), as_user(changed.cast.billing)
    answer = client.post(reverse("syncops:doubled_look", args=[row.pk]), follow=True)
    assert words in answer.content.decode()
    row.refresh_from_db()
    assert (row.closed_at is not None) is mended


def test_a_line_that_is_written_to_or_cannot_be_read_is_not_judged(changed, as_user):
    apply_again(changed)
    compare(changed)
    url, client = reverse("syncops:doubled_look", args=[DoubledWrite.objects.get().pk]), as_user(changed.cast.billing)
    changed.psa.fail_next("unit_rows", "unavailable")
    assert "cannot be read now" in client.post(url, follow=True).content.decode()
    Stream.objects.update(lease_until="2099-01-01T00:00Z")
    assert "on its way to this line" in client.post(url, follow=True).content.decode()
    assert DoubledWrite.objects.open().exists()


def test_nobody_else_sees_or_closes_it(changed, as_user):
    apply_again(changed)
    compare(changed)
    url = reverse("syncops:doubled_accept", args=[DoubledWrite.objects.get().pk])
    look = f"{url}look/"
    client = as_user(changed.cast.reader)
    assert [client.post(one, {"reason": "x"}).status_code for one in (url, look)] == [403, 403]
    client = as_user(changed.cast.stranger)
    assert [client.post(one, {"reason": "x"}).status_code for one in (url, look)] == [404, 404]
    assert "A change shows twice" not in client.get(reverse("syncops:inbox")).content.decode()
