"""Matching by name in the background: what is certain is mapped, what is alike suggested, what is rejected stays so."""

from datetime import timedelta

import pytest
from django.core.management import call_command

from mappings import tasks
from mappings.automatic import exact_names, run_match, start_match
from mappings.boards import CustomerBoard, OfferBoard
from mappings.models import CustomerMapping, MatchRun, OfferMapping, Suggestion
from portal.audit import breaks
from portal.models import AuditEntry
from tests.cast import TODAY, make_customer, make_subscription, make_variant
from tests.mappings.conftest import NOW
from tests.mappings.mirror import company_row, make_connection, service_row


@pytest.fixture
def board(mapping):
    return CustomerBoard(mapping.connection, TODAY)


@pytest.fixture
def run(mapping):
    def start_and_finish(board, kind, threshold=85, **fields):
        started = start_match(board, kind, threshold=threshold, actor=mapping.actor, now=NOW)
        return run_match(started.pk, clock=lambda: NOW, **fields)

    return start_and_finish


def states():
    return {(one.customer or one.variant.offer).pk: one.state for one in Suggestion.objects.all()}


def test_a_dry_run_names_pairs_and_conflicts_and_writes_nothing(board, mapping, cast):
    twin = make_customer(cast.csp, "Twin")
    company_row(mapping.connection, 1, "Contoso")
    company_row(mapping.connection, 2, "Twin")
    company_row(mapping.connection, 3, "Twin")
    found = exact_names(board)
    assert found.named_pairs == [("Contoso", "Contoso")]
    assert found.named_conflicts == [("Twin", ["Twin (#2)", "Twin (#3)"])]
    assert found.conflicts == {twin.pk: (2, 3)}
    assert not CustomerMapping.objects.exists()
    assert not AuditEntry.objects.exists()


def test_equal_names_are_mapped_and_conflicts_wait_for_a_person(board, run, mapping, cast):
    make_customer(cast.csp, "Twin")
    company_row(mapping.connection, 1, "Contoso")
    company_row(mapping.connection, 2, "Twin")
    company_row(mapping.connection, 3, "Twin")
    done = run(board, "exact")
    assert (done.state, done.mapped, done.refused, done.found) == ("succeeded", 1, 0, 2)
    assert CustomerMapping.objects.get().created_by == cast.admin
    assert [one.state for one in Suggestion.objects.all()] == ["conflict", "conflict"]
    assert AuditEntry.objects.count() == 2
    assert list(breaks(cast.csp)) == []


@pytest.mark.parametrize(
    "fields",
    [{"is_active": False}, {"type_label": "Vendor"}, {"currency": "USD"}],
    ids=["inactive", "no customer", "another currency"],
)
def test_what_is_not_eligible_is_never_mapped_by_its_name(board, run, mapping, fields):
    company_row(mapping.connection, 1, "Contoso", **fields)
    company_row(mapping.connection, 0, "Contoso")
    assert run(board, "exact").mapped == 0
    assert run(board, "alike").found == 0


def test_alike_names_are_suggested_with_their_reason(board, run, mapping):
    company_row(mapping.connection, 1, "Contoso N.V.")
    company_row(mapping.connection, 2, "Contosso")
    run(board, "alike")
    found = Suggestion.objects.get()
    assert (found.remote_id, found.score, found.why) == (1, 100, "Same name but for the legal form")
    assert found.state == "open"


def test_two_that_fit_equally_well_are_a_conflict(board, run, mapping):
    company_row(mapping.connection, 1, "Contoso NV")
    company_row(mapping.connection, 2, "Contoso BV")
    run(board, "alike")
    assert {one.state for one in Suggestion.objects.all()} == {"conflict"}


def test_one_company_for_two_customers_goes_to_the_better_and_to_neither_where_they_are_equal(
    board, run, mapping, cast
):
    worse = make_customer(cast.csp, "Contosso")
    company_row(mapping.connection, 1, "Contoso NV")
    run(board, "alike")
    assert states() == {mapping.customer.pk: "open", worse.pk: "conflict"}
    worse.delete()
    make_customer(cast.csp, "Contoso BV")
    run(board, "alike")
    assert set(states().values()) == {"conflict"}


def test_what_was_rejected_is_not_suggested_again(board, run, mapping):
    company_row(mapping.connection, 1, "Contoso NV")
    run(board, "alike")
    Suggestion.objects.update(state="rejected")
    assert run(board, "alike").found == 0
    company_row(mapping.connection, 2, "Contosso")
    run(board, "alike")
    assert [one.remote_id for one in Suggestion.objects.waiting()] == [2]


def test_a_later_run_forgets_suggestions_that_no_longer_fit(board, run, mapping):
    company_row(mapping.connection, 1, "Contosso")
    run(board, "alike")
    run(board, "alike", threshold=100)
    assert not Suggestion.objects.exists()


def test_suggestions_are_accepted_from_the_threshold_on_and_conflicts_are_not(board, run, mapping, cast):
    low, conflict = make_customer(cast.csp, "Fabrikam"), make_customer(cast.csp, "Twin")
    company_row(mapping.connection, 1, "Contoso NV")
    company_row(mapping.connection, 2, "Fabrikamm Inc")
    company_row(mapping.connection, 3, "Twin NV")
    company_row(mapping.connection, 4, "Twin BV")
    run(board, "alike")
    done = run(board, "accept", threshold=98)
    assert (done.mapped, done.refused) == (1, 0)
    assert states() == {low.pk: "open", conflict.pk: "conflict"}


def test_a_suggestion_whose_company_became_inactive_is_refused(board, run, mapping):
    row = company_row(mapping.connection, 1, "Contoso NV")
    run(board, "alike")
    type(row).objects.update(is_active=False)
    done = run(board, "accept")
    assert (done.mapped, done.refused) == (0, 1)


def test_offers_of_one_name_and_period_are_a_conflict_and_others_find_their_own_service(run, mapping, cast):
    monthly_term = make_variant(cast.csp, term="P1M")
    annual = make_variant(cast.csp, billing="annual")
    for variant in (monthly_term, annual):
        make_subscription(mapping.customer, variant)
    service_row(mapping.connection, 10)
    service_row(mapping.connection, 11, period="yearly")
    board = OfferBoard(mapping.connection, TODAY)
    assert run(board, "exact").mapped == 1
    assert OfferMapping.objects.get().variant == annual
    run(board, "alike")
    assert {(one.variant, one.state) for one in Suggestion.objects.all()} == {
        (mapping.variant, "conflict"),
        (monthly_term, "conflict"),
    }


def test_an_azure_plan_finds_only_a_service_without_price(run, mapping, cast):
    plan = make_variant(cast.csp, "Azure plan", category="azure_plan", billing="none", term="")
    make_subscription(mapping.customer, plan)
    service_row(mapping.connection, 10, "Azure plan")
    board = OfferBoard(mapping.connection, TODAY)
    assert run(board, "exact").mapped == 0
    service_row(mapping.connection, 11, "Azure plan", unit_price=0, unit_cost=0)
    assert run(board, "exact").mapped == 1


def test_a_second_start_joins_the_run_that_goes_on(board, mapping):
    first = start_match(board, "alike", threshold=85, actor=mapping.actor, now=NOW)
    again = start_match(board, "exact", threshold=85, actor=mapping.actor, now=NOW)
    assert again == first
    assert AuditEntry.objects.count() == 1


def test_a_run_that_stops_goes_on_where_it_was(board, run, mapping, cast, monkeypatch):
    monkeypatch.setattr("mappings.automatic.BATCH", 1)
    for number in range(5):
        make_customer(cast.csp, f"Name {number}")
        company_row(mapping.connection, number + 1, f"Name {number}")
    started = run(board, "exact", budget_s=0)
    assert (started.state, started.done, CustomerMapping.objects.count()) == ("running", 1, 1)
    assert tasks.due(NOW)
    later = NOW + timedelta(seconds=1)
    while MatchRun.objects.get().state == "running":
        run_match(started.pk, clock=lambda: later, budget_s=0)
    assert (MatchRun.objects.get().mapped, CustomerMapping.objects.count()) == (5, 5)
    assert not tasks.due(later)


def test_a_worker_that_lost_the_run_writes_nothing_more(board, mapping, cast):
    company_row(mapping.connection, 1, "Contoso NV")
    started = start_match(board, "alike", threshold=85, actor=mapping.actor, now=NOW)
    stolen = iter([NOW])

    def clock():
        moment = next(stolen, None)
        if moment is None:
            MatchRun.objects.filter(pk=started.pk).update(fence=99)
        return moment or NOW

    assert run_match(started.pk, clock=clock).state == "running"
    assert not Suggestion.objects.exists()


def test_two_workers_do_not_run_it_at_once(board, mapping):
    started = start_match(board, "alike", threshold=85, actor=mapping.actor, now=NOW)
    MatchRun.objects.update(lease_until=NOW + timedelta(seconds=60))
    run_match(started.pk, clock=lambda: NOW)
    assert MatchRun.objects.get().state == "running"


def test_a_run_that_workers_die_under_is_given_up(board, mapping):
    started = start_match(board, "alike", threshold=85, actor=mapping.actor, now=NOW)
    MatchRun.objects.update(attempts=10_000)
    assert run_match(started.pk, clock=lambda: NOW).state == "failed"


def test_the_command_shows_first_and_maps_when_told(mapping, cast, capsys):
    company_row(mapping.connection, 1, "Contoso")
    service_row(mapping.connection, 10)
    call_command("automap", connection="Autotask")
    said = capsys.readouterr().out
    assert "Customers: 1 with one equal name, 0 in conflict.\n  Contoso = Contoso" in said
    assert not CustomerMapping.objects.exists()
    call_command("automap", connection="Autotask", apply=True, suggest=True)
    assert "Mapped 1, refused 0." in capsys.readouterr().out
    assert (CustomerMapping.objects.count(), OfferMapping.objects.count()) == (1, 1)
    make_connection(cast.other_csp, "Autotask")
    call_command("automap", connection="Autotask", organization="Alder Cloud", only="offers", json=True)
    assert '"pairs": []' in capsys.readouterr().out
