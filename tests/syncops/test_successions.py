"""A contract that was renewed in Autotask: proposed once, and all its subscriptions moved."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.urls import reverse

from connections import registry
from connections.models import MirroredContract
from mappings.models import SubscriptionMapping
from portal.models import AuditEntry
from syncops import successions
from syncops.actions import NotPossible
from syncops.models import Succession, SyncOperation
from tests.cast import make_subscription
from tests.fake_psa import a_contract
from tests.mappings.mirror import company_row, contract_row, service_row
from tests.syncops.desk import NOON

END, START = date(2026, 5, 31), date(2026, 6, 1)


@pytest.fixture
def renewed(mapped, time_machine):
    """Two subscriptions of one offer on a contract that ended with May and was renewed with copies of its lines."""
    first = mapped.subscription
    price = mapped.psa.rows(mapped.line)[-1].price / 10
    second = make_subscription(
        first.customer, first.variant, created_on=mapped.today, starts_on=mapped.today, external_id="SUB-2", quantity=4
    )
    mapped.subscription = second
    mapped.map(add_beside=True, subscription_id=second.pk)
    mapped.drain()
    mapped.subscription = first
    company_row(mapped.connection)
    service_row(mapped.connection)
    mapped.psa.put_contract(a_contract(ends_on=END))
    mapped.psa.put_contract(a_contract(101, "Microsoft 365 (CSP) 2", starts_on=START, ends_on=date(2027, 5, 31)))
    for units in (4, 10):
        mapped.psa.add_line(101, 10, units=units, since=START, price=price, cost=Decimal(4))
    MirroredContract.objects.filter(remote_id=100).update(ends_on=END, renewed_contract_id=101)
    contract_row(mapped.connection, 101, "Microsoft 365 (CSP) 2", starts_on=START, ends_on=date(2027, 5, 31))
    mapped.today, mapped.clock.now = date(2026, 6, 3), NOON + timedelta(days=24)
    mapped.psa.applied.clear()
    time_machine.move_to(mapped.clock.now, tick=False)
    return mapped


def proposal(desk):
    successions.find_successions(desk.clock.now)
    return Succession.objects.get()


def run(desk, row):
    return successions.run_succession(row.pk, clock=lambda: desk.clock.now, psa=lambda connection, **how: desk.psa)


def accepted(desk):
    row = successions.accept_succession(proposal(desk), actor=desk.cast.admin, now=desk.clock.now)
    return run(desk, row)


def test_it_is_proposed_once_whichever_of_the_two_names_the_other(renewed):
    MirroredContract.objects.filter(remote_id=100).update(renewed_contract_id=None)
    MirroredContract.objects.filter(remote_id=101).update(renewed_contract_id=100)
    assert [successions.find_successions(renewed.clock.now) for _ in range(2)] == [1, 0]
    row = Succession.objects.get()
    assert (row.old_contract_id, row.new_contract_id, row.day) == (100, 101, START)


def test_every_subscription_takes_over_the_line_that_was_copied_for_it(renewed):
    row = accepted(renewed)
    renewed.drain()
    assert (row.state, row.moved, row.refused, row.problems) == ("done", 2, 0, [])
    new = SubscriptionMapping.objects.open().filter(contract_id=101)
    units = {one.subscription.external_id: renewed.psa.units_on(one.line_id, START) for one in new}
    assert units == {"SUB-1": 10, "SUB-2": 4}
    assert all(one.adopted for one in new)
    assert [one.unit_change for one in renewed.psa.applied if one.unit_change] == []
    assert not SyncOperation.objects.exclude(state="succeeded")
    assert not successions.waiting(renewed.cast.admin)


def test_what_changed_after_the_old_end_is_sent_to_the_new_line(renewed):
    renewed.change_quantity(13, date(2026, 6, 2))
    renewed.drain()
    assert SyncOperation.objects.get(kind="change_quantity").error_kind == "beyond_contract"
    row = accepted(renewed)
    renewed.drain()
    assert (row.moved, row.refused) == (2, 0)
    assert [renewed.units(day) for day in (START, date(2026, 6, 2))] == [10, 13]


def test_where_it_is_not_certain_which_line_was_copied_for_it_a_person_is_asked(renewed):
    other = renewed.psa.add_line(101, 10, units=10, since=START, price=Decimal(1))
    row = accepted(renewed)
    assert (row.state, row.moved, row.refused) == ("done", 1, 1)
    assert "holds 3 lines that it could be" in row.problems[0][1]
    assert successions.waiting(renewed.cast.admin).get() == row
    assert renewed.psa.units_on(other, START) == 10


def test_rejected_it_is_not_proposed_again(renewed):
    successions.reject_succession(proposal(renewed), actor=renewed.cast.admin, now=renewed.clock.now)
    assert successions.find_successions(renewed.clock.now) == 0
    assert not successions.waiting(renewed.cast.admin)
    with pytest.raises(NotPossible, match="rejected already"):
        successions.accept_succession(Succession.objects.get(), actor=renewed.cast.admin, now=renewed.clock.now)
    assert AuditEntry.objects.filter(name="Reject Renewed Contract").count() == 1


def test_accepted_before_its_day_it_begins_on_it(renewed):
    early = renewed.clock.now - timedelta(days=10)
    row = successions.accept_succession(proposal(renewed), actor=renewed.cast.admin, now=early)
    assert row.due_at.astimezone(renewed.cast.csp.zone).date() == START
    assert successions.run_succession(row.pk, clock=lambda: early).moved == 0
    row = successions.reject_succession(row, actor=renewed.cast.admin, now=early)  # nothing has begun
    assert (row.state, run(renewed, row).moved) == ("rejected", 0)


def test_a_second_worker_and_a_second_click_move_nothing_twice(renewed):
    row = accepted(renewed)
    run(renewed, row)
    successions.accept_succession(row, actor=renewed.cast.admin, now=renewed.clock.now)
    run(renewed, row)
    assert SubscriptionMapping.objects.filter(contract_id=101).count() == 2
    assert AuditEntry.objects.filter(name="Move Subscription To Another Contract").count() == 2


def test_killed_in_between_it_goes_on_with_the_next_one(renewed, monkeypatch):
    real, moved = successions.move_mapping, []

    def die_after_one(*about, **how):
        if moved:
            raise SystemExit
        moved.append(real(*about, **how))

    monkeypatch.setattr(successions, "move_mapping", die_after_one)
    with pytest.raises(SystemExit):
        accepted(renewed)
    monkeypatch.setattr(successions, "move_mapping", real)
    renewed.clock.wait(600)
    row = run(renewed, Succession.objects.get())
    assert (row.state, row.moved, SubscriptionMapping.objects.filter(contract_id=101).count()) == ("done", 2, 2)


def test_where_autotask_is_away_it_goes_on_later(renewed):
    renewed.psa.fail_next("contract", "unavailable")
    row = accepted(renewed)
    assert (row.state, row.moved) == ("accepted", 0)
    renewed.clock.wait(600)
    assert run(renewed, row).moved == 2


@pytest.fixture
def page(renewed, monkeypatch):
    monkeypatch.setitem(registry.PSAS, "autotask", lambda connection, **how: renewed.psa)
    return proposal(renewed).get_absolute_url()


def test_the_inbox_leads_to_a_page_with_both_lines_and_one_decision(page, renewed, as_user):
    client = as_user(renewed.cast.operations)
    assert page in client.get(reverse("syncops:inbox")).content.decode()
    shown = client.get(page).content.decode()
    assert "Move all 2" in shown
    assert shown.count("takes over line") == 2
    client.post(f"{page}accept/")
    assert Succession.objects.get().state == "accepted"
    assert "looked at" in client.get(page).content.decode()


def test_readers_and_others_decide_nothing(page, renewed, as_user):
    cast = renewed.cast
    for user, status in ((cast.reader, 403), (cast.stranger, 404), (cast.reseller_admin, 404)):
        for path in (f"{page}accept/", f"{page}reject/"):
            assert as_user(user).post(path).status_code == status
    assert Succession.objects.get().state == "proposed"
