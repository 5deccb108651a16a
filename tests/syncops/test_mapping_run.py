"""Mapping many subscriptions in the background: checked against the PSA, audited each, and never twice."""

from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command

from connections import registry
from mappings.actions import map_offer
from mappings.models import MatchRun, SubscriptionMapping
from portal.audit import Actor
from portal.models import AuditEntry
from syncops import mapping_tasks
from syncops.mapping_run import run_mapping, start_mapping
from syncops.models import SyncOperation
from tests.cast import make_subscription, make_variant
from tests.fake_psa import a_service
from tests.mappings.mirror import service_row
from tests.syncops.desk import NOON
from tests.syncops.test_bulk_mapping import known  # noqa: F401

TRIGGER = "Trigger Subscription Mapping To Connection"


@pytest.fixture
def two(known):  # noqa: F811
    """Two subscriptions that can be mapped, on one contract."""
    variant = make_variant(known.cast.csp, "Visio")
    second = make_subscription(known.subscription.customer, variant, 3)
    service = a_service(11, "Visio")
    known.psa._services[11] = service
    service_row(known.connection, 11, "Visio")
    map_offer(
        connection=known.connection, variant=variant, service=service, actor=Actor.user(known.cast.admin), at=NOON
    )
    known.second = second
    return known


def start(desk, *chosen, since="today"):
    actor = Actor.user(desk.cast.admin)
    return start_mapping(desk.connection, since=since, chosen=[one.pk for one in chosen], actor=actor, now=NOON)


def go_on(run, desk, now=NOON, **options):
    return run_mapping(run.pk, clock=lambda: now, psa=lambda connection: desk.psa, **options)


def test_every_one_that_can_be_is_mapped_audited_and_sent(two):
    done = go_on(start(two), two)
    assert (done.state, done.mapped, done.refused) == ("succeeded", 2, 0)
    assert AuditEntry.objects.filter(name=TRIGGER).count() == 2
    two.drain()
    assert {one.state for one in SyncOperation.objects.all()} == {"succeeded"}
    assert sorted(two.psa.units_on(one.line_id, two.today) for one in SubscriptionMapping.objects.all()) == [3, 10]


def test_only_the_chosen_are_mapped_from_the_day_that_was_chosen(two):
    go_on(start(two, two.second, since="open_period"), two)
    mapping = SubscriptionMapping.objects.get()
    assert (mapping.subscription, str(mapping.starts_on)) == (two.second, "2026-05-01")


def test_a_line_that_is_there_already_is_left_to_a_person(two):
    two.psa.add_line(100, 10, units=4)
    done = go_on(start(two), two)
    assert (done.mapped, done.refused) == (1, 1)
    assert "holds a line of Microsoft 365 Business Basic already" in done.problems[0][1]


def test_what_the_psa_says_now_counts_not_the_mirror(two):
    from dataclasses import replace

    two.psa._contracts[100] = replace(two.psa._contracts[100], is_active=False)
    done = go_on(start(two), two)
    assert (done.mapped, done.refused) == (0, 2)
    assert not SubscriptionMapping.objects.exists()


def test_a_psa_that_is_away_is_asked_again_later_and_nothing_is_skipped(two):
    two.psa.fail_next("contract", "unavailable")
    run = start(two)
    waiting = go_on(run, two)
    assert (waiting.state, waiting.done) == ("running", 0)
    assert waiting.due_at > NOON
    assert go_on(run, two, now=waiting.due_at + timedelta(seconds=1)).mapped == 2


def test_refused_credentials_end_it_and_mark_the_connection(two):
    two.psa.fail_next("contract", "unauthorized")
    done = go_on(start(two), two)
    two.connection.refresh_from_db()
    assert (done.state, two.connection.state) == ("failed", "unauthorized")


def test_a_run_that_is_stopped_goes_on_and_maps_nothing_twice(two):
    run = start(two)
    first = go_on(run, two, budget_s=0)
    assert (first.state, first.mapped) == ("running", 1)
    assert mapping_tasks.due(NOON)
    assert go_on(run, two).mapped == 2
    assert SyncOperation.objects.count() == 2


def test_a_second_start_joins_the_first(two):
    assert start(two) == start(two, two.second)
    assert MatchRun.objects.count() == 1


def test_the_command_rehearses_first_and_maps_when_told(two, monkeypatch, capsys):
    monkeypatch.setitem(registry.PSAS, "autotask", lambda connection, **how: two.psa)
    call_command("map_subscriptions", connection="Autotask", since="term")
    assert "2 would be mapped, 0 not." in capsys.readouterr().out
    assert not SubscriptionMapping.objects.exists()
    call_command("map_subscriptions", connection="Autotask", since="today", apply=True)
    assert "Mapped 2, left 0 (succeeded)." in capsys.readouterr().out
    assert SyncOperation.objects.filter(actor=None).count() == 2


def test_the_command_says_by_its_exit_code_that_the_psa_is_away(two, monkeypatch, capsys):
    monkeypatch.setitem(registry.PSAS, "autotask", lambda connection, **how: two.psa)
    two.psa.fail_next("contract", "unavailable")
    with pytest.raises(CommandError) as away:
        call_command("map_subscriptions", connection="Autotask", since="today", apply=True)
    assert away.value.returncode == 5
    assert "Mapped 0, left 0 (running)." in capsys.readouterr().out
