"""Files of many rows: judged first, applied when a person says so, never twice, never by halves without their leave."""

from datetime import timedelta

import pytest

from portal import import_tasks
from portal.actions.imports import NotPossible, accept_import, discard_import
from portal.audit import Actor
from portal.far_side import Unauthorized, Unavailable
from portal.import_run import run_import
from portal.imports import KINDS, contradictions, repeated
from portal.models import AuditEntry, Customer, ImportRow, SheetImport
from tests.cast import make_customer
from tests.portal import imports
from tests.portal.imports import KIND, NOW, handed_in


@pytest.fixture(autouse=True)
def kind(monkeypatch):
    monkeypatch.setitem(KINDS, KIND.name, KIND)


@pytest.fixture
def three(cast):
    return [make_customer(cast.csp, name, external_id=name) for name in ("a", "b", "c")]


def go_on(run, now=NOW, **options):
    return run_import(run.pk, clock=lambda: now, **options)


def accept(run, cast, partial=False):
    accept_import(run, KIND, partial=partial, actor=Actor.user(cast.admin), now=NOW)


def effects(run):
    return {row.number: row.effect for row in run.rows.all()}


def domains():
    return [one.domain for one in Customer.objects.order_by("external_id")]


def test_a_dry_run_tells_row_by_row_and_changes_nothing(cast, three):
    Customer.objects.filter(pk=three[1].pk).update(domain="b.example")
    run = go_on(handed_in(cast, "a,a.example", "b,new.example", "x,x.example", "c,", "b,b.example"))
    assert effects(run) == {2: "create", 3: "refuse", 4: "refuse", 5: "skip", 6: "refuse"}
    assert "see row 6" in run.rows.get(number=3).reasons[0][0]
    assert (run.state, run.money, bytes(run.content)) == ("ready", [["This period", "5", "EUR"]], b"")
    assert domains() == ["", "b.example", ""]
    assert not AuditEntry.objects.exists()


def test_what_is_accepted_is_applied_with_one_entry_of_its_own(cast, three):
    run = go_on(handed_in(cast, "a,a.example", "b,b.example", "c,"))
    accept(run, cast)
    run = go_on(run)
    assert (run.state, domains()) == ("applied", ["a.example", "b.example", ""])
    entry = AuditEntry.objects.get()
    assert (entry.name, entry.actor_label, entry.asked["rows"]["create"]) == ("Import Domains", cast.admin.email, 2)


def test_nothing_is_applied_by_halves_without_leave(cast, three):
    run = go_on(handed_in(cast, "a,a.example", "x,x.example"))
    with pytest.raises(NotPossible, match="1 rows were refused"):
        accept(run, cast)
    assert SheetImport.objects.get().state == "ready"
    accept(run, cast, partial=True)
    assert go_on(run).state == "applied"
    assert domains() == ["a.example", "", ""]


def test_what_changed_meanwhile_stops_all_or_is_left_out(cast, three):
    run = go_on(handed_in(cast, "a,a.example", "b,b.example"))
    Customer.objects.filter(pk=three[0].pk).update(domain="meanwhile.example")
    accept(run, cast)
    run = go_on(run)
    assert (run.state, domains()) == ("ready", ["meanwhile.example", "", ""])
    assert "1 rows are refused now. Nothing was applied" in run.problem
    accept(run, cast, partial=True)
    assert go_on(run).state == "applied"
    assert domains() == ["meanwhile.example", "b.example", ""]


def test_a_row_that_is_refused_when_it_is_applied_is_kept_with_its_reason(cast, three):
    run = go_on(handed_in(cast, "a,refused.example", "b,b.example"))
    accept(run, cast)
    assert go_on(run).state == "applied"
    assert [(row.outcome, row.reasons) for row in run.rows.order_by("number")] == [
        ("refused", [["Not that one.", "Choose another."]]),
        ("done", []),
    ]


def test_a_run_that_is_killed_at_any_point_goes_on_where_it_was(cast, three, monkeypatch):
    monkeypatch.setattr("portal.import_run.BATCH", 1)
    run, steps = handed_in(cast, "a,a.example", "b,b.example", "c,c.example"), 0
    while run.state != "ready":
        run, steps = go_on(run, budget_s=0), steps + 1
    accept(run, cast)
    while run.state != "applied":
        assert import_tasks.due(NOW)
        run, steps = go_on(run, budget_s=0), steps + 1
    assert steps >= 5
    assert (domains(), ImportRow.objects.count()) == (["a.example", "b.example", "c.example"], 3)


def test_a_worker_that_lost_its_lease_writes_nothing_any_more(cast, three, monkeypatch):
    run = handed_in(cast, "a,a.example")

    def steal(run, rows):
        SheetImport.objects.filter(pk=run.pk).update(lease_until=None)
        monkeypatch.setitem(KINDS, KIND.name, KIND)
        go_on(run)
        return imports.judge(run, rows)

    monkeypatch.setitem(KINDS, KIND.name, KIND.__class__(**{**_fields(KIND), "judge": steal}))
    go_on(run)
    assert (ImportRow.objects.count(), SheetImport.objects.get().state) == (1, "ready")


def _fields(kind):
    return {name: getattr(kind, name) for name in kind.__slots__}


@pytest.mark.parametrize(("error", "state"), [(Unavailable, "applying"), (Unauthorized, "failed")])
def test_a_far_side_that_is_away_is_asked_later_and_nothing_is_lost(cast, three, monkeypatch, error, state):
    def away(run, row, actor, now):
        raise error("It does not answer.")

    run = go_on(handed_in(cast, "a,a.example"))
    accept(run, cast)
    monkeypatch.setitem(KINDS, KIND.name, KIND.__class__(**{**_fields(KIND), "apply": away}))
    run = go_on(run)
    assert (run.state, "does not answer" in run.problem) == (state, True)
    monkeypatch.setitem(KINDS, KIND.name, KIND)
    accept(run, cast)
    assert go_on(run, NOW + timedelta(minutes=5)).state == "applied"
    assert AuditEntry.objects.count() == 1


def test_a_second_click_and_a_discarded_file_change_nothing(cast, three):
    run = go_on(handed_in(cast, "a,a.example"))
    accept(run, cast)
    accept(run, cast)
    discard_import(run, now=NOW)
    assert go_on(run).state == "applied"
    other = go_on(handed_in(cast, "b,b.example"))
    discard_import(other, now=NOW)
    accept(other, cast)
    assert (go_on(other).state, other.rows.count(), domains()[1]) == ("discarded", 0, "")


def test_a_file_that_turns_out_unreadable_says_so_and_leaves_no_rows(cast, three, monkeypatch):
    monkeypatch.setattr("portal.sheet_reading.MOST_ROWS", 1)
    run = go_on(handed_in(cast, "a,a.example", "b,b.example"))
    assert (run.state, run.rows.count()) == ("failed", 0)
    assert "more than 1 rows" in run.problem


def test_rows_contradict_each_other_or_say_the_same():
    claims = [(2, "a", "1"), (3, "b", "1"), (4, "c", "2"), (5, "c", "3"), (6, "d", "4"), (7, "d", "4")]
    assert sorted(contradictions(claims)) == [2, 3, 4, 5]
    assert repeated(claims[4:]) == {7: 6}
