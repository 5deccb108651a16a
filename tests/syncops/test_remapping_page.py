"""The pages that move a subscription to another contract."""

import re
from datetime import date, timedelta

import pytest
from django.urls import reverse

from connections import registry
from mappings.models import SubscriptionMapping
from tests.fake_psa import a_contract
from tests.mappings.mirror import contract_row
from tests.syncops.desk import NOON


@pytest.fixture
def url(mapped, time_machine, monkeypatch):
    monkeypatch.setitem(registry.PSAS, "autotask", lambda connection, **how: mapped.psa)
    mapped.psa.put_contract(a_contract(101, "Successor", starts_on=date(2026, 5, 1)))
    contract_row(mapped.connection, 101, "Successor", starts_on=date(2026, 5, 1))
    contract_row(mapped.connection, 102, "By the year", period="yearly")
    mapped.clock.now = NOON + timedelta(days=5)
    time_machine.move_to(mapped.clock.now, tick=False)
    return reverse("syncops:mapping_move", args=[mapped.subscription.pk])


def chosen(**fields):
    return {"contract": "101", "day": "2026-05-15", "line": "zero"} | fields


def digest(page):
    return re.search(r'name="seen" value="(\w+)"', page.content.decode())[1]


def test_one_chooses_sees_both_lines_in_money_and_moves(url, mapped, cast, as_user):
    client = as_user(cast.operations)
    page = client.get(url).content.decode()
    assert "Successor" in page
    assert "By the year</strong> " in page  # left out, with the reason
    seen = client.post(url, chosen())
    assert "First: Microsoft 365 Business Basic on Successor" in seen.content.decode()
    assert SubscriptionMapping.objects.count() == 1
    client.post(url, chosen(seen=digest(seen)))
    mapped.drain()
    old, new = SubscriptionMapping.objects.order_by("pk")
    assert [mapped.psa.units_on(one.line_id, date(2026, 5, 15)) for one in (old, new)] == [0, 10]


def test_what_changed_since_the_preview_is_shown_again(url, mapped, cast, as_user):
    client = as_user(cast.operations)
    seen = digest(client.post(url, chosen()))
    mapped.psa.edit(mapped.line, date(2026, 5, 12), 11)
    again = client.post(url, chosen(seen=seen))
    assert again.status_code == 422
    assert "Something changed since" in again.content.decode()
    assert SubscriptionMapping.objects.count() == 1


def test_a_line_that_is_there_has_to_be_decided_about(url, mapped, cast, as_user):
    line = mapped.psa.add_line(101, 10, units=10, since=date(2026, 5, 1))
    client = as_user(cast.operations)
    assert "Take over line" in client.post(url, chosen()).content.decode()
    seen = client.post(url, chosen(adopt=f"adopt-{line}"))
    client.post(url, chosen(adopt=f"adopt-{line}", seen=digest(seen)))
    mapped.drain()
    assert mapped.line == line


@pytest.mark.parametrize(
    "posted",
    [chosen(contract="102"), chosen(contract="100"), chosen(contract="9"), chosen(day="2026-05-16"), chosen(line="x")],
)
def test_what_makes_no_sense_moves_nothing(url, cast, as_user, posted):
    assert as_user(cast.operations).post(url, posted).status_code == 422
    assert SubscriptionMapping.objects.count() == 1


def test_where_autotask_is_away_nothing_is_moved_and_the_choice_is_kept(url, mapped, cast, as_user):
    mapped.psa.fail_next("contract", "unavailable")
    answer = as_user(cast.operations).post(url, chosen())
    assert answer.status_code == 503
    assert "2026-05-15" in answer.content.decode()


def test_readers_and_others_cannot_move_it(url, cast, as_user):
    for user, status in ((cast.reader, 403), (cast.stranger, 404), (cast.reseller_admin, 404)):
        assert as_user(user).get(url).status_code == status
        assert as_user(user).post(url, chosen()).status_code == status
    assert SubscriptionMapping.objects.count() == 1
