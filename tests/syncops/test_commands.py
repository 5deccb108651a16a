"""The commands of operators: sweep, retry, explain."""

import io
import json

import pytest
from django.core.management import CommandError, call_command

from portal.processes import this_process
from syncops.models import GroupDecision, Stream, SyncOperation
from tests.syncops.desk import operation_of
from tests.syncops.stopped import an_operation, stop_operations

State = SyncOperation.State


def run(*words, code=0):
    """What a command prints; it must end with `code`."""
    out = io.StringIO()
    if code:
        with pytest.raises(CommandError) as raised:
            call_command(*words, stdout=out)
        assert raised.value.returncode == code
    else:
        call_command(*words, stdout=out)
    return out.getvalue()


@pytest.fixture
def stopped(desk):
    return stop_operations(desk, 3)


@pytest.fixture
def failed(mapped):
    mapped.psa.fail_next("adjust", "reject")
    mapped.change_quantity(12)
    mapped.drain()
    return operation_of(mapped, "change_quantity")


def count(state):
    return SyncOperation.objects.filter(state=state).count()


def test_retry_by_id_queues_these_and_no_other(stopped):
    assert "Retried 2 of 2" in run("retry", str(stopped[0].pk), str(stopped[2].pk))
    assert [one.state for one in SyncOperation.objects.order_by("pk")] == [State.QUEUED, State.FAILED, State.QUEUED]


def test_retry_by_words_and_connection(stopped, desk):
    said = json.loads(run("retry", "--error", "psa NO.", "--connection", desk.connection.name, "--json"))
    assert said["queued"] == [one.pk for one in stopped]
    assert count(State.QUEUED) == 3


def test_a_dry_run_names_them_and_changes_nothing(stopped):
    said = run("retry", "--error", "says", "--dry-run")
    assert "Would retry 3 of 3" in said
    assert all(str(one.pk) in said for one in stopped)
    assert count(State.FAILED) == 3


def test_retry_says_what_it_left_alone(failed):
    failed.writes.update(state="unknown")
    assert "Say first" in run("retry", str(failed.pk), code=1)
    assert count(State.FAILED) == 1


@pytest.mark.parametrize("words", [["--error", "nothing like it"], ["4711"], []])
def test_retry_without_anything_to_retry_ends_with_2(stopped, words):
    run("retry", *words, code=2)


def test_retry_is_recorded_as_the_commands_doing(stopped):
    run("retry", str(stopped[0].pk))
    stopped[0].refresh_from_db()
    assert stopped[0].audit_began.actor_label == "system: manage.py retry"


def test_sweep_makes_forgotten_lines_due(desk):
    operation = an_operation(desk)
    assert json.loads(run("sweep", "--json")) == {"freed": 0, "taken_up": 0, "forgotten": 1, "due": 1, "decisions": 0}
    operation.stream.refresh_from_db()
    assert operation.stream.due is not None


def test_sweep_frees_what_a_dead_worker_holds(desk):
    operation = an_operation(desk)
    host, boot, _, _ = this_process().split("|")
    Stream.objects.filter(pk=operation.stream_id).update(
        owner=f"{host}|{boot}|999999999|1.00", lease_until="2099-01-01T00:00Z", due="2026-01-01T00:00Z"
    )
    assert "Freed 1 leases" in run("sweep")


def test_sweep_of_an_idle_portal_finds_nothing(mapped):
    assert "Due now: 0 lines, 0 decisions" in run("sweep")
    assert not GroupDecision.objects.exists()


def test_explain_prints_the_line_before_wanted_and_after(mapped):
    mapped.change_quantity(12)
    mapped.drain()
    said = run("explain", str(operation_of(mapped, "change_quantity").pk))
    assert "Operation" in said
    rows = [line.split() for line in said.splitlines()]
    assert ["2026-05-10", "and", "on", "10", "@", "5.00", "12", "@", "5.00", "12", "@", "5.00"] in rows
    assert ["2026-05-10", "+2"] in [row[:2] for row in rows]
    for part in ("Plan", "Writes", "Journal", "Proof"):
        assert f"\n{part}\n" in said


def test_explain_prints_what_was_previewed(mapped):
    said = run("explain", str(operation_of(mapped).pk))
    rows = [line.split() for line in said.splitlines()]
    assert "\nPreview\n" in said
    assert ["2026-05-10", "+10", "price", "5.00", "cost", "4.00", "open"] in rows
    assert "This period" in said


def test_explain_ends_with_1_where_a_person_is_needed(failed):
    assert "The PSA says no." in run("explain", str(failed.pk), code=1)


def test_explain_answers_scripts(mapped):
    facts = json.loads(run("explain", str(operation_of(mapped).pk), "--json"))
    assert (facts["state"], facts["proof"]["matched"], len(facts["writes"])) == ("succeeded", True, 2)


def test_explain_without_such_an_operation_ends_with_2(db):
    run("explain", "1", code=2)


def test_explain_tells_of_one_that_never_ran(desk):
    assert "queued" in run("explain", str(an_operation(desk).pk))
