"""Reading what changed."""

from dataclasses import replace
from datetime import timedelta

import pytest

from connections import mirror, reading
from connections.models import MirroredCompany, MirroredContract, MirroredLine, MirrorRefresh
from connections.refusals import Refused
from tests.connections.conftest import NOW
from tests.connections.far_sides import CONTRACT, SERVICE, YEAR
from tests.fake_psa import a_company, a_contract

SOON = NOW + timedelta(minutes=5)
LONG_AGO = NOW - timedelta(days=300)


@pytest.fixture
def whole(connection, far, monkeypatch):
    """Everything was read; the far side's clock is half an hour behind ours. Its few ids do not overlap."""
    monkeypatch.setattr(reading, "OVERLAP_IDS", 0)
    far.psa.as_of = NOW - timedelta(minutes=30)
    return run(mirror.start_refresh(connection, now=NOW))


def run(refresh, now=NOW, **options):
    return mirror.run_refresh(refresh.pk, clock=lambda: now, **options)


def changes(connection, now=SOON, **options):
    return run(mirror.start_changes(connection, now=now), now, **options)


def renamed(far, name="Renamed", *, at, company=10):
    far.psa.put_company(replace(far.psa.company(company), name=name, modified_at=at))


def test_only_what_changed_is_read_and_kept(connection, far, whole):
    renamed(far, at=far.psa.as_of + timedelta(minutes=1))
    renamed(far, "Old news", at=LONG_AGO, company=11)
    refresh = changes(connection)
    assert (refresh.state, refresh.message, refresh.scope) == ("succeeded", "", "changes")
    assert MirroredCompany.objects.get(remote_id=10).search_name == "renamed"
    assert MirroredCompany.objects.get(remote_id=11).name != "Old news"


def test_time_is_that_of_the_far_side_with_some_overlap(connection, far, whole):
    assert whole.as_of == NOW - timedelta(minutes=30)
    renamed(far, at=whole.as_of - reading.OVERLAP)
    renamed(far, "Earlier", at=whole.as_of - reading.OVERLAP - timedelta(seconds=1), company=11)
    changes(connection)
    assert MirroredCompany.objects.filter(name__in=["Renamed", "Earlier"]).get().remote_id == 10


def test_new_rows_are_found_by_their_ids_even_if_nothing_dates_them(connection, far, whole):
    far.psa.keeps_no_dates_of = ("companies", "contracts")
    far.psa.put_company(a_company(9000, "New"))
    far.psa.put_contract(a_contract(70, "Not told", company_id=10, **YEAR, modified_at=NOW))
    refresh = changes(connection)
    assert MirroredCompany.objects.filter(remote_id=9000).exists()
    assert MirroredContract.objects.get(remote_id=70).name == "Monthly"
    assert refresh.message == (
        "It does not tell when companies and contracts change: changed ones are read once a day."
    )


def test_a_row_that_shows_after_a_higher_id_is_not_missed(connection, far, whole, monkeypatch):
    monkeypatch.setattr(reading, "OVERLAP_IDS", 5)
    far.psa.put_company(a_company(8, "Late"))
    far.psa.put_company(a_company(7, "Too late"))
    changes(connection)
    assert MirroredCompany.objects.filter(name__endswith="ate").get().name == "Late"


def test_new_lines_and_those_of_changed_contracts_come_along(connection, far, whole):
    far.psa.add_line(CONTRACT, SERVICE, key="new", line_id=5000)
    far.psa.put_contract(a_contract(70, "Monthly", company_id=10, **YEAR, modified_at=NOW))
    MirroredLine.objects.update(key="old")
    changes(connection)
    assert {line.remote_id: line.key for line in MirroredLine.objects.all()} == {90: "sub-1", 5000: "new"}


def test_many_changed_contracts_are_asked_for_in_parts(connection, far, whole, monkeypatch):
    monkeypatch.setattr(reading, "CONTRACTS_AT_ONCE", 2)
    for number in range(70, 75):
        far.psa.put_contract(a_contract(number, "Changed", company_id=10, **YEAR, modified_at=NOW))
    far.psa.add_line(74, SERVICE, key="last", line_id=20)
    far.psa.calls.clear()
    assert changes(connection).state == "succeeded"
    assert len([verb for verb, _ in far.psa.calls if verb == "lines"]) == 3
    assert MirroredLine.objects.filter(remote_id=20).exists()


def test_the_next_reading_begins_where_the_last_good_one_began(connection, far, whole):
    far.psa.as_of = NOW
    first = changes(connection)
    assert (first.since, first.as_of) == (whole.as_of - reading.OVERLAP, NOW)
    far.psa.fail_next("services", "reject")
    failed = changes(connection, SOON + timedelta(minutes=5))
    assert (failed.state, failed.since) == ("failed", NOW - reading.OVERLAP)
    assert changes(connection, SOON + timedelta(minutes=10)).since == NOW - reading.OVERLAP


def test_changes_drop_nothing_and_old_readings_of_them_are_forgotten(connection, far, whole):
    far.psa._companies.clear()
    for minutes in range(5, 60, 5):
        assert changes(connection, NOW + timedelta(minutes=minutes)).gone == {}
    assert MirroredCompany.objects.count() == 4
    assert MirrorRefresh.objects.of_changes().count() == 2
    assert MirrorRefresh.objects.full().get() == whole


def test_an_older_answer_never_replaces_a_newer_row(connection, far, whole):
    renamed(far, "Newer", at=NOW)
    changes(connection)
    renamed(far, "Stale", at=NOW - timedelta(minutes=1))
    changes(connection, SOON + timedelta(minutes=5))
    assert MirroredCompany.objects.get(remote_id=10).name == "Newer"


def test_a_reading_of_changes_that_was_killed_goes_on_where_it_was(connection, far, whole):
    renamed(far, at=NOW)
    far.psa.put_contract(a_contract(70, "Changed", company_id=10, **YEAR, modified_at=NOW))
    refresh = mirror.start_changes(connection, now=SOON)
    far.psa.meanwhile("lines", lambda: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        run(refresh, SOON)
    MirroredLine.objects.update(key="old")
    far.psa.calls.clear()
    refresh = run(refresh, SOON + timedelta(hours=1))
    assert refresh.state == "succeeded"
    assert ("companies", 11) not in far.psa.calls
    assert MirroredLine.objects.get().key == "sub-1", "its contract was stored before the end"


def test_a_reading_whose_time_is_up_goes_on_later(connection, far, whole):
    renamed(far, at=NOW)
    refresh = changes(connection, budget_s=0)
    began, far.psa.as_of = far.psa.as_of, NOW + timedelta(hours=1)
    assert (refresh.state, refresh.cursor) == ("running", {"companies": 10})
    refresh = run(refresh, SOON)
    assert (refresh.state, refresh.as_of) == ("succeeded", began), "the next one begins where this one began"


def test_without_a_complete_reading_changes_are_refused(connection, far):
    with pytest.raises(Refused):
        mirror.start_changes(connection, now=NOW)
    far.psa.as_of = None
    assert run(mirror.start_refresh(connection, now=NOW)).state == "succeeded"
    with pytest.raises(Refused):
        mirror.start_changes(connection, now=NOW)


def test_a_person_who_presses_refresh_does_not_wait_for_changes(connection, far, whole):
    of_changes = mirror.start_changes(connection, now=SOON)
    full = mirror.start_refresh(connection, now=SOON)
    assert full.scope == "everything"
    assert run(of_changes, SOON).state == "failed"
    assert mirror.start_changes(connection, now=SOON) == full
    assert run(full, SOON).state == "succeeded"


def test_a_worker_that_reads_changes_stops_when_everything_is_read_instead(connection, far, whole):
    renamed(far, at=NOW)
    refresh = mirror.start_changes(connection, now=SOON)
    far.psa.meanwhile("companies", lambda: mirror.start_refresh(connection, now=SOON))
    assert run(refresh, SOON).message == "Everything is being read instead."
    assert MirroredCompany.objects.get(remote_id=10).name == "Müller Bau GmbH"


def test_a_held_reading_still_waits_for_its_person_while_changes_are_read(connection, far, whole):
    MirrorRefresh.objects.create(connection=connection, state="held", started_at=NOW)
    changes(connection)
    assert MirrorRefresh.objects.undecided().count() == 1


def test_a_far_side_whose_clock_went_back_is_read_whole_first(connection, far, whole):
    far.psa.as_of = whole.as_of - timedelta(hours=1)
    refresh = changes(connection)
    assert (refresh.state, "Its clock went back" in refresh.message) == ("failed", True)
    connection.refresh_from_db()
    assert not connection.last_failure


def test_the_page_tells_how_fresh_the_data_are(as_user, cast, connection, far, whole):
    page = as_user(cast.admin)
    far.psa.keeps_no_dates_of = ("contracts",)
    changes(connection)
    shown = page.get(connection.get_absolute_url()).content.decode()
    assert "Complete as of" in shown
    assert "Changes as of" in shown
    assert "It does not tell when contracts change" in shown
    far.psa.fail_next("services", "reject")
    changes(connection, SOON + timedelta(minutes=5))
    assert "<small>The PSA says no. Ask a person.</small></dd></dl>" in (
        page.get(connection.get_absolute_url()).content.decode()
    )
    run(mirror.start_refresh(connection, now=SOON + timedelta(minutes=6)), SOON + timedelta(minutes=6))
    assert page.get(connection.get_absolute_url()).context["changes"] is None
