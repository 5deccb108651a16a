"""Subscription mappings from a file: rehearsed in total, mapped in the background, moved only where it says so."""

from dataclasses import replace

import pytest
from django.urls import reverse
from django.utils import timezone

from connections import registry
from connections.models import MirroredLine
from mappings.models import CustomerMapping, SubscriptionMapping
from portal.actions.imports import accept_import, start_import
from portal.audit import Actor
from portal.import_run import run_import
from portal.imports import KINDS
from portal.models import AuditEntry, Subscription
from syncops.models import SyncOperation
from tests.cast import make_customer, make_subscription
from tests.fake_psa import a_contract
from tests.mappings.mirror import READ_AT, contract_row
from tests.syncops.desk import NOON
from tests.syncops.test_bulk_mapping import known  # noqa: F401
from tests.syncops.test_mapping_run import TRIGGER, two  # noqa: F401

HEADER = "Subscription id;Contract id;Contract;Start;Line id\n"
KIND = KINDS["subscription_mappings"]


@pytest.fixture
def file(two, monkeypatch, freeze):  # noqa: F811
    """Hand a file in, and give its dry run; applied as well where it is said."""
    monkeypatch.setitem(registry.PSAS, "autotask", lambda connection, **how: two.psa)

    def hand_in(*rows, apply=False, partial=False, since="today"):
        place = KIND.place(two.cast.csp.pk, two.connection.pk)
        actor = Actor.user(two.cast.admin)
        content = (HEADER + "\n".join(rows)).encode()
        file = {"content": content, "name": "m.csv", "options": {"since": since}}
        run = run_import(start_import(KIND, place, **file, actor=actor, now=NOON).pk, clock=lambda: NOON)
        if apply:
            accept_import(run, KIND, partial=partial, actor=actor, now=NOON)
            run = run_import(run.pk, clock=lambda: NOON)
        return run

    return hand_in


@pytest.fixture
def freeze(monkeypatch):
    monkeypatch.setattr(timezone, "now", lambda: NOON)


def told(run):
    return [(row.effect, " ".join(text for text, _ in row.reasons) or row.words) for row in run.rows.order_by("number")]


def test_subscriptions_are_rehearsed_in_total_and_mapped_in_the_background(file, two):  # noqa: F811
    run = file(f"{two.subscription.external_id};100;;open period;", f"{two.second.key};100;Microsoft 365 (CSP);today;")
    assert told(run)[0][1].startswith("10 × ")
    assert [label for label, _, _ in run.money] == ["This period", "Next period"]
    assert not SubscriptionMapping.objects.exists()
    accept_import(run, KIND, partial=False, actor=Actor.user(two.cast.admin), now=NOON)
    assert run_import(run.pk, clock=lambda: NOON).state == "applied"
    assert AuditEntry.objects.filter(name=TRIGGER).count() == 2
    assert AuditEntry.objects.filter(name="Import Subscription Mappings").count() == 1
    starts = dict(SubscriptionMapping.objects.values_list("subscription", "starts_on"))
    assert [str(starts[one.pk]) for one in (two.subscription, two.second)] == ["2026-05-01", "2026-05-10"]
    two.drain()
    assert {one.state for one in SyncOperation.objects.all()} == {"succeeded"}


def test_each_row_says_why_it_is_refused(file, two):  # noqa: F811
    theirs = make_subscription(make_customer(two.cast.other_csp), two.subscription.variant)
    contract_row(two.connection, 101, "Yearly", period="yearly")
    key = two.subscription.external_id
    for row, words in [
        ("no such;100;;;", "No subscription here has the id no such."),
        (f"{theirs.external_id};100;;;", f"No subscription here has the id {theirs.external_id}."),
        (f"{key};999;;;", "Autotask has no contract 999."),
        (f"{key};1e5;;;", "“1e5” is no id."),
        (f"{key};100;Other;;", "The file calls contract 100 “Other”, in Autotask it is Microsoft 365 (CSP)."),
        (f"{key};100;;yesterday;", "“yesterday” is no start."),
        (f"{key};100;;;both", "“both” is no line."),
        (f"{key};101;;;", "Yearly has the period type Yearly"),
    ]:
        ((effect, said),) = told(file(row))
        assert (effect, said[: len(words)]) == ("refuse", words)
    CustomerMapping.objects.all().delete()
    assert told(file(f"{key};100;;;")) == [("refuse", "Contoso is not mapped to a company yet.")]


def test_two_rows_for_one_subscription_or_one_line_are_refused(file, two):  # noqa: F811
    contract_row(two.connection, 101, "Second")
    key = two.subscription.external_id
    assert [effect for effect, _ in told(file(f"{key};100;;;", f"{key};101;;;"))] == ["refuse", "refuse"]
    assert [effect for effect, _ in told(file(f"{key};100;;;", f"{key};100;;;"))] == ["create", "skip"]


def test_a_line_that_is_there_already_is_taken_over_only_where_it_says_so(file, two):  # noqa: F811
    line = two.psa.add_line(100, 10, units=4)
    line_id = getattr(line, "id", line)
    MirroredLine.objects.create(
        connection=two.connection, remote_id=line_id, contract_remote_id=100, service_remote_id=10, read_at=READ_AT
    )
    key = two.subscription.external_id
    ((effect, words),) = told(file(f"{key};100;;;"))
    assert (effect, f"already: {line_id}" in words) == ("refuse", True)
    run = file(f"{key};100;;;{line_id}", apply=True)
    assert run.state == "applied", run.problem
    assert (SubscriptionMapping.objects.get().line_id, run.money[0][0]) == (line_id, "This period")


def test_another_contract_is_a_move_that_says_so(file, two):  # noqa: F811
    two.map()
    two.drain()
    two.psa._contracts[101] = a_contract(101, "Second")
    contract_row(two.connection, 101, "Second")
    key = two.subscription.external_id
    assert told(file(f"{key};100;;;")) == [("same", "Is on Microsoft 365 (CSP) already.")]
    run = file(f"{key};101;;;", apply=True)
    assert told(run)[0][1].startswith("Moves from Microsoft 365 (CSP) to Second from 10")
    assert run.rows.get().outcome == "done", run.rows.get().reasons
    two.drain()
    assert SubscriptionMapping.objects.open().get().contract_id == 101
    assert [one.state for one in SyncOperation.objects.order_by("pk")] == ["succeeded"] * 3


def test_a_quantity_that_changed_meanwhile_stops_the_file(file, two):  # noqa: F811
    run = file(f"{two.second.external_id};100;;;")
    Subscription.objects.filter(pk=two.second.pk).update(quantity=99)
    accept_import(run, KIND, partial=False, actor=Actor.user(two.cast.admin), now=NOON)
    run = run_import(run.pk, clock=lambda: NOON)
    assert (run.state, SubscriptionMapping.objects.count()) == ("ready", 0)


def test_what_the_psa_says_when_it_is_applied_counts_not_the_mirror(file, two):  # noqa: F811
    two.psa._contracts[100] = replace(two.psa._contracts[100], is_active=False)
    run = file(f"{two.second.external_id};100;;;", apply=True)
    assert (run.state, run.rows.get().outcome) == ("applied", "refused")
    assert "inactive" in run.rows.get().reasons[0][0]


def test_a_psa_that_is_away_is_asked_again_and_nothing_is_mapped_twice(file, two):  # noqa: F811
    two.psa.fail_next("contract", "unavailable")
    run = file(f"{two.subscription.external_id};100;;;", f"{two.second.external_id};100;;;", apply=True)
    assert (run.state, run.done) == ("applying", 0)
    assert run_import(run.pk, clock=lambda: run.due_at).state == "applied"
    assert SubscriptionMapping.objects.count() == 2


def test_the_list_goes_out_and_comes_back(file, two, as_user):  # noqa: F811
    two.map()
    url = reverse("syncops:mapping_export", args=[two.connection.pk, "csv"])
    text = as_user(two.cast.operations).get(url, {"state": "all"}).getvalue()
    place = KIND.place(two.cast.csp.pk, two.connection.pk)
    made = {"content": text, "name": "m.csv", "options": {"since": "today"}, "actor": Actor.system("t"), "now": NOON}
    run = run_import(start_import(KIND, place, **made).pk, clock=lambda: NOON)
    assert sorted(effect for effect, _ in told(run)) == ["same", "skip"]
    assert as_user(two.cast.stranger).get(url).status_code == 404
