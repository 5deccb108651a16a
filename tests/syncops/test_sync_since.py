"""From when an existing subscription is billed: chosen where its contract is, kept on the way, and shown before."""

from datetime import date

import pytest

from mappings.models import SubscriptionMapping
from tests.syncops.desk import make_desk
from tests.syncops.flow import make_flow


@pytest.fixture
def bought(cast, client, monkeypatch, time_machine):
    """Bought on 3 February, synced on 10 May."""

    def make(**fields):
        desk = make_desk(cast, **({"created_on": date(2026, 2, 3), "starts_on": date(2026, 2, 3)} | fields))
        return make_flow(desk, client, monkeypatch, time_machine)

    return make


@pytest.mark.parametrize(
    ("since", "day"),
    [
        (None, date(2026, 5, 10)),
        ("today", date(2026, 5, 10)),
        ("open_period", date(2026, 5, 1)),
        ("term", date(2026, 2, 3)),
    ],
)
def test_the_chosen_day_is_previewed_and_billed_from(bought, since, day):
    flow = bought()
    shown = flow.preview(since=since).content.decode()
    assert f"billed from {day.day}\xa0{day:%b}\xa0{day.year}" in shown
    assert f'name="since" value="{since or "today"}"' in shown
    flow.confirm(since=since)
    flow.drain()
    assert SubscriptionMapping.objects.get().starts_on == day
    assert flow.units(day) == 10


def test_it_is_asked_only_where_it_is_a_question(bought):
    assert 'name="since" value="term"' in bought().fields().content.decode()


def test_a_subscription_of_todays_order_is_billed_from_its_start_without_a_question(bought):
    flow = bought(created_on=date(2026, 5, 10), starts_on=date(2026, 5, 10))
    assert 'name="since" value="term"' not in flow.fields().content.decode()


def test_a_day_that_makes_no_sense_is_refused(bought):
    flow = bought()
    assert flow.confirm(since="yesterday").status_code == 422
    assert not SubscriptionMapping.objects.exists()
