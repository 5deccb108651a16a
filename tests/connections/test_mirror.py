"""Reading a PSA whole."""

from datetime import timedelta

import pytest
from django_q.models import OrmQ

from connections import mirror
from connections.models import (
    MirroredCompany,
    MirroredContract,
    MirroredLine,
    MirroredService,
    MirrorRefresh,
)
from connections.refusals import Refused
from portal.audit import Actor
from portal.far_side import Unauthorized
from portal.models import AuditEntry
from tests.connections.conftest import NOW, make_connection
from tests.connections.far_sides import LINE, YEAR
from tests.fake_psa import FakePsa, a_company, a_contract, a_service

LATER = NOW + timedelta(hours=1)


def read(connection, now=NOW, **options):
    refresh = mirror.start_refresh(connection, now=now)
    return mirror.run_refresh(refresh.pk, clock=lambda: now, **options)


def a_wide_psa(monkeypatch, companies=40):
    """Companies in pages of 5."""
    psa = FakePsa(
        companies=[a_company(number) for number in range(1, companies + 1)],
        services=[a_service()],
        contracts=[a_contract(**YEAR)],
        page=5,
    )
    monkeypatch.setitem(mirror.PSAS, "autotask", lambda connection, **how: psa)
    return psa


def test_everything_is_kept_as_it_was_read(connection, far):
    refresh = read(connection)
    assert refresh.state == "succeeded"
    assert refresh.counts == {"companies": 4, "services": 3, "contracts": 3, "lines": 1}
    company = MirroredCompany.objects.get(remote_id=10)
    assert (company.name, company.search_name, company.type_label) == ("Müller Bau GmbH", "muller bau gmbh", "Customer")
    assert MirroredService.objects.get(remote_id=31).unit_price == far.psa.service(31).unit_price
    contract = MirroredContract.objects.get(remote_id=70)
    assert (contract.company_remote_id, contract.period, contract.ends_on) == (10, "monthly", YEAR["ends_on"])
    line = MirroredLine.objects.get(remote_id=LINE)
    assert (line.contract_remote_id, line.service_remote_id, line.key) == (70, 30, "sub-1")
    connection.refresh_from_db()
    assert connection.mirrored_at == connection.last_success_at == NOW


def test_a_second_reading_overwrites_what_changed_and_doubles_nothing(connection, far):
    read(connection)
    far.psa.put_contract(a_contract(70, "Renamed", company_id=10, **YEAR))
    read(connection, LATER)
    assert MirroredContract.objects.count() == 3
    renamed = MirroredContract.objects.get(remote_id=70)
    assert (renamed.name, renamed.search_name, renamed.read_at) == ("Renamed", "renamed", LATER)


def test_two_connections_keep_apart_what_they_read(cast, connection, far):
    read(connection)
    read(make_connection(cast.csp, "Second"))
    assert MirroredCompany.objects.count() == 8
    assert mirror.counts_of(connection)["companies"] == 4


def test_a_reading_whose_time_is_up_wakes_a_worker_and_goes_on_where_it_was(connection, monkeypatch):
    psa = a_wide_psa(monkeypatch)
    OrmQ.objects.all().delete()
    refresh = read(connection, budget_s=0)
    assert (refresh.state, refresh.lease_until) == ("running", None)
    [(kind, last)] = refresh.cursor.items()
    assert OrmQ.objects.count() == 2
    psa.calls.clear()
    refresh = mirror.run_refresh(refresh.pk, clock=lambda: LATER)
    assert (refresh.state, refresh.counts["companies"]) == ("succeeded", 40)
    assert next(after for verb, after in psa.calls if verb == kind) == last
    assert set(MirroredCompany.objects.values_list("read_at", flat=True)) == {NOW}


def test_a_reading_that_was_killed_loses_no_page(connection, monkeypatch):
    psa = a_wide_psa(monkeypatch)
    refresh = mirror.start_refresh(connection, now=NOW)
    psa.meanwhile("companies", lambda: None)
    psa.meanwhile("companies", lambda: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        mirror.run_refresh(refresh.pk, clock=lambda: NOW)
    assert MirroredCompany.objects.count() == 5
    assert mirror.run_refresh(refresh.pk, clock=lambda: NOW).counts["companies"] == 5, "its lease is still held"
    refresh = mirror.run_refresh(refresh.pk, clock=lambda: LATER)
    assert (refresh.state, MirroredCompany.objects.count()) == ("succeeded", 40)


def test_a_worker_that_lost_its_lease_stores_nothing_more(connection, monkeypatch):
    a_wide_psa(monkeypatch)
    refresh = mirror.start_refresh(connection, now=NOW)

    def taken_over_after_the_first_page():
        if MirroredCompany.objects.exists():
            MirrorRefresh.objects.update(fence=99)
        return NOW

    mirror.run_refresh(refresh.pk, clock=taken_over_after_the_first_page)
    assert MirroredCompany.objects.count() == 5
    assert MirrorRefresh.objects.get().state == "running"


def test_only_one_reading_of_a_connection_runs(connection, far):
    first = mirror.start_refresh(connection, now=NOW)
    assert mirror.start_refresh(connection, now=LATER) == first
    mirror.run_refresh(first.pk, clock=lambda: NOW)
    assert mirror.start_refresh(connection, now=LATER) != first


def gone(connection, monkeypatch, count, of=40):
    """A reading after which `count` of `of` companies are gone at the far side."""
    a_wide_psa(monkeypatch, of)
    read(connection)
    a_wide_psa(monkeypatch, of - count)
    return read(connection, LATER)


def test_what_the_far_side_no_longer_has_is_dropped(connection, monkeypatch):
    refresh = gone(connection, monkeypatch, 4)
    assert (refresh.state, refresh.gone["companies"]) == ("succeeded", 4)
    assert MirroredCompany.objects.count() == 36


def test_more_than_a_tenth_is_not_dropped_without_a_person(cast, connection, monkeypatch):
    refresh = gone(connection, monkeypatch, 5)
    assert (refresh.state, MirroredCompany.objects.count()) == ("held", 40)
    assert "5 of 40 companies" in refresh.message
    connection.refresh_from_db()
    assert connection.mirrored_at == NOW
    assert list(MirrorRefresh.objects.undecided()) == [refresh]
    mirror.drop_anyway(refresh, actor=Actor.user(cast.admin), now=LATER)
    connection.refresh_from_db()
    assert (MirroredCompany.objects.count(), connection.mirrored_at) == (35, LATER)
    assert AuditEntry.objects.get().asked["companies"] == 5
    with pytest.raises(Refused):
        mirror.drop_anyway(refresh, actor=Actor.user(cast.admin), now=LATER)


def test_an_outage_is_waited_for_and_then_given_up(connection, far):
    far.psa.fail_next("services", "unavailable", times=99)
    refresh = read(connection)
    assert (refresh.state, refresh.lease_until) == ("running", None)
    assert refresh.due_at > NOW
    now = NOW
    while refresh.state == "running":
        now = refresh.due_at
        refresh = mirror.run_refresh(refresh.pk, clock=lambda now=now: now)
    assert refresh.state == "failed"
    assert "does not answer" in refresh.message
    connection.refresh_from_db()
    assert connection.last_failure == refresh.message


def test_a_refusal_is_not_repeated(connection, far):
    far.psa.fail_next("contracts", "reject")
    refresh = read(connection)
    assert (refresh.state, refresh.due_at) == ("failed", None)
    assert "Ask a person." in refresh.message


def test_refused_credentials_rise_to_the_caller_and_are_not_tried_again(connection, far):
    far.psa.fail_next("lines", "unauthorized")
    with pytest.raises(Unauthorized):
        read(connection)
    assert MirrorRefresh.objects.get().state == "failed"


@pytest.mark.parametrize("state", ["draft", "unauthorized", "retired"])
def test_a_connection_that_does_not_work_is_not_read(connection, far, state):
    connection.state = state
    with pytest.raises(Refused):
        mirror.start_refresh(connection, now=NOW)


def test_a_connection_that_stopped_meanwhile_is_not_read(connection, far):
    refresh = mirror.start_refresh(connection, now=NOW)
    type(connection).objects.update(state="unauthorized")
    refresh = mirror.run_refresh(refresh.pk, clock=lambda: NOW)
    assert (refresh.state, far.psa.calls) == ("failed", [])
